"""Ends the program in order and in time, whatever signal comes and whatever happens to the terminal.

One thread watches. Signals reach it through `signal.set_wakeup_fd`, so it hears them even while the thread of
the event loop waits for a terminal that does not read, or is held up in C. It asks the program to end, and
when that has not happened within the grace it puts the terminal back itself and ends the process.
"""

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

if sys.platform != "win32":
    import termios

INPUT, OUTPUT = 0, 2
"""Where Textual reads and where it paints."""
LAST_WORDS_S = 0.3
"""How long a terminal that does not read is tried."""
_HUNG_UP = 129
_ENOUGH = 0  # in place of a signal's number: the watcher shall go

# First out of a sequence that was cut short, and out of a frame that was begun (2026). Then all that Textual
# may have switched on: mouse, pasting (2004), sizes (2048), no wrap (7), kitty's keys, the alternate screen,
# a hidden cursor, focus events (1004).
LAST_WORDS = b"\x1b\\" + b"".join(
    b"\x1b[" + words
    for words in (
        *(b"?2026l", b"?1000l", b"?1002l", b"?1003l", b"?1006l", b"?1015l", b"?1016l", b"?2004l", b"?2048l"),
        *(b"?7h", b"<u", b"0m", b"?1049l", b"?25h", b"?1004l"),
    )
)


class Leaving:
    """From `install` to `uninstall` SIGINT, SIGTERM, SIGHUP and the loss of the terminal end the program.

    `code` is the exit code that this demands (128 + signal), None while nothing has come. On Windows nothing
    is installed.
    """

    def __init__(self, grace_s: float = 2.0) -> None:
        self.code: int | None = None
        self._grace_s = grace_s
        self._deadline: float | None = None
        self._asked_by_person = 0
        self._ask: Callable[[int], None] = _nobody
        self._handlers: dict[int, Any] = {}
        self._attributes: list[Any] | None = None
        self._pipe: tuple[int, int] | None = None
        self._woke_before = -1
        self._watcher: threading.Thread | None = None

    def install(self, ask: Callable[[int], None]) -> None:
        """Begin, in the main thread. `ask(code)` asks the program to end; it is called once, by a thread."""
        if sys.platform == "win32":
            return
        self._ask = ask
        with contextlib.suppress(termios.error, OSError):  # no terminal, or none any more
            self._attributes = termios.tcgetattr(INPUT)
        self._pipe = os.pipe()
        for end in self._pipe:
            os.set_blocking(end, False)
        self._woke_before = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            handler = signal.getsignal(number)
            if handler not in (signal.SIG_IGN, None):  # what was ignored before (nohup) stays ignored
                self._handlers[number] = handler
                signal.signal(number, _leave_it_to_the_watcher)
        self._watcher = threading.Thread(
            target=self._watch, args=(self._pipe[0],), name="leaving", daemon=True
        )
        self._watcher.start()

    def uninstall(self) -> None:
        """The program has ended in order: put everything back; no deadline stands any more."""
        if self._pipe is None or self._watcher is None:
            return
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()
        signal.set_wakeup_fd(self._woke_before)
        with contextlib.suppress(BlockingIOError):  # full of signals; the watcher is a daemon
            os.write(self._pipe[1], bytes([_ENOUGH]))
        self._watcher.join(1)
        for end in self._pipe:
            os.close(end)
        self._pipe = self._watcher = None

    def suspend(self) -> None:
        """The terminal was given back (ctrl+z): until `resume`, in the main thread, signals kill at once.

        A shell that kills a suspended job also continues it; Textual would reach for the terminal, which is
        the shell's, and be stopped again before anything else could be done.
        """
        for number in self._handlers:
            signal.signal(number, signal.SIG_DFL)

    def resume(self) -> None:
        """The terminal is the program's again."""
        for number in self._handlers:
            signal.signal(number, _leave_it_to_the_watcher)

    def _watch(self, signals: int) -> None:
        # Signals are the main thread's; and SIGTTOU, blocked, does not stop the writing of last words.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        poll = select.poll()
        poll.register(signals, select.POLLIN)
        if os.isatty(INPUT):
            poll.register(INPUT, 0)  # nothing but that it is gone
        while True:
            for handle, event in poll.poll(self._patience_ms()):
                if handle == signals:
                    numbers = os.read(signals, 1024)
                    if _ENOUGH in numbers:
                        return
                    for number in numbers:
                        self._take(number)
                else:
                    poll.unregister(INPUT)
                    if event & (select.POLLHUP | select.POLLERR):  # macOS may say that it cannot tell
                        # Textual's writer would end at the first error, and the event loop wait for it.
                        _lead_nowhere()
                        self._leave(_HUNG_UP)
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self._end()
                return

    def _patience_ms(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic()) * 1000

    def _take(self, number: int) -> None:
        if number not in self._handlers:  # SIGWINCH and the like: of no concern here
            return
        self._asked_by_person += number in (signal.SIGINT, signal.SIGTERM)
        self._leave(128 + number)
        if self._asked_by_person > 1:
            self._deadline = time.monotonic()

    def _leave(self, code: int) -> None:
        """Ask for the end in order, once, and set the deadline."""
        if self.code is not None:
            return
        self.code = code
        self._deadline = time.monotonic() + self._grace_s
        with contextlib.suppress(Exception):  # the event loop may be closed; the deadline holds all the same
            self._ask(code)

    def _end(self) -> None:
        """Out, whatever the event loop does."""
        if not _is_in_background():
            if self._attributes is not None:
                with contextlib.suppress(termios.error, OSError):
                    termios.tcsetattr(INPUT, termios.TCSANOW, self._attributes)
            with contextlib.suppress(termios.error, OSError):
                _say_last_words()
        os._exit(self.code or 0)


def _nobody(code: int) -> None:
    """Nobody is asked."""


def _leave_it_to_the_watcher(number: int, frame: object) -> None:
    """That there is a handler keeps the signal from killing; the wake-up descriptor carries it on."""


def _is_in_background() -> bool:
    """Whether the terminal is somebody else's now (a shell's, after ctrl+z)."""
    try:
        return os.tcgetpgrp(INPUT) != os.getpgrp()
    except OSError:  # no terminal, or none that controls us
        return False


def _lead_nowhere() -> None:
    """Put the null device in the place of the terminal."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)


def _say_last_words() -> None:
    """Switch off what Textual switched on; what a terminal that does not read was still to get is dropped."""
    if not os.isatty(OUTPUT):
        return
    terminal = os.dup(OUTPUT)
    _lead_nowhere()
    # The shell shares this setting, so it is put back. It makes a writer that hangs give up.
    os.set_blocking(terminal, False)
    try:
        words, end = LAST_WORDS, time.monotonic() + LAST_WORDS_S
        while words and time.monotonic() < end:
            try:
                words = words[os.write(terminal, words) :]
            except BlockingIOError:
                termios.tcflush(terminal, termios.TCOFLUSH)
                for flow in (termios.TCOOFF, termios.TCOON):  # on Linux this alone wakes a writer that waits
                    termios.tcflow(terminal, flow)
                time.sleep(0.01)
    finally:
        os.set_blocking(terminal, True)
