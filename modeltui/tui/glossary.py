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
    "LOAD": "How long its last load through modeltui took on this server.",
    "MODIFIED": "When it was pulled, copied or made on this server.",
    "WHERE": (
        "Where a loaded model lies: on the GPU, in RAM, or split; where this machine can see it, what is"
        " true."
    ),
    "VRAM": "Memory of the GPU. All bytes are decimal: a card sold as 24 GB reads 25.8 GB.",
    "RAM": "Memory of the machine: what does not fit into VRAM lies there, and is many times slower.",
    "CONTEXT": "The context that a model was loaded with, in tokens; it costs memory beside the weights.",
    "KEPT": "How long a loaded model stays in memory after its last use; e changes it, n makes it for ever.",
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
    "weights": (
        "The big layer of a model. Models on the same weights share it on the disk, and one runner in memory."
    ),
    "layer": (
        "A file that models are made of. Deleting a model frees only the layers that no other one needs."
    ),
    "digest": "The checksum that tells one version of a model from another.",
    "registry": "Where models are pulled from: registry.ollama.ai, hf.co, or a private one.",
    "transfer": "One pull in the queue.",
    "runner": "The program that carries the queue out; here it runs inside modeltui, until it ends.",
    "demonstration server": (
        "A real server with made-up models inside modeltui (--demo, or D): nothing there is real."
    ),
    "filter": (
        "Words that must all be in a row: parts of names, loaded, current, outdated, damaged, vision, tools, "
        "type:code, q4, and sizes such as <8gb or >4gb."
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
