"""Runs a shell command on a pseudo-terminal until it shows the screens, then quits them: for .ci/run.

    python3 tests/opens.py 'COMMAND'

Needs nothing but Python. Exit code 0 when a model was seen, `q` was pressed and the program ended with 0.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

SEEN, QUIT, PATIENCE_S = b"qwen3:8b", b"q", 300


def main(command: str) -> int:
    """Run `command`; returns 0 when the screens opened and closed."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp("bash", ["bash", "-euo", "pipefail", "-c", command])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    got, asked, deadline = b"", False, time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            data = os.read(terminal, 65_536)
        except OSError:  # EIO: it has ended
            break
        if not data:
            break
        got += data
        if not asked and SEEN in got:
            os.write(terminal, QUIT)
            asked = True
    else:
        os.kill(process, 9)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if not asked or code:
        sys.stdout.write(got.decode("utf-8", "replace"))
    return 0 if asked and code == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
