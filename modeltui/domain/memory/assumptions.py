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
    said.append(f"{many} at once of {costs.context} tokens{_from(sources, 'num_parallel')}.")
    if costs.parallel != max(1, serving.num_parallel):
        said.append("This kind of model takes one request at once, whatever the server is set to.")
    said.append(f"KV cache in {costs.kv_type}{_from(sources, 'kv_type')}.")
    if serving.kv_type is not KvType.F16 and costs.kv_type is KvType.F16:
        said.append(
            f"The {serving.kv_type} cache that was asked for is not used: "
            "it needs flash attention, which this model does not get."
        )
    said.append(f"Flash attention {'on' if costs.flash else 'off'}{_from(sources, 'flash_attention')}.")
    if costs.account is Account.LOGS:
        said.append("The server leaves 1.1 GB of each card free; layers that would take it go to RAM.")
        if serving.gpu_overhead:
            overhead = f"{size(serving.gpu_overhead)} of GPU overhead{_from(sources, 'gpu_overhead')}"
            said.append(f"{overhead} move no layers: since 0.30 they count for the default context only.")
    if facts.projector or tower_bytes(a):
        said.append("1.1 GB are counted for work on images, which a server sets aside; it may be half of it.")
    return tuple(sentence[0].upper() + sentence[1:] for sentence in said)


def _from(sources: dict[str, str], name: str) -> str:
    return f" ({sources[name]})" if name in sources else ""
