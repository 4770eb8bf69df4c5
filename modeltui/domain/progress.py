"""How far a pull is, from what its server counts: layers, their sum, its high-water mark, speed, time left.

The counters are the server's own, a layer each, and go back when a part has to be fetched again
(ollama server/download.go); nothing that a person is shown does.
"""

from dataclasses import replace
from math import exp

from modeltui.domain.events import Layer
from modeltui.domain.transfers import FirstLook, LayerState, Manifest, State, Transfer

MOST_LAYERS = 2048
MOST_BYTES = 2**50  # of one layer; the sum of them all still fits what a database holds
MOST_MOVED = 2**62  # counters that go to and fro for ever do not leave that either
_SPEED_MEMORY_MS = 6_000
_SPEED_STEP_MS = 400
# As much may have come before a layer is first looked at, after 60 ms: 75 MB on a line of 10 Gbit/s.
_FIRST_LOOK_BYTES = 128 * 10**6
_STEPS, _FIRST_STEPS = 4, 5
"""So many events of 60 ms tell how fast a line is, and so many of them its first may have brought.

Two real servers, behind a line of 20 to 200 MB/s: what was fetched anew had at its first event as much as 2.6
of the next four brought (tests/data/recorded, pull_small, pull_mid_cancelled and pull_corrupt).
"""
_NEARLY_S = 2
_LEFT_BAND, _LEFT_BAND_MS = 0.1, 2_000


def announced(transfer: Transfer, manifest: Manifest) -> Transfer:
    """Know the exact sum. Once bytes are counted against one it stays: a share of it never goes back."""
    sizes = [blob.size for blob in manifest.blobs]
    if len(sizes) > MOST_LAYERS or not all(0 <= size <= MOST_BYTES for size in sizes):
        return transfer
    if transfer.total_exact and transfer.done:
        return replace(transfer, manifest=manifest)
    total = max(manifest.total, transfer.total or 0, transfer.done)
    return replace(transfer, manifest=manifest, total=total, total_exact=True)


def begun(transfer: Transfer) -> Transfer:
    """A stream opens: its counters are looked at anew.

    What an earlier stream counted is the mark to measure from only when this one follows it at once:
    after a pause another client may have brought the rest.
    """
    follows = transfer.state is State.RETRYING
    return replace(
        transfer,
        layers=(),
        seen=0,
        is_finishing=False,
        speed=None,
        ends_at=None,
        grown_at=transfer.at,
        sample_at=None,
        sample_bytes=transfer.sample_bytes if follows else None,
    )


def ended(transfer: Transfer) -> Transfer:
    """The stream is over; what it counted last is where the next one is measured from."""
    seen = transfer.seen if transfer.layers else transfer.sample_bytes
    return replace(
        _passed(transfer),
        is_finishing=False,
        speed=None,
        ends_at=None,
        grown_at=None,
        sample_at=None,
        sample_bytes=seen,
    )


def whole(transfer: Transfer) -> Transfer:
    """The server has all layers: the last events of most of them were short of that."""
    transfer = _passed(transfer)
    layers = tuple(replace(layer, completed=layer.total) for layer in transfer.layers)
    rest = sum(layer.total - layer.completed for layer in transfer.layers)
    done = transfer.done if transfer.total is None else transfer.total
    moved = min(transfer.moved + rest, MOST_MOVED)
    return replace(transfer, layers=layers, done=done, seen=done, moved=moved, is_finishing=False)


def counted(transfer: Transfer, event: Layer) -> Transfer:
    """Count one layer event; one that makes no sense changes nothing."""
    if not 0 < event.total <= MOST_BYTES:
        return transfer
    layers, before = _placed(transfer, event)
    there = sum(layer.completed for layer in layers) + before
    total = transfer.total or 0
    if not transfer.total_exact:
        total = max(total, sum(layer.total for layer in layers))
    seen = min(there, total)
    mark = transfer.sample_bytes
    grown = mark is not None and (seen if transfer.sample_at is None else there) > mark
    counted = replace(
        _moved(transfer, layers, seen, in_order=event.in_order),
        state=State.PULLING if transfer.state is State.STARTING else transfer.state,
        layers=layers,
        total=total,
        done=max(transfer.done, seen),
        seen=seen,
        attempts=0 if grown else transfer.attempts,
        is_finishing=event.in_order and _is_finishing(layers, seen, total),
    )
    return _measured(counted, there)


def has_long_to_go(transfer: Transfer) -> bool:
    """Whether lines may gather before they are read: to wake up for one costs more than the line."""
    if transfer.state is not State.PULLING or transfer.speed is None or transfer.total is None:
        return False
    return transfer.total - transfer.seen > transfer.speed * _NEARLY_S


def _placed(transfer: Transfer, event: Layer) -> tuple[tuple[LayerState, ...], int]:
    """Put a layer event in its place; also the bytes of earlier layers that had no event at all.

    The server works through the manifest in order and sends no last event at 100 %, and none for a
    layer that it finds complete: a later layer's event is what says that the earlier ones are there.
    """
    completed = min(max(event.completed, 0), event.total)
    new = LayerState(event.digest, event.total, completed)
    known = [layer.digest for layer in transfer.layers]
    if event.digest in known:
        place = known.index(event.digest)
    elif len(known) >= MOST_LAYERS:
        return transfer.layers, 0
    else:
        place = len(known)
    if not event.in_order:
        return (*transfer.layers[:place], new, *transfer.layers[place + 1 :]), 0
    finished = tuple(replace(layer, completed=layer.total) for layer in transfer.layers[:place])
    layers = (*finished, new, *transfer.layers[place + 1 :])
    silent = 0
    if transfer.manifest is not None:
        seen = {layer.digest for layer in layers}
        for digest, size in {blob.digest: blob.size for blob in transfer.manifest.blobs}.items():
            if digest == layers[-1].digest:
                break
            silent += size if digest not in seen else 0
        else:
            silent = 0
    return layers, silent


