"""Finds out what a cancel really did: a server that was verifying goes on with it, and installs the model."""

import asyncio
from collections.abc import Callable

from modeltui.domain.transfers import CheckResult, Transfer
from modeltui.services.checking import Finding, look_after_cancel
from modeltui.services.servers import Link

_VERIFIED_A_MS = 100_000  # bytes that the slowest of disks reads in a millisecond
_LOOK_AGAIN_S = 1.0


async def what_cancel_did(
    link: Link, transfer: Transfer, clock: Callable[[], int], is_wanted: Callable[[], bool]
) -> Finding:
    """Look at the server until the model is there, or could be by now; ends early when not `is_wanted`."""
    total = transfer.total or 0
    was_whole = total > 0 and transfer.seen >= total
    until = clock() + (total // _VERIFIED_A_MS if was_whole else 0)
    while True:
        is_last = clock() >= until
        found = await look_after_cancel(link, transfer.sent, transfer.manifest, transfer.started or 0)
        if found[0] is not CheckResult.MISSING or not is_wanted():
            return found
        if is_last:
            words = "it was being verified: the server may still install it" if was_whole else ""
            return CheckResult.MISSING, words
        await asyncio.sleep(_LOOK_AGAIN_S)
