"""Runs one command: reads its words, builds the services, tells errors, and returns the exit code."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from modeltui import __version__, errors
from modeltui.cli.output import Output

if TYPE_CHECKING:
    from argparse import Namespace

Command = Callable[["Namespace", Output], Coroutine[Any, Any, int]]

# 3, answered and to be looked at, is what commands return themselves.
DONE, FAILED, USAGE, UNREACHABLE, NO_SUCH, NEEDS_YES = 0, 1, 2, 4, 5, 6
_CODES: tuple[tuple[type[errors.ModeltuiError], int], ...] = (
    (errors.UsageError, USAGE),
    (errors.ConfigError, USAGE),
    (errors.NoSuchModel, NO_SUCH),
    (errors.NoSuchServer, NO_SUCH),
    (errors.NotFound, NO_SUCH),
    (errors.Unreachable, UNREACHABLE),
    (errors.TimedOut, UNREACHABLE),
    (errors.NeedsYes, NEEDS_YES),
)
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_LEFT_S = 1.0  # a second signal may interrupt what would have ended the rest


def run(words: list[str]) -> int:
    """Run the command that `words` name; returns its exit code, never raises for anything foreseen."""
    _fill_streams()
    out = Output(as_json="--json" in words, environ=os.environ)
    try:
        if not words:  # the screens, and no parser for nothing: it costs a fifteenth of their start
            return _screens()
        from modeltui.cli.parser import make_parser

        arguments = make_parser(words).parse_args(words)
        if arguments.version:
            out.text(f"modeltui {__version__}")
            return DONE
        if arguments.command is None:
            if out.json:
                raise errors.UsageError("--json needs a command", remedy="modeltui --help lists them")
            return _screens(server=arguments.server, profile=arguments.profile, demo=arguments.demo)
        code = _run(_until_signal(_command(arguments.command)(arguments, out)))
        out.flush()
        return code
    except errors.ModeltuiError as error:
        out.error(error)
        return exit_code(error)
    except BrokenPipeError:
        return FAILED  # whoever read our answer has gone; nothing more can be said there
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except SystemExit as end:  # argparse, after --help
        return end.code if isinstance(end.code, int) else USAGE
    except Exception as error:
        out.error(errors.defect(error))
        return FAILED


def _fill_streams() -> None:
    """Put the null device where a stream was closed before we began: no file may take its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def exit_code(error: errors.ModeltuiError) -> int:
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def _command(name: str) -> Command:
    """The function of a command; its module is imported only now."""
    from importlib import import_module

    module, function = _COMMANDS[name]
    found: Command = getattr(import_module(f"modeltui.cli.{module}"), function)
    return found


_COMMANDS = {
    "ls": ("models", "ls"),
    "list": ("models", "ls"),
    "show": ("show", "show"),
    "ps": ("running", "ps"),
    "load": ("running", "load"),
    "unload": ("running", "unload"),
    "stop": ("running", "unload"),
    "pull": ("pulls", "pull"),
    "queue": ("pulls", "queue"),
    "outdated": ("updates", "outdated"),
    "upgrade": ("updates", "upgrade"),
    "rm": ("changes", "rm"),
    "cp": ("changes", "cp"),
    "mv": ("changes", "mv"),
    "verify": ("files", "verify"),
    "clean": ("files", "clean"),
    "current": ("current", "current"),
    "switch": ("current", "switch"),
    "sync": ("current", "sync"),
    "recommend": ("recommend", "recommend"),
    "setup": ("setup", "setup"),
    "activity": ("admin", "activity"),
    "config": ("admin", "config"),
    "doctor": ("admin", "doctor"),
    "check": ("check", "check"),
    "catalog": ("catalog", "catalog"),
    "demo": ("demo", "demo"),
}


def _screens(*, server: str | None = None, profile: str | None = None, demo: bool = False) -> int:
    """The full-screen program, which is imported only here."""
    from modeltui.tui.start import run as show

    return _run(show(server=server, profile=profile, demo=demo))


def _run(work: Coroutine[Any, Any, int]) -> int:
    """As asyncio.run, but without waiting for threads: a dead resolver would hold the exit up."""
    import asyncio

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            done, _ = loop.run_until_complete(asyncio.wait(left, timeout=_LEFT_S))
            for task in done:
                _ = task.cancelled() or task.exception()  # looked at, so nobody complains that it was not
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _until_signal(work: Coroutine[Any, Any, int]) -> int:
    """Run `work`; a signal cancels it, so that everything is put back, and decides the exit code."""
    import asyncio

    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    caught: list[int] = []
    handled: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        loop.remove_signal_handler(number)  # a second one ends the program at once
        task.cancel()

    for name in _SIGNALS:
        number = getattr(signal, name, None)
        # One that was ignored when we were started (nohup) stays ignored.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            with contextlib.suppress(NotImplementedError):  # Windows: ctrl+c alone, as asyncio treats it
                loop.add_signal_handler(number, stop, number)
                handled.append(number)
    try:
        return await task
    except asyncio.CancelledError:
        if not caught:
            raise
        return 128 + caught[0]
    except BaseExceptionGroup as group:
        raise _first(group) from None
    finally:
        for number in handled:  # before the loop closes what a signal would be written to
            loop.remove_signal_handler(number)


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
