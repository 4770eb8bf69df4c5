"""Says which layers keep a KV cache, and with how many heads, where only one number or none is given."""

from modeltui.domain.memory.kinds import plain

# gemma4 by the width of the model: KV heads of windowed layers and of those that see all. Published
# configurations [K], checked on rows of 31b and 26b.
_GEMMA4_HEADS = {5376: (16, 4), 2816: (8, 2), 3840: (8, 1), 2560: (2, 2), 1536: (1, 1)}


def spread(kind: str, layers: int, embedding: int | None, each: int, interval: int) -> tuple[int, ...]:
    """KV heads of every layer from one number, by the kind's rule; 0 for a recurrent layer."""
    name = plain(kind)
    if name == "gemma4":
        windowed, whole = _GEMMA4_HEADS.get(embedding or 0, (each, each))
        return tuple(whole if (i + 1) % 6 == 0 else windowed for i in range(layers))
    if name.startswith("nemotronh"):
        # 4 of 42 (nano 4b), 6 of 52 (nano 30b), 8 of 88 (super) [K]: about one in ten.
        wanted = {42: 4, 52: 6, 88: 8}.get(layers, max(1, layers // 10))
        return _evenly(layers, wanted, each)
    if name.startswith("lfm2"):
        # 6 of 16, 6 of 24 (8b), 10 of 40 (24b) [K].
        return _evenly(layers, {16: 6, 24: 6, 40: 10}.get(layers, max(1, layers // 3)), each)
    if interval > 1:
        return tuple(each if (i + 1) % interval == 0 else 0 for i in range(layers))
    return (each,) * layers


def _evenly(layers: int, wanted: int, each: int) -> tuple[int, ...]:
    return tuple(each if (i + 1) * wanted // layers > i * wanted // layers else 0 for i in range(layers))


def usual_heads(kind: str, embedding: int | None, heads: int | None) -> int:
    """KV heads of an attending layer where the server gives none, by published configurations [K]."""
    name = plain(kind)
    if name == "gemma4":
        return 1
    if name in ("qwen35moe", "qwen3next") or (name == "qwen35" and (embedding or 0) <= 2048):
        return 2
    if name == "qwen35":
        return 4
    if name.startswith("nemotronh"):
        return 8 if embedding == 3136 else 2
    return min(8, heads or 8)
