"""Alone responsible for what this system tells of other programs: their names, and their environments."""

import shlex
import subprocess
from collections.abc import Mapping

from modeltui.domain.machines.hardware import is_runner
from modeltui.text import clean_line

_LONGEST_S = 5.0
_LARGEST = 64 * 1024


def process_name(pid: int) -> str | None:
    """The name of a running program, cleaned; None where there is none or its owner hides it."""
    import psutil

    try:
        return clean_line(psutil.Process(pid).name()) or None
    except (psutil.Error, OSError, ValueError, OverflowError):
        return None


def runner_memory() -> int:
    """Bytes of RAM that runners on this machine have for themselves, so that ending them gives it back.

    Pages of a mapped file are not counted: the system counts them as available already. 0 where that can't
    be told.
    """
    import psutil

    own = 0
    try:
        for process in psutil.process_iter(["name", "cmdline", "memory_info"]):
            memory = process.info["memory_info"]
            if memory is not None and is_runner(process.info["name"] or "", process.info["cmdline"] or []):
                own += max(0, memory.rss - getattr(memory, "shared", memory.rss))
    except (psutil.Error, OSError):
        return 0
    return own


def server_environment(port: int) -> Mapping[str, str] | None:
    """The OLLAMA_ variables with which the program was started that listens on a TCP port of this machine.

    None where nobody listens or the program belongs to somebody else, who alone (and root) may read it.
    """
    import psutil

    try:
        listening = [c for c in psutil.net_connections(kind="tcp") if c.status == psutil.CONN_LISTEN]
        pids = {c.pid for c in listening if c.laddr and c.laddr.port == port and c.pid}
        found = [psutil.Process(pid).environ() for pid in sorted(pids)]
    except (psutil.Error, OSError, RuntimeError, NotImplementedError):
        return None
    return ollama_variables(found[0]) if len(found) == 1 else None


def ollama_variables(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Those variables that steer Ollama, cleaned: the others may be secrets, and nobody's business."""
    chosen = {key: value for key, value in environment.items() if key.startswith("OLLAMA_")}
    return {clean_line(key): clean_line(value) for key, value in chosen.items()}


def unit_environment(unit: str = "ollama") -> Mapping[str, str] | None:
    """The OLLAMA_ variables of a systemd service that runs; None where there is none or it doesn't run."""
    command = ["systemctl", "show", unit, "-p", "ActiveState", "-p", "Environment"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LONGEST_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return environment_of_unit(done.stdout[:_LARGEST].decode("utf-8", "replace"))


def environment_of_unit(text: str) -> Mapping[str, str] | None:
    """The OLLAMA_ variables in lines of `systemctl show`: ActiveState=…, Environment=A=1 "B=two words"."""
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if lines.get("ActiveState") != "active":
        return None
    try:
        words = shlex.split(lines.get("Environment", ""))
    except ValueError:
        return None
    return ollama_variables(dict(word.split("=", 1) for word in words if "=" in word))
