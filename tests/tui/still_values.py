"""What the still program shows: models, runners, hardware and pulls in every state at one moment."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from modeltui.domain.advice.fit import Fit, FitKind, Part
from modeltui.domain.advice.speed import Speed
from modeltui.domain.advice.tasks import Task
from modeltui.domain.advice.verdict import Verdict
from modeltui.domain.causes import Cause
from modeltui.domain.machines.hardware import Cpu, Disk, Gpu, Gpus, Host, Memory, VramVerdict
from modeltui.domain.machines.machine import KnownMachine
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.architecture import Facts as ModelFacts
from modeltui.domain.memory.estimate import Needs, Placement
from modeltui.domain.memory.eviction import Eviction
from modeltui.domain.models import LoadedModel, Model, ModelDetails, ModelState, model_type
from modeltui.domain.names import from_listed, parse
from modeltui.domain.transfers import State, Transfer, Wanted
from modeltui.domain.units import FOREVER_MS
from modeltui.services.advice import UNKNOWN, Advice, Circumstance, Numbers
from modeltui.services.changing import Removal
from modeltui.services.forecasting import Forecast
from modeltui.services.inspecting import Facts
from modeltui.services.kinds import Kind
from modeltui.services.library import Entry
from modeltui.services.monitoring import Running, RunningNow
from modeltui.services.starting import Start
from modeltui.services.switching import SwitchFacts
from modeltui.store.facts import CurrentModel, Load
from modeltui.store.queue import QueuedTransfer
from modeltui.tui.advising import Advised
from modeltui.tui.state import Connection, Models, Phase, Trouble

NOW = round(datetime(2026, 3, 10, 14, 2, 30, tzinfo=UTC).timestamp() * 1000)  # a Tuesday
MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000
GB = 10**9
URL = "http://gpubox:11434"
BIG = "llama3.3:70b-instruct-q4_K_M"
HUGGING = "hf.co/unsloth/Qwen3-30B-A3B-Instruct-2507-GGUF:UD-Q4_K_XL"
NO_NAME = "not a name: with spaces"

# The way to the server

ONLINE = Connection(
    "gpubox", URL, Phase.ONLINE, version="0.32.15", latency_ms=10, since=NOW - DAY, is_plain_remote=True
)
REFUSED = Trouble("connection refused", URL, "start it there or name another", True)
AWAY = replace(
    ONLINE, phase=Phase.OFFLINE, version=None, latency_ms=None, since=NOW - 4 * MIN, trouble=REFUSED,
    retry_at=NOW + 15_000,
)  # fmt: skip
FIRST = Connection(
    "local", "http://127.0.0.1:11434", Phase.OFFLINE, since=NOW - 3000, trouble=REFUSED, retry_at=NOW + 4000,
    start=Start(("sudo", "systemctl", "start", "ollama"), False, "its unit is stopped"),
)  # fmt: skip

# Models


def entry(
    name: str, size: float | None = None, days: float | None = None, *, runner: LoadedModel | None = None,
    damage: str | None = None, is_current: bool = False, load_ms: int | None = None,
    alias_of: str | None = None, **model: Any,
) -> Entry:  # fmt: skip
    """A model of the list; `size` in GB, `days` since it was modified, `model` as Model takes it."""
    parsed = from_listed(name)
    made = Model(
        name, name, parsed, digest=model.pop("digest", digest_of(name)),
        size=None if size is None else round(size * GB),
        modified=None if days is None else NOW - round(days * DAY), **model,
    )  # fmt: skip
    state = ModelState.NOT_LOADED if runner is None else runner.state(NOW)
    if damage:
        state = ModelState.DAMAGED
    elif made.is_cloud:
        state = ModelState.CLOUD
    elif parsed is None:
        state = ModelState.UNKNOWN
    last = None if load_ms is None else Load(NOW - 5 * HOUR, load_ms, made.size, made.size, 32768)
    return Entry(
        made, state, model_type(parsed, made.capabilities), is_current, runner,
        None if runner is None else "name" if runner.sent == name else "digest",
        last, alias_of, damage, None, None,
    )  # fmt: skip


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def runner(
    name: str, size: float, vram: float, expires: int, context: int = 32768, **more: Any
) -> LoadedModel:
    """A loaded model; sizes in GB, `expires` in milliseconds from now."""
    return LoadedModel(
        name, name, from_listed(name), size=round(size * GB), vram=round(vram * GB), expires_at=NOW + expires,
        context=context, **more,
    )  # fmt: skip


ON_GPU = runner(
    "qwen3.5:27b", 19.6, 19.6, 4 * MIN, family="qwen35", parameter_size="27.8B", quantization="Q4_K_M"
)
FOR_EVER = runner("nomic-embed-text:latest", 0.38, 0.38, 2 * FOREVER_MS, 2048)
SPLIT = runner(BIG, 46.1, 23.9, 12 * MIN, 8192, family="llama", parameter_size="70.6B", quantization="Q4_K_M")
IN_RAM = runner("phi4-mini:latest", 4.1, 0, 59 * MIN, 8192)
STOPPING = runner("gemma4:12b", 9.4, 9.4, -2000)

THINKING = frozenset({"completion", "tools", "thinking"})
CURRENT = entry(
    "qwen3.5:27b", 17.4, 2, runner=ON_GPU, is_current=True, load_ms=6200, parameter_size="27.8B",
    family="qwen35", format="gguf", quantization="Q4_K_M", context=262144, capabilities=THINKING,
)  # fmt: skip
DAMAGED = entry(
    "mistral-small:24b", 14.3, 40, parameter_size="23.6B", family="llama", format="gguf",
    damage="the server cannot open it: unable to load model: invalid file magic",
)  # fmt: skip
ENTRIES = (
    CURRENT,
    entry(BIG, 42.5, 3, runner=SPLIT, load_ms=31_400, parameter_size="70.6B", quantization="Q4_K_M",
          context=131072),
    entry(HUGGING, 17.7, 0.02, parameter_size="30.5B", quantization="unknown", context=262144),
    entry("nomic-embed-text:latest", 0.274, 400, runner=FOR_EVER, quantization="F16", context=2048,
          parameter_size="137M", capabilities=frozenset({"embedding"})),
    entry("phi4-mini:latest", 2.49, 9, runner=IN_RAM, load_ms=900, parameter_size="3.8B",
          quantization="Q4_K_M"),
    entry("gemma4:12b", 8.1, 0.3, runner=STOPPING, parameter_size="12.2B", quantization="Q4_K_M",
          context=131072),
    entry("gpt-oss:120b-cloud", 0.000000382, 14, remote_host="https://ollama.com:443", quantization="MXFP4",
          parameter_size="116.8B", context=131072),
    DAMAGED,
    entry(NO_NAME, 1.2, 20),
    entry("someone/made-by-hand:latest", digest=None),
    entry("gpt-oss:20b", 13.8, 5, load_ms=8000, parameter_size="20.9B", quantization="MXFP4", context=131072),
    entry("current:latest", 17.4, 1, runner=ON_GPU, alias_of="qwen3.5:27b", digest=CURRENT.model.digest,
          parameter_size="27.8B", quantization="Q4_K_M", context=262144),
    entry("deepseek-r1:32b", 19.9, 66, parameter_size="32.8B", quantization="Q4_K_M", context=131072),
    entry("registry.example.org:5000/team/house-coder:9b-q8_0", 9.53, 11, parameter_size="9.2B",
          quantization="Q8_0", context=32768),
    entry("granite4:3b", 2.1, 0.0004, parameter_size="3.2B", quantization="Q4_K_M", context=131072),
    entry("smollm2:135m", 0.271, 700, parameter_size="134.52M", quantization="F16", context=8192),
)  # fmt: skip
assert CURRENT.model.name is not None
CHOICE = CurrentModel(CURRENT.model.name, CURRENT.model.digest, NOW - 3 * HOUR, "gpt-oss:20b")
LOADED = (ON_GPU, FOR_EVER, SPLIT, IN_RAM, STOPPING)
INSTALLED = Models(ENTRIES, NOW - 500, True, LOADED, CHOICE)
REMEMBERED = replace(
    INSTALLED, at=NOW - 4 * MIN, is_live=False, loaded=None,
    entries=tuple(
        replace(each, loaded=None, loaded_by=None, state=ModelState.UNKNOWN) if each.loaded else each
        for each in ENTRIES
    ),
)  # fmt: skip

MANIFESTS = "/usr/share/ollama/.ollama/models/manifests"
FACTS = Facts(
    CURRENT,
    ModelDetails(
        architecture="qwen35", family="qwen35", format="gguf", parameter_size="27.8B", quantization="Q4_K_M",
        context=262144, capabilities=THINKING, weights=f"sha256-{digest_of('weights')}",
        options={"num_ctx": 32768, "temperature": 0.6, "stop": ["<|im_start|>", "<|im_end|>"]},
        system="You are a careful assistant for a small workshop.\nAnswer in the language of the question,"
        " say what you do not know, and keep to what was asked.",
        template="{{ .System }}\n{{ .Prompt }}", license="Apache License\nVersion 2.0, January 2004",
        requires="0.30.0",
    ),
    ("current:latest",), f"{MANIFESTS}/registry.ollama.ai/library/qwen3.5/27b", None,
)  # fmt: skip
FORECAST = Forecast(
    Verdict(
        BIG, ModelFacts(round(42.5 * GB)), 8192,
        Placement(
            FitKind.SPLIT,
            Needs(41 * GB, 3 * GB, 0, GB, 0, GB, GB, 46 * GB, 45 * GB, 47 * GB, 45 * GB, 8192),
            22 * GB, round(24.1 * GB), (22 * GB,), 38, 81, -20 * GB, 20 * GB, 21 * GB,
        ),
        Speed(3.1, is_measured=True),
        Fit(FitKind.SPLIT, 34, (Part("memory", 8, 40, "it is split", "a context of 4k"),)),
        None,
    ),
    Eviction(round(46.3 * GB), round(4.9 * GB), 3, (ON_GPU,)),
)  # fmt: skip
WHOLE = replace(
    FORECAST.verdict,
    name="qwen3.5:27b", context=32768, largest_context=65536,
    placement=Placement(
        FitKind.GPU,
        Needs(round(16.5 * GB), 2 * GB, 0, GB // 2, 0, GB // 3, GB // 2, round(19.6 * GB), 19 * GB, 20 * GB,
              19 * GB, 32768),
        round(19.6 * GB), GB // 2, (round(19.6 * GB),), 65, 65, round(5.3 * GB), 16 * GB, 0,
    ),
    speed=Speed(38.0, 30.0, 45.0), fit=Fit(FitKind.GPU, 86, (Part("memory", 40, 40, "all on the GPU"),)),
)  # fmt: skip


class StillAdvice(Advice):
    """Verdicts by hand, which no better estimate changes: what is large is split, the rest on the GPU."""

    def verdict_of_model(self, model: Model, context: int | None = None, task: Task | None = None) -> Verdict:
        return replace(FORECAST.verdict if (model.size or 0) > 20 * GB else WHOLE, name=model.shown)

    def numbers_of_model(self, model: Model, context: int | None = None, task: Task | None = None) -> Numbers:
        if model.is_cloud or not model.size:
            return UNKNOWN
        of, at = self.verdict_of_model(model), model.shown
        measured = {"qwen3.5:27b": 38.0, BIG: 3.1}.get(at)
        return Numbers(of.fit.kind, of.fit.score, of.needs, 0, measured, measured is not None, of.context, ())


_ADVICE = StillAdvice(
    Circumstance(KnownMachine(parse_hardware("rtx 4090+64GB"), "config.toml"),
                 installed=tuple(each.model for each in ENTRIES))
)  # fmt: skip
JUDGED = Advised(
    _ADVICE,
    {each.model.sent: _ADVICE.numbers_of_model(each.model) for each in ENTRIES if not each.damage},
    {each.model.sent: Kind(each.type) for each in ENTRIES},
)
NEEDS = SwitchFacts(
    ENTRIES[1].model, "qwen3.5:27b", False, None,
    Load(NOW - DAY, 31_400, 46_100_000_000, 22_000_000_000, 8192),
    ("qwen3.5:27b", "nomic-embed-text:latest", "phi4-mini:latest"), "current", True, FORECAST,
)  # fmt: skip
REMOVALS = tuple(
    Removal(
        each.model,
        None if each is CURRENT else each.model.size,
        ("current:latest",) if each is CURRENT else (),
        each.is_current,
        each.loaded is not None,
    )
    for each in ENTRIES
    if each.model.name is not None and each.model.size and not each.alias_of
)

# Running

HOST = Host(
    Gpus(
        (
            Gpu(0, "GPU-0", "NVIDIA GeForce RTX 4090", 25_770_000_000, None, 20_100_000_000, 72, 61,
                288_000, 450_000),
            Gpu(1, "GPU-1", "NVIDIA RTX A2000 12GB", 12_880_000_000, None, 410_000_000, None, 38,
                9_000, 70_000),
        ),
        None,
        True,
    ),
    Cpu("a processor", 16, 12.0),
    Memory(68_700_000_000, 46_700_000_000),
    (Disk("/models", 10**12, 212 * GB),),
)  # fmt: skip
GONE = runner("deleted-meanwhile:7b", 5.5, 5.5, 90_000)
ROWS = tuple(Running(each, each.state(NOW), each.state(NOW)) for each in (*LOADED, GONE))
RUNNING = RunningNow(NOW, ROWS, VramVerdict.CREDIBLE, None, "gpubox is another machine")
CLAIMS = (ModelState.GPU, ModelState.SPLIT)
CONTRADICTED = RunningNow(
    NOW,
    tuple(replace(row, state=ModelState.UNKNOWN) if row.claim in CLAIMS else row for row in ROWS),
    VramVerdict.CONTRADICTED, HOST, "the address is this machine's",
)  # fmt: skip

# Downloads


def queued(number: int, name: str, server: int = 1, **transfer: Any) -> QueuedTransfer:
    """A row of the queue; `transfer` as Transfer takes it."""
    made = Transfer(parse(name), **{"at": NOW, "grown_at": NOW, "started": NOW - 5 * MIN, **transfer})
    return QueuedTransfer(number, server, number, 0, NOW - HOUR, None, made)


def come(done: float, total: float, **more: Any) -> dict[str, Any]:
    """Bytes of an exact sum, in GB."""
    count = round(done * GB)
    return {"done": count, "seen": count, "total": round(total * GB), "total_exact": True, **more}


DISK: dict[str, Any] = {"cause": Cause.DISK, "detail": "needs 404 GB, 212 GB free"}
QUEUE = (
    queued(1, "qwen3.5:35b-a3b", **come(12.6, 22.1), state=State.PULLING, speed=61_300_000.0,
           ends_at=NOW + 155_000),
    queued(2, "gemma4:27b", **come(3.6, 17), state=State.RETRYING, attempts=3, retry_at=NOW + 12_000,
           cause=Cause.NETWORK, detail="connection reset by peer"),
    queued(3, HUGGING, **come(1.2, 17.7), state=State.PULLING, grown_at=NOW - 42_000, attempts=1),
    queued(4, "phi4:14b", done=310_000_000, seen=310_000_000, total=9_100_000_000, state=State.PULLING,
           speed=8_000_000.0),
    queued(5, "granite4:32b", **come(19.5, 19.5), state=State.VERIFYING),
    queued(6, "tiny-demo:latest", **come(0.05, 0.05), state=State.CHECKING),
    queued(7, "mistral-small:24b", state=State.STARTING, server=2),
    queued(8, "devstral-2:24b", **come(12.9, 19.5), state=State.PULLING, wanted=Wanted.PAUSE),
    queued(9, "gpt-oss:120b", **come(41, 65.4), state=State.PAUSED, wanted=Wanted.PAUSE, cause=Cause.BY_YOU),
    queued(10, "deepseek-v9:671b", **come(0, 404), state=State.BLOCKED, **DISK),
    queued(11, "llama4:scout", state=State.WAITING),
    queued(15, "gemma4:12b", **come(8.1, 8.1), state=State.INSTALLED, detail="digest checked",
           ended=NOW - 4 * HOUR, moved=8_100_000_000, active_ms=112_000),
    queued(14, "typo-model:7b", state=State.FAILED, cause=Cause.UNKNOWN_MODEL,
           detail="pull model manifest: file does not exist", ended=NOW - 5 * HOUR),
    queued(13, "llama3.3:405b", **come(17, 243), state=State.CANCELLED, ended=NOW - 3 * DAY),
    queued(12, "smollm2:135m", **come(0.271, 0.271), state=State.INSTALLED, ended=NOW - 9 * DAY,
           moved=271_000_000, active_ms=4000, detail="digest checked"),
)  # fmt: skip
