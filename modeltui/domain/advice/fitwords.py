"""A fit in words: why a part has its points, and what would mend it."""

from typing import TYPE_CHECKING

from modeltui.domain.advice.cases import Case, Mends
from modeltui.domain.advice.tasks import Task
from modeltui.domain.units import context as context_words
from modeltui.domain.units import rate, size

if TYPE_CHECKING:
    from modeltui.domain.advice.speed import Speed
    from modeltui.domain.memory.estimate import Placement


def needed(task: Task | None) -> str:
    """The capability, in the server's words, without which a task cannot be asked."""
    if task is Task.VISION:
        return "vision"
    return "embedding" if task is Task.EMBEDDING else "completion"


def memory_words(placement: "Placement", case: Case) -> str:
    """Where it lies, and what stays free."""
    if placement.kind == "gpu":
        words = f"all {size(placement.vram)} on the GPU, {size(max(0, placement.headroom))} stay free"
        if placement.headroom < case.held:
            words += ", once the server has unloaded what is loaded now"
        if placement.headroom < placement.needs.high - placement.needs.total:
            words += f"; it may take up to {size(placement.needs.high)}, which would not fit"
        return words
    if placement.kind == "split":
        layers = f"{placement.layers_on_gpu} of {placement.layers} layers on the GPU"
        return f"{layers}: {size(placement.vram)} there, {size(placement.ram)} in RAM"
    return f"all {size(placement.ram)} in RAM"


def no_words(placement: "Placement") -> str:
    """What is lacking."""
    lacking = size(max(0, -placement.headroom))
    return f"it takes {size(placement.needs.total)}: {lacking} more than there is"


def memory_mend(mends: Mends) -> str:
    """What would bring it onto the GPU; "" where nothing was found."""
    found = []
    if mends.unload:
        found.append(f"unload {', '.join(mends.unload)}")
    if mends.others:
        found.append(f"free {size(mends.others)} that other programs hold on the GPU")
    if mends.kv:
        found.append(f"keep the KV cache as {mends.kv} (OLLAMA_KV_CACHE_TYPE)")
    if mends.shorter:
        found.append(f"a context of {context_words(mends.shorter)}")
    if mends.smaller:
        found.append(f"a smaller quantization: {mends.smaller}")
    return "; or ".join(found)


def speed_words(speed: "Speed", is_embedding: bool) -> str:
    """How fast, and whether that was measured."""
    if is_embedding:
        return "an embedding model generates no text"
    if speed.tokens is None:
        return f"speed unknown: {speed.basis}"
    words = f"{rate(speed.tokens)} tokens/s"
    if speed.is_measured:
        return f"{words}, measured here"
    if speed.low is not None and speed.high is not None:
        return f"about {words} ({rate(speed.low)} to {rate(speed.high)})"
    return f"about {words}"


def asked_words(case: Case) -> str:
    """The context that is asked for, of how much."""
    asked = context_words(case.context)
    if case.trained is None:
        return f"{asked}; how long it was trained for is unknown"
    if case.trained < case.context:
        return f"{asked} asked, trained for {context_words(case.trained)}"
    return f"{asked} of {context_words(case.trained)}"


def server_words(case: Case) -> str:
    """Which server it needs, and which there is."""
    if case.requires is None and case.is_younger:
        return f"which server it needs is unknown; it came out long after {dotted(case.version)}"
    if case.requires is None:
        return "no version of the server is asked for"
    if case.version is None:
        return f"needs Ollama {dotted(case.requires)}; the server's version is unknown"
    only = "only " if case.version < case.requires else ""
    return f"needs Ollama {dotted(case.requires)}, the server is {only}{dotted(case.version)}"


def task_words(case: Case) -> str:
    """Whether the task can be asked of it."""
    if case.task is None:
        return "no task is named"
    if case.capabilities is None:
        return f"whether it can do {case.task} is unknown"
    ability = needed(case.task)
    if ability in case.capabilities and case.is_made_for is False:
        return f"{case.task}: it has {ability}, but is made for something else"
    return f"{case.task}: it {'has' if ability in case.capabilities else 'lacks'} {ability}"


def task_mend(case: Case) -> str:
    """What would do the task that this model does not."""
    if case.task is None:
        return ""
    lacks = case.capabilities is not None and needed(case.task) not in case.capabilities
    return f"take a model with {needed(case.task)}" if lacks else f"take a model that is made for {case.task}"


def disk_words(case: Case) -> str:
    """What a pull brings, and what is free."""
    if case.download is None:
        return "it is installed"
    if case.disk_free is None:
        return f"a pull brings {size(case.download)}; the disk is unknown"
    where = f" on the disk of {case.disk}" if case.disk else ""
    return f"a pull brings {size(case.download)}, {size(case.disk_free)} are free{where}"


def dotted(version: tuple[int, int, int] | None) -> str:
    """A version as people write it."""
    return ".".join(map(str, version or ()))
