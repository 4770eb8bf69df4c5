"""What this server's own measurements say of a model's speed, and of the estimates as a whole."""

from collections.abc import Mapping, Sequence

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.rates import Calibration
from modeltui.domain.advice.speed import Speed, calibrated, measured
from modeltui.domain.units import context as context_words
from modeltui.store.measurements import Measurement

_ROWS = 5  # of one model: the newest say how it is now


def speed_seen(rows: Sequence[Measurement], digest: str, context: int, kind: FitKind) -> Speed | None:
    """The speed that a manifest (12 digits of its digest do) was measured to have; None: never.

    Only where it lay then as it would now (`kind`); rows of this very context go before those of another.
    """
    usable = [
        row
        for row in rows
        if row.tokens is not None
        and row.digest.startswith(digest)
        and (row.vram_share is None or _kind(row.vram_share) is kind)
    ]
    exact = [row for row in usable if row.context == context]
    kept = (exact or usable)[-_ROWS:]
    words = f"measured here, {len(kept)} time{'' if len(kept) == 1 else 's'}"
    if kept and not exact and kept[-1].context:
        words += f", at a context of {context_words(kept[-1].context)}"
    return measured(
        [row.tokens for row in kept if row.tokens], [row.prompt for row in kept if row.prompt], words=words
    )


def calibration_of(
    rows: Sequence[Measurement], estimated: Mapping[tuple[str, int | None], float]
) -> Calibration | None:
    """How measured speeds compare with `estimated` ones, by (digest, context); None without both.

    One row a model and context, its newest: a model that is measured often counts no more than another.
    """
    newest = {(row.digest, row.context): row.tokens for row in rows if row.tokens}
    return calibrated((tokens, estimated[key]) for key, tokens in newest.items() if key in estimated)


def _kind(share: float) -> FitKind:
    if share >= 0.999:
        return FitKind.GPU
    return FitKind.SPLIT if share > 0.001 else FitKind.CPU
