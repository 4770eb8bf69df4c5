"""Every word on the screens and what it means, for the help and for tooltips."""

TERMS: dict[str, str] = {
    # The columns
    "NAME": "The model as Ollama names it, in its short form: series, a colon, and the tag.",
    "PARAMS": (
        "How many parameters the model has, as the server says it: more is cleverer, bigger and slower."
    ),
    "QUANT": "The quantization: how many bits a parameter takes. Q4 is half of Q8; F16 is not quantized.",
    "SIZE": (
        "Bytes of the model's files, decimal as `ollama` shows them. Shared layers are counted in each model."
    ),
    "STATE": (
        "How the model stands in memory (—, loading, gpu, split, cpu, stopping, cloud, damaged, quarantined,"
        " unknown);"
        " on Downloads, how its pull stands."
    ),
    "CTX": "The longest context the model was trained for, in tokens; k is 1024.",
    "TYPE": (
        "What it is for: embedding, code, vision, reasoning or general, by its capabilities and its name."
    ),
    "TAGS": "How many different downloads a series has; → lists them, the details let you pick one.",
    "TAG": "The part of a name behind the colon: which size, variant and quantization of a series it is.",
    "CAN": "What it can do beside completing text, as the library says; vision only where the tag sees.",
    "LICENSE": "The licence under which its maker gives it away.",
    "PULLS": "How often the series was pulled, by the library's own counter: all its tags together, ever.",
    "RELEASED": "The month in which its maker released the series, else when the library says it changed.",
    "○": "Installed, and not the current model.",
    "↓": "A pull of it is under way.",
    "mac only": "In a format that only Ollama on macOS runs: elsewhere the registry refuses the pull.",
    "LOAD": "How long its last load through modeltui took on this server.",
    "MODIFIED": "When it was pulled, copied or made on this server.",
    "WHERE": (
        "Where a loaded model lies: on the GPU, in RAM, or split; where this machine can see it, what is"
        " true."
    ),
    "VRAM": (
        "Memory of the GPU; in the Catalog what a tag needs of it at the context that the server would take."
        " All bytes are decimal: a card sold as 24 GB reads 25.8 GB."
    ),
    "RAM": "Memory of the machine: what does not fit into VRAM lies there, and is many times slower.",
    "CONTEXT": (
        "The context that a model was loaded with, in tokens; it costs memory beside the weights. On "
        "Recommend what was asked for (x), and how much would fit."
    ),
    "FIT": (
        "How it would run: gpu (all of it in VRAM), split (a part in RAM), cpu (all in RAM) or no; beside it "
        "how well, 0 to 100."
    ),
    "TOK/S": (
        "Tokens a second that it writes: measured here, or with ~ estimated from the memory that it lies in."
    ),
    "SCORE": (
        "How good a choice it is for what was asked, 0 to 100: its quality at the task (by published scores, "
        "else by size, age and relatives), speed, fit (memory that stays free), context, and how it worked "
        "here. i takes it apart. Two points are less than anybody knows."
    ),
    "KEPT": "How long a loaded model stays in memory after its last use; e changes it, n makes it for ever.",
    "PREDICTED": (
        "What the server was expected to say of its size, by the estimate that FIT rests on, and in brackets"
        " how far its own number is above that. What it needs in truth is below the table."
    ),
    "needs": (
        "Memory that a model really takes: weights, KV cache, computing, what sees, and the driver's own. The"
        " server's own number leaves some of it out."
    ),
    "spilled": "A part of the model has no room in VRAM and lies in RAM: it answers many times slower.",
    "last 2 min": "How busy GPU and processors were, each mark a step of time; a full one is 100 %.",
    "PROGRESS": (
        "The share of the whole model that has come, over all its layers; 100 % only when it is installed."
    ),
    "%": "The share of the whole model that has come, in percent; 100 only when it is installed.",
    "then switch": "It becomes the current model when it is installed (ctrl+s in the dialog of p).",
    "DONE": "Bytes that have come; it never goes back, also when the server fetches a part again.",
    "SPEED": "Bytes a second of this download, evened out.",
    "LEFT": "The time to the last byte at this speed.",
    # The words of a state
    "—": "Unknown, or (as a state) installed and not loaded.",
    "loading": "The server is reading it into memory.",
    "gpu": "Loaded, all of it in VRAM.",
    "split": "Loaded, a part of it in RAM: slower. The share beside it is what is not on the GPU.",
    "cpu": "Loaded, all of it in RAM.",
    "ram": "It lies in RAM, whatever the server says: this machine has no GPU that could hold it.",
    "stopping": "Its time is over, and a request still runs on it.",
    "cloud": "A name for a model that runs at ollama.com: nothing of it is here, nothing can be loaded.",
    "damaged": "It is listed, and the server cannot open it, or a layer of it is missing: pull it again (p).",
    "quarantined": (
        "A scan found something serious in it: it is not loaded until `modeltui verify --release NAME`."
    ),
    "missing": "The current model is no longer installed: pull it, or make another one current.",
    "unknown": "It cannot be told: the server does not say what is loaded, or what it says cannot be true.",
    "waiting": "In the queue: others on its server come first.",
    "starting": "The server was asked, and has not begun.",
    "pulling": "Bytes come.",
    "verifying": "All has come; the server compares the checksums.",
    "checking": "modeltui compares the digest with the registry's, and has the server open the model.",
    "retrying": "It broke off and is tried again: after 1 s, doubling to 60 s, later every 5 minutes.",
    "paused": "Held by you (h); h again goes on where it was.",
    "blocked": "It cannot go on until something is mended; the line below says what.",
    "installed": "It is on the server, its digest was checked, and the server opened it.",
    "failed": "No retry can mend it; the line below says why. t tries again all the same.",
    "cancelled": "Ended by you. What had come stays on the server until it is restarted.",
    "▲": (
        "Its registry has a newer version, by the last look (U, or modeltui outdated): U on it pulls that."
    ),
    # Terms
    "server": "An Ollama endpoint. The one the screens show is named at the top right.",
    "model": "One tag on a server, such as qwen3:8b.",
    "series": "The part of a name before the colon: qwen3.",
    "current model": (
        "The model that your programs should use. modeltui keeps this record: `modeltui current` prints "
        "it, a state file holds it, an alias on the server can follow it. Making a model current loads "
        "it."
    ),
    "alias": "A name on the server that always points to the current model ([current] alias in config.toml).",
    "keep-alive": (
        "How long the server keeps a model loaded after its last use: 5 minutes unless told otherwise."
    ),
    "pin": "Keep loaded for ever: until it is unloaded, evicted, or the server is restarted.",
    "catalog": (
        "What could be pulled: series, their tags and what is known of each, as the library had it on the "
        "day that r says. It works without a server and without a network. One row a series, unless the "
        "words of the filter choose among its tags, or → lists them all. `modeltui catalog refresh` reads "
        "the live library."
    ),
    "weights": (
        "The big layer of a model. Models on the same weights share it on the disk, and one runner in memory."
    ),
    "layer": (
        "A file that models are made of. Deleting a model frees only the layers that no other one needs."
    ),
    "digest": "The checksum that tells one version of a model from another.",
    "registry": "Where models are pulled from: registry.ollama.ai, hf.co, or a private one.",
    "transfer": "One pull in the queue.",
    "at once": (
        "How many pulls run side by side on one server, 1 to 4; a on Downloads changes it. More begin now; of"
        " fewer than run already, these go on to their end."
    ),
    "runner": (
        "The program that carries the queue out. It goes on when modeltui ends; on the demonstration server,"
        " and with downloads.detached = false, it is a part of modeltui."
    ),
    "demonstration server": (
        "A real server with made-up models inside modeltui (--demo, or D): nothing there is real."
    ),
    "task": (
        "What a model is wanted for; t on Recommend changes it. How suitable a model is for it is a number "
        "from 0 to 10 with a band, and where it comes from."
    ),
    "priority": "What counts most on Recommend: speed, quality, or both in balance; o changes it.",
    "what if": (
        "w on Recommend ranks for hardware that is typed, as 2x24GB or none+16GB (no GPU): simulated, and "
        "nothing is measured there."
    ),
    "also": (
        "Beside a recommended model: a faster one, a better one (it may not fit, and says so), a smaller one."
    ),
    "~": "Estimated: nobody has measured it here.",
    "filter": (
        "Words that must all be in a row: parts of names, loaded, current, outdated, damaged, vision, tools, "
        "type:code, q4, and sizes such as <8gb or >4gb. "
        "On Downloads parts of names, states, causes and servers, on Running also of where a model lies; and "
        "sizes."
    ),
    "mark": (
        "space marks several rows (+): the keys of the marked are then about all of them, wherever the "
        "cursor stands. Marks outlast an order (o) and a filter, also where it hides them; esc clears the "
        "filter, then the marks."
    ),
    "queue": (
        "The pulls that are not over, in the order in which they begin: + - f change it, in no other order "
        "(o) of the list."
    ),
    "update": (
        "U on a model with ▲ pulls its newer version. Elsewhere it asks the registries which models have "
        "one; they are asked at no other time. A model under a registry's name that has parameters, a prompt "
        "or a template of its own is left as it is, and that is said."
    ),
    "evict": "To make room a server puts out models that nobody uses just now, the longest idle first.",
}


def explain(word: str) -> str | None:
    """What a word means, whatever its case."""
    if word in TERMS:
        return TERMS[word]
    return next((text for term, text in TERMS.items() if term.casefold() == word.casefold()), None)
