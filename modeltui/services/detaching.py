"""Starts the runner as a program of its own, and sees to it that one lives as long as there is work."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import modeltui
from modeltui.errors import ModeltuiError
from modeltui.services.pulls import Pulls
from modeltui.services.runnerlog import ORDERLY, last_line, open_log
from modeltui.services.tree import Services
from modeltui.store.locks import KEEPS_APART, FileLock

RUN = ("-m", "modeltui", "queue", "run", "--headless")
AHEAD = "--ahead"
BEGIN_S = 3.0
"""So long a runner that was just started is waited for; it begins within half a second on an idle machine."""
_BEGIN_STEP_S = 0.02
_LOOK_S = 0.25
_LONGEST_DELAY_S = 60.0


def can_detach(services: Services) -> bool:
    """Whether pulls are carried out by a program of their own here; that there are no locks is noted."""
    if not services.config.detached or services.store.trouble is not None:
        return False
    if not KEEPS_APART:
        services.note(
            "without fcntl there is no runner apart: pulls end with the program that asked for them"
        )
        return False
    lock = FileLock(services.paths.runner_lock)
    try:
        lock.acquire(wait=False)
    except OSError:
        return False  # whoever carries out here says why
    lock.release()
    return True


def variables(services: Services) -> dict[str, str]:
    """What leads a program of its own to the same directories, and to this very modeltui."""
    paths = services.paths
    places = {"CONFIG": paths.config, "STATE": paths.state, "CACHE": paths.cache}
    found = {f"MODELTUI_{word}_DIR": str(place.absolute()) for word, place in places.items()}
    home = Path(modeltui.__file__).absolute().parents[1]
    if home.name not in ("site-packages", "dist-packages"):  # run from a checkout, perhaps by the way of "."
        before = services.environ.get("PYTHONPATH")
        found["PYTHONPATH"] = os.pathsep.join([str(home), *([before] if before else [])])
    return found


def words_of_runner(services: Services) -> list[str]:
    """The command line of a runner for these services."""
    profile = services.config.typed_profile
    return [sys.executable, *RUN, *([f"--profile={profile}"] if profile else [])]


def start_ahead(services: Services) -> "Started | None":
    """Start a runner for what is going to be queued in a moment, so that it is ready when that is.

    It waits for some seconds, and ends when nothing comes. None where another one lives, none can be apart,
    or it cannot be started, which is told when it is needed.
    """
    if not can_detach(services) or Pulls(services).runner_lives():
        return None
    try:
        return start_runner(services, is_ahead=True)
    except ModeltuiError:
        return None


def start_runner(services: Services, *, is_ahead: bool = False) -> "Started":
    """Start a runner that outlives this program; if another one lives, it ends at once.

    It has a session of its own, the root as its directory, no descriptor of ours, and its output goes to its
    log. Raises ModeltuiError when it cannot be started.
    """
    words = [*words_of_runner(services), *([AHEAD] if is_ahead else [])]
    try:
        log = open_log(services.paths.runner_log)
        try:
            process = subprocess.Popen(
                words,
                env={**services.environ, **variables(services)},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
    except OSError as error:
        raise ModeltuiError(
            f"the runner cannot be started: {error.filename or words[0]}: {error.strerror}",
            remedy="modeltui queue run",
        ) from None
    return Started(process)


class Started:
    """A runner that was started here, waited for on a thread so that no zombie is left of it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._thread = threading.Thread(target=process.wait, name="runner", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def pid(self) -> int:
        return self._process.pid


def ensure_runner(services: Services, *, patience_s: float = BEGIN_S) -> bool:
    """Start a runner if there is work that nobody carries out; whether that was so. Raises ModeltuiError.

    Blocks up to `patience_s` until the runner has begun (or ended): who asks next shall see that it lives,
    and start no other.
    """
    pulls = Pulls(services)
    if all(row.is_resting for row in services.store.queue.open()) or pulls.runner_lives():
        return False
    started, deadline = start_runner(services), time.monotonic() + patience_s
    while time.monotonic() < deadline and started.is_alive and not pulls.runner_lives():
        time.sleep(_BEGIN_STEP_S)
    return True


class Keeper:
    """Starts a runner when none lives: one at a time, and ever more seldom when they die early."""

    def __init__(
        self, services: Services, tell: Callable[[str], None], started: Started | None = None
    ) -> None:
        """`started`: a runner that this program has started ahead."""
        self._services = services
        self._tell = tell
        self._pulls = Pulls(services)
        self._started = started
        self._started_at = 0.0
        self._is_known = False
        self._delay_s = 0.0

    def look(self) -> None:
        """To be called again and again while there is work; raises ModeltuiError when none can be started."""
        if (self._started is not None and self._started.is_alive) or self._pulls.runner_lives():
            self._is_known = True
            return
        now = time.monotonic()
        if self._is_known:
            self._is_known = False
            self._note_death(now)
        if self._started is None or now - self._started_at >= self._delay_s:
            self._delay_s = min(max(1.0, 2 * self._delay_s), _LONGEST_DELAY_S)
            self._started, self._started_at = start_runner(self._services), now
            self._is_known = True

    def _note_death(self, now: float) -> None:
        if now - self._started_at >= _LONGEST_DELAY_S:
            self._delay_s = 0.0
        line = last_line(self._services.paths.runner_log)
        if not line.endswith(ORDERLY):
            said = f"; the last line of its log: {line}" if line else ""
            self._tell(f"the runner ended before the queue did, and is started again{said}")


async def see_carried(
    services: Services,
    *,
    random: Callable[[], float],
    is_done: Callable[[], bool],
    tell: Callable[[str], None],
    holding: Callable[[bool], None] = lambda holds: None,
    started: Started | None = None,
) -> None:
    """See the queue carried out until `is_done`: by a runner apart, else by this program.

    `tell` is told when a runner died; `holding` as `carry` says; `started` was started ahead. Raises
    ModeltuiError and StoreError.
    """
    if not can_detach(services):
        from modeltui.services.runner import carry  # all of the runner: a runner apart has it itself

        await carry(services, random=random, is_done=is_done, holding=holding)
        return
    keeper = Keeper(services, tell, started)
    while not is_done():
        keeper.look()
        await asyncio.sleep(_LOOK_S)
