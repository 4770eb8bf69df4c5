"""Words about what services answer, which the command line and the screens say alike."""

from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.domain.advice.memorywords import needs_words
from modeltui.domain.models import ModelState
from modeltui.domain.words import age_words, kept_words

if TYPE_CHECKING:
    from modeltui.domain.memory.eviction import Eviction
    from modeltui.services.changing import Removal
    from modeltui.services.forecasting import Forecast
    from modeltui.services.inspecting import Facts
    from modeltui.services.library import Entry
    from modeltui.services.loading import Loaded, Unloaded
    from modeltui.services.monitoring import Running
    from modeltui.services.switching import Switched, SwitchFacts


def model_state_words(entry: "Entry", now: int) -> str:
    """The state at `now` (UTC ms), and what goes with it: how long it is kept, how much of it is in RAM."""
    runner = entry.loaded
    if runner is None or entry.state in (ModelState.DAMAGED, ModelState.QUARANTINED):
        return str(entry.state)
    words = str(entry.state)
    if entry.state is ModelState.SPLIT and runner.gpu_share is not None:
        words += f" {round((1 - runner.gpu_share) * 100)} % cpu"
    return f"{words}  {kept_words(runner.expires_at, now)}".rstrip()


def detail_lines(facts: "Facts", now: int) -> list[tuple[str, str]]:
    """Label and value of everything short that is known about a model; `now` in UTC milliseconds."""
    model, shown, runner = facts.entry.model, facts.details, facts.entry.loaded
    context = [units.context(shown.context or model.context)]
    if isinstance(chosen := shown.options.get("num_ctx"), int):
        context.append(f"set to {units.context(chosen)}")
    if runner is not None and runner.context:
        context.append(f"loaded with {units.context(runner.context)}")
    made_as = (shown.family or model.family, shown.format or model.format)
    capabilities = shown.capabilities if shown.capabilities is not None else model.capabilities
    lines = [
        ("name", model.shown + ("  (current)" if facts.entry.is_current else "")),
        ("state", _loaded_state(facts.entry, now)),
        ("size", units.UNKNOWN if model.is_cloud else units.size(model.size)),
        ("parameters", shown.parameter_size or model.parameter_size or units.UNKNOWN),
        ("quantization", shown.quantization or model.quantization or units.UNKNOWN),
        ("architecture", shown.architecture or units.UNKNOWN),
        ("family, format", ", ".join(word or units.UNKNOWN for word in made_as)),
        ("type", facts.entry.type or units.UNKNOWN),
        ("context", ", ".join(context)),
        ("capabilities", "  ".join(sorted(capabilities)) if capabilities is not None else units.UNKNOWN),
        ("digest", model.digest or units.UNKNOWN),
        ("weights", shown.weights or units.UNKNOWN),
        ("modified", units.iso(model.modified) or units.UNKNOWN),
    ]
    optional = [
        ("quarantined", facts.entry.held),
        ("shares weights", ", ".join(facts.shares_weights_with)),
        ("based on", shown.base_model),
        ("adapters", ", ".join(shown.adapters)),
        ("projector", ", ".join(f"{key} {value}" for key, value in list(shown.projector.items())[:4])),
        ("newer version", newer_words(facts.entry, now)),
        ("needs Ollama", shown.requires),
        ("runs at", shown.remote_host or model.remote_host),
        ("signed in as", (facts.account or "nobody") if model.is_cloud else None),
        ("manifest file", facts.path),
        ("not known", ", ".join(_unsaid(facts))),
    ]
    lines += [(label, value) for label, value in optional if value]
    for key, value in shown.options.items():
        several = value if isinstance(value, (list, tuple)) else (value,)
        lines.append((f"  {key}", "  ".join(map(str, several))))
    return lines


def _unsaid(facts: "Facts") -> list[str]:
    """What belongs to a model's details and nobody has said, in one line: five that say nothing hide others.

    Uses are not recorded yet, so that the last one is never known.
    """
    told: list[tuple[str, object]] = [("base model", facts.details.base_model)]
    if not facts.entry.model.is_cloud:
        told += [
            ("adapters", facts.details.adapters),
            ("projector", facts.details.projector),
            ("path on disk", facts.path),
        ]
    return [*(label for label, value in told if not value), "last used"]


def newer_words(entry: "Entry", now: int) -> str | None:
    """What is known of the newer version at the registry: `8.15 GB, pushed 6 h ago`; None without one."""
    if entry.newer is None:
        return None
    pushed = f", pushed {age_words(entry.newer.pushed, now)}" if entry.newer.pushed is not None else ""
    return f"{units.size(entry.newer.size)}{pushed}"


def _loaded_state(entry: "Entry", now: int) -> str:
    words = model_state_words(entry, now)
    runner = entry.loaded
    if runner is None:
        return "not loaded" if words == units.UNKNOWN else words
    return f"{words}  ({units.size(runner.vram)} VRAM, {units.size(runner.ram)} RAM by the server's account)"


def where_words(row: "Running") -> str:
    """Where a loaded model really is; what the server claims is said when the hardware contradicts it."""
    share = row.runner.gpu_share
    if row.state is not row.claim:
        claim = "?" if share is None else str(round(share * 100))
        place = "ram" if row.state is ModelState.CPU else "unknown"
        return f"{place} (the server says {claim} % gpu)"
    if row.state is ModelState.SPLIT and share is not None:
        return f"split  {round((1 - share) * 100)} % cpu"
    return str(row.state)


