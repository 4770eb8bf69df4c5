"""What two transfers on one server have in common: blobs that one of them brings for the other."""

from collections.abc import Iterable

from modeltui.domain.transfers import State, Transfer

WORTH_BYTES = 1_000_000
"""Below that nothing is saved by waiting: templates and licences are shared by half of all models."""


def unfinished(transfer: Transfer) -> dict[str, int]:
    """The blobs that a connected transfer still brings, by digest, in bytes; none without its manifest.

    The server works through the manifest in order, and says nothing of what it finds complete.
    """
    if transfer.manifest is None or transfer.state is State.VERIFYING:
        return {}
    missing = {blob.digest: blob.size for blob in transfer.manifest.blobs}
    if transfer.layers:
        for digest in list(missing):
            if digest == transfer.layers[-1].digest:
                break
            del missing[digest]
    for layer in transfer.layers:
        if layer.completed >= layer.total:
            missing.pop(layer.digest, None)
    return missing


def brought_by(waiting: Transfer, others: Iterable[Transfer]) -> tuple[Transfer, int] | None:
    """Of the connected `others` the one that brings most of a waiting one, and these bytes.

    Starting it meanwhile would fetch the same bytes side by side, and save nothing.
    """
    if waiting.manifest is None:
        return None
    wanted = {blob.digest for blob in waiting.manifest.blobs}
    brought = [
        (sum(size for digest, size in unfinished(other).items() if digest in wanted), other)
        for other in others
    ]
    most, other = max(brought, key=lambda each: each[0], default=(0, None))
    return (other, most) if other is not None and most > WORTH_BYTES else None
