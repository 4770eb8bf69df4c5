"""What an estimate of memory takes for granted, each in a sentence for a person."""

from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.costs import Costs
from modeltui.domain.memory.eras import Account
from modeltui.domain.memory.serving import KvType, Serving
from modeltui.domain.memory.weights import tower_bytes
from modeltui.domain.units import size


def assumptions_of(facts: Facts, a: Architecture, costs: Costs, serving: Serving) -> tuple[str, ...]:
    """The sentences, most weighty first; those that a server or a file has told are left out."""
    said: list[str] = []
    if facts.architecture is None:
        said.append(
            "The model's shape is not known: layers and cache are guessed from its size, so the band is wide."
        )
    else:
        said.extend(f"Not told, taken from similar models: {words}." for words in a.guessed)
    if not facts.is_size_exact:
        said.append("The size is a label of two digits, off by up to 3 %.")
    if serving.version is None:
        said.append("The server's version is not known: the rules of the newest known one hold.")
    sources = dict(serving.sources)
    many = "one request" if costs.parallel == 1 else f"{costs.parallel} requests"
    # What a setting asks for and a model does not get was not decided by that setting.
    is_asked = costs.parallel == max(1, serving.num_parallel)
    told = _from(sources, "num_parallel") if is_asked else ""
    said.append(f"{many} at once of {costs.context} tokens{told}.")
    if not is_asked:
        said.append("This kind of model takes one request at once, whatever the server is set to.")
    told = _from(sources, "kv_type") if costs.kv_type is serving.kv_type else ""
    said.append(f"KV cache in {costs.kv_type}{told}.")
    if serving.kv_type is not KvType.F16 and costs.kv_type is KvType.F16:
        said.append(
            f"The {serving.kv_type} cache that was asked for is not used: "
            "it needs flash attention, which this model does not get."
        )
    told = _from(sources, "flash_attention") if serving.flash_attention in (None, costs.flash) else ""
    said.append(f"Flash attention {'on' if costs.flash else 'off'}{told}.")
    sees = bool(facts.projector or tower_bytes(a))
    if costs.account is Account.LOGS:
        but = " Work on images may lie there." if sees else ""
        said.append(f"The server leaves 1.1 GB of each card free; layers that would take it go to RAM.{but}")
        if serving.gpu_overhead:
            overhead = f"{size(serving.gpu_overhead)} of GPU overhead{_from(sources, 'gpu_overhead')}"
            said.append(f"{overhead} move no layers: since 0.30 they count for the default context only.")
    if sees:
        said.append("1.1 GB are counted for work on images, which a server sets aside; it may be half of it.")
    return tuple(sentence[0].upper() + sentence[1:] for sentence in said)


def _from(sources: dict[str, str], name: str) -> str:
    return f" ({sources[name]})" if name in sources else ""
