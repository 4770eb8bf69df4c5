"""Shows transfers while they run, whoever carries them out, and tells how each ended."""

import asyncio
import gc
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from modeltui.cli import shapes
from modeltui.cli.output import Output
from modeltui.cli.progress import Progress
from modeltui.domain.causes import Cause
from modeltui.domain.transfers import State, Transfer
from modeltui.domain.words import bytes_words, end_words, remedy_of
from modeltui.errors import ModeltuiError
from modeltui.services.detaching import can_detach, ensure_runner, see_carried
from modeltui.services.pulls import Pulls
from modeltui.services.tree import Services
from modeltui.store.queue import QueuedTransfer

if TYPE_CHECKING:
    from modeltui.services.detaching import Started

WATCH_S = 0.1
NEWS_S = 0.02  # so late at most an end is seen; to ask for news takes microseconds
JSON_MS = 500


async def follow(
    services: Services,
    numbers: list[int],
    out: Output,
    *,
    before: Mapping[int, object] | None = None,
    started: "Started | None" = None,
) -> int:
    """Watch transfers until all rest, and see to it that somebody carries the queue out.

    Reads the store only, so that it shows the same whoever the runner is. `before`: what was known of them
    before they were queued, for their JSON; `started`: a runner that was started ahead for them.
    """
    gc.enable()
    watch = _Watch(services, numbers, out, before or {})
    carried = see_carried(
        services, random=random.random, is_done=watch.is_done, tell=watch.tell, started=started
    )
    work = asyncio.create_task(carried, name="carry")
    try:
        try:
            while not (work.done() or watch.is_done()):
                watch.look()
                await watch.news(work)
            if work.done():
                await work
            watch.look()
        finally:  # whatever ended the watching: a signal, or a reader that has gone
            work.cancel()
            await asyncio.wait({work})
    except asyncio.CancelledError:
        watch.interrupted()
        raise
    return watch.finished()


class _Watch:
    """What a person (or a script) sees of some transfers while they run."""

    def __init__(
        self, services: Services, numbers: list[int], out: Output, known: Mapping[int, object]
    ) -> None:
        self._services = services
        self._known = known
        self._numbers = numbers
        self._out = out
        self._progress = Progress(out, services.config.retries)
        self._servers = {key: name for key, (_, name) in services.store.facts.servers().items()}
        self._last: dict[int, tuple[QueuedTransfer, int]] = {}
        self._pulls = Pulls(services)
        self._rows = {number: self._pulls.get(number) for number in numbers}
        self._forgotten: dict[int, str] = {}
        self._seen = (0, 0)

    def rows(self) -> list[QueuedTransfer]:
        """The transfers as they stand; one that ended and was forgotten since stands as it ended."""
        self._seen = self._services.store.version_of_data()
        for number in self._numbers:
            row = self._services.store.queue.get(number)
            self._rows[number] = self._as_it_ended(number) if row is None else row
        return list(self._rows.values())

    def _as_it_ended(self, number: int) -> QueuedTransfer:
        """A row that is no longer in the queue; raises UsageError when nobody knows how it ended."""
        known = self._rows[number]
        if known.transfer.is_final:
            return known
        ends = [end for end in self._services.store.ends.newer(0) if end.number == number]
        if not ends:
            return self._pulls.get(number)
        self._forgotten[number] = ends[-1].words
        ended = replace(known.transfer, state=ends[-1].state, cause=None, detail="")
        return replace(known, transfer=ended)

    async def news(self, work: "asyncio.Task[None]") -> None:
        """Wait until somebody has written, or time alone changes what is shown."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + WATCH_S
        while not work.done() and loop.time() < ends:
            if self._services.store.version_of_data() != self._seen:
                return
            await asyncio.wait({work}, timeout=NEWS_S)

    def is_done(self) -> bool:
        return all(row.is_resting for row in self.rows())

    def tell(self, words: str) -> None:
        """Say something beside the progress."""
        self._progress.clear()
        self._out.note(words)

    def look(self) -> list[QueuedTransfer]:
        """Read the transfers and show what changed."""
        rows, now = self.rows(), self._services.clock()
        if self._out.json:
            for row in rows:
                self._stream(row, now)
        else:
            self._progress.update(rows, now)
        return rows

    def _stream(self, row: QueuedTransfer, now: int) -> None:
        """One JSON line a change of state, and at most two a second in between."""
        before, at = self._last.get(row.number, (None, 0))
        if before == row:
            return
        if before is not None and before.transfer.state is row.transfer.state and now - at < JSON_MS:
            return
        self._last[row.number] = (row, now)
        shape = shapes.transfer(row, self._servers.get(row.server_id), now)
        self._out.answer_line({**shape, "before": self._known.get(row.number)})

    def interrupted(self) -> None:
        """Say what becomes of what is left: a runner of its own goes on, or the queue keeps it."""
        self._progress.clear()
        if self._services.paths.is_temporary:
            self._out.say("interrupted; nothing is kept of a demonstration")
            return
        left = [row for row in self.rows() if not row.transfer.is_final]
        going = [row for row in left if not row.is_resting]
        is_apart = bool(going) and can_detach(self._services)
        if is_apart:
            ensure_runner(self._services, patience_s=0)  # who leaves is not held up
        for row in left:
            kept = "at" if is_apart and row in going else "kept at"
            self._out.say(f"{row.number} {row.transfer.name.short}: {kept} {bytes_words(row.transfer)}")
        if is_apart:
            what, which = ("pull goes", "it") if len(going) == 1 else ("pulls go", "them")
            numbers = " ".join(str(row.number) for row in going)
            self._out.say(
                f"the {what} on; modeltui queue shows {which}, modeltui queue cancel {numbers} ends {which}"
            )
            return
        if self._services.store.trouble is not None:
            self._out.say("interrupted; nothing is kept, since the queue could not be stored")
        elif left:
            self._out.say("interrupted; go on with: modeltui queue run")

    def finished(self) -> int:
        """Say how each ended; the first that is not installed decides the exit code."""
        self._progress.clear()
        codes = []
        for row in self.rows():
            codes.append(_code(row))
            words = self._forgotten.get(row.number) or end_words(row.transfer)
            if row.transfer.state is not State.INSTALLED:
                self._out.error(Unfinished(row.transfer, words))
            elif not self._out.json:
                self._out.text(words)
        ends = self._services.store.ends
        self._services.remember(lambda: ends.mark_told_of(self._numbers))  # no screen says it once more
        return next((code for code in codes if code), 0)


class Unfinished(ModeltuiError):
    """A transfer that did not end as installed, told as any other error."""

    def __init__(self, transfer: Transfer, words: str) -> None:
        super().__init__(words, remedy=remedy_of(transfer))


def _code(row: QueuedTransfer) -> int:
    if row.transfer.state is State.INSTALLED:
        return 0
    return {Cause.UNKNOWN_MODEL: 5, Cause.INVALID_NAME: 2}.get(row.transfer.cause or Cause.BY_YOU, 1)
