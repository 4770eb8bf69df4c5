"""How fast this machine's RAM is: measured once on request, and remembered in the state directory."""

import asyncio
import json
import platform
from pathlib import Path

from modeltui.domain.machines.hardware import Host
from modeltui.errors import ModeltuiError
from modeltui.paths import Paths, write_private
from modeltui.services.tree import Services

_LARGEST = 4096
_LEAST, _MOST = 1e8, 1e14  # bytes a second; a file may have been written by anybody


async def measure_ram(services: Services) -> float:
    """Measure for about a second off the event loop and remember it: bytes a second. Raises ModeltuiError."""
    from modeltui.hardware.host import read_host
    from modeltui.hardware.rambandwidth import measure_ram_bandwidth

    carried = await asyncio.to_thread(measure_ram_bandwidth)
    if carried is None:
        raise ModeltuiError(
            "too little memory is free to measure its speed in", remedy="unload models, and try again"
        )
    host = await asyncio.to_thread(read_host, ())
    row = {"machine": _identity(host), "ram_bandwidth": round(carried), "at": services.clock()}
    try:
        await asyncio.to_thread(write_private, _file(services.paths), json.dumps(row) + "\n")
    except OSError as error:
        services.note(
            f"{_file(services.paths)} cannot be written: {error.strerror}; this will not be remembered"
        )
    return carried


def remembered_bandwidth(paths: Paths, host: Host) -> float | None:
    """Bytes a second as last measured on this very machine; None where nobody has."""
    try:
        with _file(paths).open("rb") as file:
            row = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return None
    carried = row.get("ram_bandwidth") if isinstance(row, dict) else None
    if (
        not isinstance(carried, int | float)
        or isinstance(carried, bool)
        or row.get("machine") != _identity(host)
    ):
        return None
    return float(carried) if _LEAST <= carried <= _MOST else None


def _file(paths: Paths) -> Path:
    return paths.state / "ram.json"


def _identity(host: Host) -> str:
    """What tells machines apart that share a home directory."""
    memory = host.memory.total >> 30 if host.memory else None
    return f"{platform.node()}, {host.cpu.model}, {host.cpu.cores} cores, {memory} GiB"
