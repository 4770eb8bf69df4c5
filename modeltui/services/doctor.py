"""Doctor: looks at everything that modeltui stands on, and says what is wrong with its remedy."""

import asyncio
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from shlex import quote

from modeltui.domain.machines.hardware import Gpu
from modeltui.domain.machines.machine import KnownMachine
from modeltui.domain.models import ModelState
from modeltui.domain.units import size, speed
from modeltui.errors import ModeltuiError, StoreError
from modeltui.services.library import Library
from modeltui.services.machines import machine_of
from modeltui.services.ramspeed import measure_ram
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.text import clean_line

_LONGEST_PATH = 4096


class Grade(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    subject: str
    grade: Grade
    words: str
    remedy: str | None = None


async def examine(services: Services, *, measures_ram: bool = False) -> tuple[Check, ...]:
    """All checks but the terminal's, which belongs to whoever shows them; never raises ModeltuiError.

    `measures_ram`: also how fast this machine's RAM is, which takes a second or two, and remember it.
    """
    checks = [*_configuration(services), *_database(services), *_rights(services)]
    checks += await asyncio.to_thread(_catalog, services)
    if measures_ram:
        checks.append(await _ram(services))
    try:
        link = await services.active()
    except ModeltuiError as error:
        return (*checks, Check("server", Grade.ERROR, error.message, error.remedy))
    checks += await _server(services, link)
    checks += await asyncio.to_thread(_hardware, services, link)
    checks.append(_machine(await machine_of(services, link)))
    return tuple(checks)


def _configuration(services: Services) -> list[Check]:
    config, path = services.config, services.paths.config_file
    words = str(path) if path.exists() else f"{path} does not exist: defaults are used"
    checks = [Check("configuration", Grade.OK, words)]
    checks += [Check("configuration", Grade.WARNING, problem) for problem in config.problems]
    if config.unknown:
        words = f"unknown keys: {', '.join(config.unknown)}"
        checks.append(Check("configuration", Grade.WARNING, words, "correct or remove them"))
    return checks


def _catalog(services: Services) -> list[Check]:
    from modeltui.catalog.loading import load

    catalog = load(services.paths)
    day = (catalog.as_of or "an unknown day")[:10]
    checks = [Check("catalog", Grade.OK, f"{len(catalog.series)} series, of {day}")]
    return checks + [Check("catalog", Grade.WARNING, problem) for problem in catalog.problems]


def _database(services: Services) -> list[Check]:
    trouble = services.store.trouble
    if trouble is not None:
        return [Check("database", Grade.ERROR, trouble.message, trouble.remedy)]
    try:
        services.store.check()
    except StoreError as error:
        return [Check("database", Grade.ERROR, error.message, error.remedy)]
    return [Check("database", Grade.OK, str(services.paths.database))]


def _rights(services: Services) -> list[Check]:
    """Directories are 0700, files 0600; wider rights are named with the command that mends them."""
    paths = services.paths
    found: list[Check] = []
    for directory in (paths.config, paths.state, paths.cache):
        for path in (directory, *_files(directory)):
            try:
                mode = stat.S_IMODE(path.stat().st_mode)
            except OSError:
                continue
            right = 0o700 if path.is_dir() else 0o600
            if mode & ~right & 0o077:
                shown = clean_line(str(path), _LONGEST_PATH)
                words = f"{shown} is open to others ({mode:04o})"
                # A name that cannot be shown as it is cannot be typed as it is shown.
                remedy = f"chmod {right:o} {quote(str(path))}" if shown == str(path) else None
                found.append(Check("rights", Grade.WARNING, words, remedy))
    return found or [Check("rights", Grade.OK, "directories 0700, files 0600")]


def _files(directory: Path) -> Iterable[Path]:
    try:
        return [path for path in directory.rglob("*") if path.suffix != ".lock"]
    except OSError:
        return []


async def _server(services: Services, link: Link) -> list[Check]:
    began = time.monotonic()
    try:
        version = await link.api.version()
        latency = round((time.monotonic() - began) * 1000)
        listing = await Library(services, link).listing()
    except ModeltuiError as error:
        return [Check("server", Grade.ERROR, f"{error.message} ({link.endpoint.url})", error.remedy)]
    words = (
        f"{link.name} at {link.endpoint.url}: Ollama {version or 'of unknown (old) version'}, {latency} ms"
    )
    checks = [Check("server", Grade.OK, words)]
    if link.endpoint.is_plain_remote:
        words = f"{link.endpoint.url} is plain http to another machine: others on the way can read and act"
        checks.append(Check("server", Grade.WARNING, words, "tunnel it (ssh -L) or put TLS before it"))
    damaged = [entry.model.shown for entry in listing.entries if entry.state is ModelState.DAMAGED]
    checks.append(Check("models", Grade.OK, f"{len(listing.entries)} installed"))
    checks += [
        Check("models", Grade.WARNING, f"{name} is damaged", f"modeltui pull {name}") for name in damaged
    ]
    if listing.missing is not None:
        name = listing.missing.name.short
        words = f"the current model {name} is not installed"
        checks.append(Check("models", Grade.WARNING, words, f"modeltui pull {name}"))
    return checks


def _hardware(services: Services, link: Link) -> list[Check]:
    """GPUs of this machine, which are the server's only when it runs here."""
    from modeltui.hardware.gpus import read_gpus
    from modeltui.hardware.here import is_here

    here = is_here(link.endpoint.host, link.endpoint.port, configured=link.local)
    gpus = read_gpus()
    checks = [Check("gpu", Grade.OK, _gpu_words(gpu)) for gpu in gpus.cards]
    if gpus.driver:
        knows = f", knows CUDA up to {gpus.cuda}" if gpus.cuda else ""
        checks.append(Check("gpu", Grade.OK, f"NVIDIA driver {gpus.driver}{knows}"))
    if gpus.note:
        checks.append(Check("gpu", Grade.OK, gpus.note))
    if not here.here:
        note = f"the server is not on this machine ({here.why}): this hardware is not its own"
        checks.append(Check("gpu", Grade.OK, note))
    return checks


async def _ram(services: Services) -> Check:
    try:
        carried = await measure_ram(services)
    except ModeltuiError as error:
        return Check("ram", Grade.WARNING, error.message, error.remedy)
    return Check("ram", Grade.OK, f"RAM of this machine moves {speed(carried)} (measured, and remembered)")


def _machine(known: KnownMachine) -> Check:
    """What estimates take the server's machine to be, and where that comes from."""
    machine = known.machine
    if machine is None:
        return Check("machine", Grade.OK, f"what the server runs on is not known: {known.why}")
    cards = ", ".join(f"{card.name} {size(card.total)}" for card in machine.cards) or "no GPU"
    moved = speed(machine.ram_bandwidth) if machine.ram_bandwidth else "of unknown speed"
    words = f"estimates count on {cards}, {size(machine.ram_total)} of RAM {moved} ({known.words})"
    return Check("machine", Grade.OK, f"{words}; {known.why}" if known.why else words)


def _gpu_words(gpu: Gpu) -> str:
    """A card's facts that are known, in words."""
    words = [gpu.name]
    if gpu.is_unified:
        words.append("in the machine's own memory")
    else:
        words += [size(gpu.total), f"{size(gpu.free)} free"]
    if gpu.bandwidth:
        words.append(speed(gpu.bandwidth))
    if gpu.compute:
        words.append(f"compute capability {gpu.compute[0]}.{gpu.compute[1]}")
    return ", ".join(words)
