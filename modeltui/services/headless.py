"""The runner as a program of its own: no screen, a log, and an end when nothing is left to do."""

import asyncio
import os
from collections.abc import Callable

from modeltui import __version__
from modeltui.errors import ModeltuiError, defect
from modeltui.services.runner import Runner
from modeltui.services.runnerlog import ORDERLY, RunnerLog
from modeltui.services.tree import Services

PATIENCE_S = 1.0
"""A look at the lock, or a wish that is carried out without a runner, holds it for a moment."""
AHEAD_S = 5.0
"""So long one that was started ahead waits for work: longer than what is looked at before a pull may take."""
_STEP_S = 0.05
_WORK_STEP_S = 0.02


async def run_headless(
    services: Services,
    *,
    random: Callable[[], float],
    streams: tuple[int, ...] = (),
    is_ahead: bool = False,
) -> int:
    """Carry the queue out until all of it rests; returns the exit code, 0 also when another runner lives.

    `streams` are the descriptors that lead into the log from now on. `is_ahead`: what it is to carry out is
    queued in a moment. Raises OSError when the log cannot be opened.
    """
    log = RunnerLog(services.paths.runner_log, clock=services.clock, streams=streams)
    try:
        if is_ahead and not await _work_comes(services):
            log.write(ORDERLY)
            return 0
        await _carry_out(services, random, log)
        return 0
    except asyncio.CancelledError:
        log.write("ends by a signal; what is left waits")
        raise
    except ModeltuiError as error:
        log.write(f"ends: {error.message}")
        return 1
    except Exception as error:
        found = defect(error)
        log.write(f"ends: {found.message} ({found.remedy})")
        return 1
    finally:
        log.close()


async def _carry_out(services: Services, random: Callable[[], float], log: RunnerLog) -> None:
    runner = Runner(services, random=random, report=log.write)
    is_gone = False

    def is_over() -> bool:
        nonlocal is_gone
        while services.notices:
            log.write(services.notices.pop(0))
        is_gone = not runner.is_in_place()
        if is_gone:
            log.write("ends: its lock was taken away, or the directory that held it")
        elif runner.rests():
            log.write(ORDERLY)
        else:
            return False
        return True

    # Whoever wishes something writes it, then looks for a runner: one that has just let go looks once more.
    has_begun = False
    while await _is_runner_now(runner):
        if _is_at_rest(services):  # another one did it while this one began
            runner.release()
        else:
            if not has_begun:
                log.write(f"modeltui {__version__} carries the queue out as process {os.getpid()}")
                has_begun = True
            await runner.run(is_over)
        if is_gone or _is_at_rest(services):
            return


async def _work_comes(services: Services) -> bool:
    """Make ready, and wait until something is queued; False when that takes too long."""
    _import_what_a_pull_needs()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + AHEAD_S
    while _is_at_rest(services):
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(_WORK_STEP_S)
    return True


def _import_what_a_pull_needs() -> None:
    import modeltui.hardware.here
    import modeltui.ollama.client
    import modeltui.ollama.pull
    import modeltui.ollama.web
    import modeltui.registry.manifests  # noqa: F401
    from modeltui.http import make_client

    make_client("http://127.0.0.1", direct=True)  # httpx imports the rest of itself with its first client


def _is_at_rest(services: Services) -> bool:
    return all(row.is_resting for row in services.store.queue.open())


async def _is_runner_now(runner: Runner) -> bool:
    """Take the lock, patiently; False when another runner has it."""
    for _ in range(round(PATIENCE_S / _STEP_S)):
        if runner.acquire():
            return True
        await asyncio.sleep(_STEP_S)
    return False
