"""Says whether a model has an output tensor of its own or uses its token embedding once more ("tied")."""

import re
from collections.abc import Mapping

from modeltui.domain.memory.kinds import rules_of


def output_by_count(
    kind: str,
    embedding: int | None,
    heads: int | None,
    kv_heads: tuple[int, ...],
    key: int | None,
    vocabulary: int | None,
    feed: int | None,
    layers: int,
    count: int | None,
) -> bool | None:
    """Whether an `output.weight` is there: from the parameter count of a plain dense model, else by the
    kind's rule.
    """
    rules = rules_of(kind)
    if rules.is_tied is not None or not (embedding and heads and vocabulary and feed and count):
        return None if rules.is_tied is None else not rules.is_tied
    head = key or embedding // heads
    body = layers * (2 * embedding * heads * head + 3 * embedding * feed) + 2 * embedding * head * sum(
        kv_heads
    )
    extra = (count - body) / (vocabulary * embedding)
    if 0.7 < extra < 1.4:
        return False
    return True if 1.7 < extra < 2.4 else None


def output_of_row(
    row: Mapping[str, object],
    kind: str,
    series: str,
    embedding: int | None,
    vocabulary: int | None,
    count: int | None,
) -> bool | None:
    """Whether a row's files have an output of their own, where it shows.

    A count that is larger than the nominal size by the output's is the sign (deepseek-r1:1.5b 1.78,
    qwen3:1.7b 2.03 billion); the library's qwen3 of 0.6b and 1.7b carry one although the published weights
    tie it: their files are larger by just that.
    """
    tied = rules_of(kind).is_tied
    if tied is not None:
        return not tied
    named_by = row.get("parameter_size") or row.get("hf_id")
    nominal = (
        re.search(r"(?<![\d.])(\d{1,4}(?:\.\d{1,3})?)([BM])(?![a-z])", named_by, re.I)
        if isinstance(named_by, str)
        else None
    )
    if nominal and count and embedding and vocabulary:
        named = float(nominal.group(1)) * (1e9 if nominal.group(2) in "bB" else 1e6)
        if 0.9 <= (count - named) / (embedding * vocabulary) < 1.5 and named < 3e9:
            return True
    return True if kind == "qwen3" and series == "qwen3" and (embedding or 0) <= 2048 else None
