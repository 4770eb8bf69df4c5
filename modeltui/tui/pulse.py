"""What is done again and again while nobody types, in as few wakes of the processor as it takes."""

import asyncio
from typing import TYPE_CHECKING

from modeltui.errors import StoreError
from modeltui.tui.advising import Advising
from modeltui.tui.queuewatch import QueueWatch
from modeltui.tui.screens.base import BaseScreen

if TYPE_CHECKING:
    from modeltui.tui.stateful import StatefulApp

LOOK_S = 0.25
LOOKS_A_SECOND = 4
BEATS_WITHOUT_STORE = 20  # until one that could not be read is tried again


async def beat(app: "StatefulApp") -> None:
    """Until cancelled: look at the store, and each second let screens say what time alone changes; the
    verdicts follow what is listed and loaded.

    A store that cannot be read is told, and tried again later; time goes on meanwhile.
    """
    watch, advising = QueueWatch(app), Advising(app)
    beats = looks_from = 0
    while True:
        if beats >= looks_from:
            try:
                watch.look()
            except StoreError as error:
                app.tell_error(error)
                watch, looks_from = QueueWatch(app), beats + BEATS_WITHOUT_STORE
        if beats % LOOKS_A_SECOND == 0:
            advising.look()
            for screen in app.screen_stack:
                if isinstance(screen, BaseScreen):
                    screen.second()
        beats += 1
        await asyncio.sleep(LOOK_S)