def _is_finishing(layers: tuple[LayerState, ...], seen: int, total: int) -> bool:
    """Whether this layer and what follows it are less than a hundredth of the whole."""
    return (total - seen + layers[-1].completed) * 100 < total


def _moved(transfer: Transfer, layers: tuple[LayerState, ...], seen: int, *, in_order: bool) -> Transfer:
    """Tell bytes that the stream brought from those that it found.

    What a layer has at its first event was there before, but for what came in the moment until then: that is
    known at once of more than any line brings, of less when the next events have told how fast this one is,
    and of a layer that is whole by then when the server goes on at once, or not.
    """
    before = {layer.digest: layer.completed for layer in transfer.layers}
    grown = sum(max(0, layer.completed - before.get(layer.digest, layer.completed)) for layer in layers)
    found = max(0, seen - transfer.seen - grown)
    if transfer.tries > 1:
        if transfer.sample_at is None and transfer.sample_bytes is not None:
            grown += max(0, seen - transfer.sample_bytes)  # between the last event of a stream and this one
        return replace(transfer, moved=min(transfer.moved + grown, MOST_MOVED))
    new = next((layer for layer in layers if layer.digest not in before), None)
    transfer = _passed(transfer) if new is not None else _looked_again(transfer, grown)
    there = unsure = 0
    if found >= _FIRST_LOOK_BYTES or (new is not None and new.completed == new.total and not in_order):
        there = found
    elif new is not None and in_order:
        unsure = min(found, new.completed)
    return replace(
        transfer,
        present=_present(transfer, there, seen),
        moved=min(transfer.moved + grown + found - there - unsure, MOST_MOVED),
        first_look=FirstLook(unsure) if unsure else transfer.first_look,
    )


def _looked_again(transfer: Transfer, grown: int) -> Transfer:
    """A layer has `grown` since its last event; when that tells how fast the line is, settle what it had.

    While nothing comes nothing can be told.
    """
    look = transfer.first_look
    if look is None:
        return transfer
    if _is_whole(transfer):
        return _settled(transfer, 0)  # a blob that was there is told of once (downloadBlob, cacheHit)
    look = FirstLook(look.found, look.steps + 1, max(look.step, grown))
    if look.steps < _STEPS or not look.step:
        return replace(transfer, first_look=look)
    was_there = look.found >= _FIRST_STEPS * look.step
    return _settled(transfer, look.found - look.step if was_there else 0)


def _passed(transfer: Transfer) -> Transfer:
    """The server is done with the layer of its last event: one that was whole at its only one was there."""
    look = transfer.first_look
    return _settled(transfer, look.found if look is not None and _is_whole(transfer) else 0)


def _is_whole(transfer: Transfer) -> bool:
    """Whether the layer that was looked at first just now had all its bytes."""
    look = transfer.first_look
    layer = transfer.layers[-1] if transfer.layers else None
    return look is not None and not look.steps and layer is not None and layer.completed == layer.total


def _settled(transfer: Transfer, there: int) -> Transfer:
    """Of what a layer had at its first event so many bytes were there; the stream has brought the others."""
    look = transfer.first_look
    if look is None:
        return transfer
    return replace(
        transfer,
        present=_present(transfer, there, transfer.seen),
        moved=min(transfer.moved + look.found - there, MOST_MOVED),
        first_look=None,
    )


def _present(transfer: Transfer, count: int, seen: int) -> int:
    """What was there, with `count` bytes more; no more than is there now, but what was said once stays."""
    present = transfer.present or 0
    return max(present, min(present + count, seen))


def _measured(transfer: Transfer, there: int) -> Transfer:
    """Follow speed: an average over about six seconds of what came since the last step.

    The first event of a try is only the mark to measure from: it tells what was there before. The last
    small layers take their time whatever the line gives: they say nothing about its speed.
    """
    now, mark = transfer.at, transfer.sample_bytes
    if transfer.sample_at is None or mark is None:
        return replace(transfer, sample_at=now, sample_bytes=there, grown_at=now)
    elapsed = now - transfer.sample_at
    grown_at = now if there > mark else transfer.grown_at
    if elapsed < _SPEED_STEP_MS:
        return replace(transfer, grown_at=grown_at)
    sampled = replace(transfer, sample_at=now, sample_bytes=there, grown_at=grown_at)
    if transfer.is_finishing:
        return sampled
    rate = max(0, there - mark) / elapsed * 1000
    weight = 1 - exp(-elapsed / _SPEED_MEMORY_MS)
    speed = rate if transfer.speed is None else transfer.speed + weight * (rate - transfer.speed)
    return replace(sampled, speed=speed, ends_at=_ends_at(transfer, speed))


def _ends_at(transfer: Transfer, speed: float) -> int | None:
    """When the last byte is expected: kept as it was for as long as it is nearly right."""
    if not transfer.total_exact or transfer.total is None or speed < 1:
        return None
    left = round((transfer.total - transfer.seen) / speed * 1000)
    if transfer.ends_at is not None:
        shown = transfer.ends_at - transfer.at
        if abs(left - shown) <= max(_LEFT_BAND_MS, _LEFT_BAND * shown):
            return transfer.ends_at
    return transfer.at + left