def loaded_words(done: "Loaded", now: int) -> str:
    """One line for a finished load; `now` in UTC milliseconds."""
    took = "was loaded before" if done.load_ms is None else f"loaded in {units.duration(done.load_ms)}"
    words = [f"{done.name.short} {took}"]
    if done.evicted:  # first, where a narrow line is cut: somebody may miss it
        words.append(f"unloaded for it: {', '.join(done.evicted)}")
    if done.runner is not None:
        kept = kept_words(done.runner.expires_at, now)
        if kept:
            words.append(f"kept {kept}" if kept == "for ever" else f"kept for {kept}")
        words.append(f"{units.size(done.runner.vram)} VRAM, {units.size(done.runner.ram)} RAM")
    return " · ".join(words)


def unloaded_words(done: "Unloaded") -> str:
    """One line for a finished unload."""
    words = {
        "unloaded": f"{done.name.short} unloaded",
        "stopping": f"{done.name.short} is stopping: it leaves memory when its request ends",
        "not_loaded": f"{done.name.short} was not loaded",
    }[done.status]
    if done.shared_with:
        words += f" · its runner served {', '.join(done.shared_with)}, too"
    return words


def switch_lines(facts: "SwitchFacts", stranger: str | None, *, record_only: bool) -> list[str]:
    """What decides a switch, before it is done."""
    model, last = facts.model, facts.last_load
    lines = [f"switch  {facts.previous or 'none'} -> {model.shown}"]
    if record_only:
        return [*lines, "  only recorded, not loaded"]
    if model.is_cloud:
        return [*lines, "  runs in the cloud: nothing is loaded"]
    held = ""
    if last is not None and last.size is not None:
        held = f"its last load held {units.size(last.size)} ({units.size(last.vram)} of it in VRAM)"
    if facts.forecast is not None:
        lines += _forecast_lines(facts.forecast)
    else:
        lines.append(f"  needs   {units.size(model.size)} on disk" + (f"; {held}" if held else ""))
    if facts.is_loaded:
        lines.append("  takes   no time: it is loaded")
    elif facts.sibling:
        lines.append(f"  shares  its weights with {facts.sibling}, which is loaded")
    elif last is not None:
        lines.append(f"  takes   about {units.duration(last.load_ms)} (last load)")
        if facts.forecast is not None and held:
            lines.append(f"  held    {held.removeprefix('its last load held ')} at its last load")
    if facts.forecast is None and facts.may_unload:
        lines.append(f"  may unload  {', '.join(facts.may_unload)}")
    elif facts.forecast is not None:
        lines += _eviction_lines(facts.forecast.eviction, facts.may_unload)
    if stranger:
        lines.append(f"  alias   {stranger} was not written by modeltui: it stays, unless you say yes to it")
    elif facts.alias:
        lines.append(f"  alias   {facts.alias} -> {model.shown}")
    if facts.hook:
        lines.append("  hook    runs afterwards")
    return lines


def _forecast_lines(forecast: "Forecast") -> list[str]:
    """What it takes and where it would lie; where not all of it on the GPU, what would mend that."""
    verdict = forecast.verdict
    lines = [f"  needs   {needs_words(verdict)}"]
    if verdict.placement is not None and verdict.placement.kind != "gpu" and verdict.fit.parts:
        mend = verdict.fit.parts[0].mend  # of its memory
        lines += [f"  better  {mend}"] if mend else []
    return lines


def _eviction_lines(eviction: "Eviction", others: tuple[str, ...]) -> list[str]:
    """What goes for it by the server's own count, which is not what it needs."""
    if not eviction.unloads:
        return [f"  beside  {', '.join(others)}, which stay{'s' * (len(others) == 1)}"] if others else []
    names = ", ".join(row.shown for row in eviction.unloads)
    why = f"it keeps at most {eviction.most} loaded"
    if eviction.counted > eviction.room:
        counts, room = units.size(eviction.counted), units.size(eviction.room)
        why = f"the server counts {counts} for it, and has room for {room}"
    return [f"  unloads  {names}: {why}"]


def switched_words(done: "Switched") -> str:
    """One line for a finished switch."""
    words = [f"current model: {done.current}"]
    if done.status == "recorded":
        words.append("recorded, not loaded")
    elif done.load_ms is None:
        words.append("it was loaded")
    else:
        words.append(f"loaded in {units.duration(done.load_ms)}")
    if done.evicted:
        words.append(f"unloaded for it: {', '.join(done.evicted)}")
    if done.released:
        words.append(f"released {done.released}")
    return " · ".join(words)


def removal_words(removal: "Removal") -> str:
    """What deleting one model would free, and why it should be asked twice where it should."""
    words = f"{removal.model.shown}: {freed_words(removal)}"
    return f"{words} · {why_dear(removal)}" if removal.is_current or removal.is_loaded else words


def why_dear(removal: "Removal") -> str:
    """Why a deletion is asked twice: `the current model and loaded`; empty where once is enough."""
    reasons = ["the current model"] if removal.is_current else []
    return " and ".join(reasons + (["loaded"] if removal.is_loaded else []))


def freed_words(removal: "Removal") -> str:
    """What a deletion frees, or who else holds the layers."""
    others = ", ".join(removal.shared_with)
    if removal.freed is None and removal.shared_with:
        return f"frees only what is not shared: its weights stay for {others}"
    if removal.shared_with:
        return f"frees nothing: its layers stay for {others}"
    if removal.freed is None:
        return "frees only what is not counted with the one above: they share their weights"
    return f"frees {units.size(removal.freed)}"
