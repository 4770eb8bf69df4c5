"""Asking a server whether it is there."""

import asyncio

from demo_stage import Place  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package

from modeltui.domain.transfers import State
from modeltui.services.presence import Presence

HOUR_MS, STALL_MS = 3_600_000, 90_000


async def test_a_clock_that_is_set_back_does_not_keep_a_silent_server_unasked(place: Place) -> None:
    lost: list[str] = []
    presence = Presence(asyncio.create_task, lost.append, lambda: None)
    await place.server.stop()
    for now in (HOUR_MS, 0, STALL_MS - 1):
        presence.ask_if_silent(place.link, State.VERIFYING, STALL_MS, now)
    # The first was asked at once: nothing was heard of it since the beginning of time.
    assert presence.task is not None
    await presence.task
    assert len(lost) == 1
    presence.ask_if_silent(place.link, State.VERIFYING, STALL_MS, STALL_MS)
    await presence.task
    assert len(lost) == 2
    assert lost[0].startswith("silent while it verified: ")
