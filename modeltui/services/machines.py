"""Which machine a server runs on, as far as it is known: written by hand, looked at here, or through ssh."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from modeltui.config.settings import HardwareConfig, ServerConfig
from modeltui.domain.machines.hardware import Host, machine_of_host
from modeltui.domain.machines.machine import KnownMachine, Machine, Origin
from modeltui.domain.models import LoadedModel
from modeltui.errors import ServerError
from modeltui.services.ramspeed import remembered_bandwidth
from modeltui.services.servers import Link
from modeltui.services.tree import Services

if TYPE_CHECKING:
    from modeltui.hardware.here import Here
    from modeltui.hardware.remote import Remote

HERE_MS, REMOTE_MS = 3_000, 30_000  # for how long a look counts


async def machine_of(
    services: Services, link: Link | None, loaded: Sequence[LoadedModel] | None = None
) -> KnownMachine:
    """The machine of that server, or of the active one where `link` is None (it need not answer).

    `loaded` is what it lists as loaded, if the caller knows; else it is asked. Never raises; off the event
    loop.
    """
    server = server_of(services, link)
    written = server.hardware
    listed = await _listed(link, loaded)
    claimed = _in_vram(listed)
    if written is not None and written.gpus is not None and written.ram is not None:
        return KnownMachine(_by_hand(written, None, claimed), _where(services))
    seen = await _look(services, server, link, listed)
    if written is None:
        return seen
    if written.gpus is None and seen.machine is None:
        return replace(seen, why=f"{seen.why}; [servers.{server.name}.hardware] does not name its gpus")
    return KnownMachine(_by_hand(written, seen.machine, claimed), _where(services))


def server_of(services: Services, link: Link | None) -> ServerConfig:
    """The configuration of a linked server; of one that is not configured its address alone."""
    if link is None:
        return services.config.active
    known = (each for each in services.config.servers if each.endpoint.url == link.endpoint.url)
    return next(known, None) or ServerConfig(link.name, link.endpoint, local=link.local)


async def _listed(link: Link | None, loaded: Sequence[LoadedModel] | None) -> Sequence[LoadedModel]:
    """What the server says is loaded; nothing where it doesn't say."""
    if loaded is None and link is not None:
        try:
            loaded = await link.api.loaded()
        except ServerError:
            loaded = ()
    return loaded or ()


def _in_vram(loaded: Sequence[LoadedModel]) -> int:
    """Bytes of VRAM that the server says its models use."""
    return sum(row.vram or 0 for row in loaded)


async def _held_ram(services: Services, loaded: Sequence[LoadedModel]) -> int:
    """Bytes of this machine's RAM that the server's models use: no more than it says, nor than is seen."""
    claimed = sum(max(0, (row.size or 0) - (row.vram or 0)) for row in loaded)
    if not claimed:
        return 0
    from modeltui.hardware.processes import runner_memory

    return min(claimed, await services.looks.recent("runners", HERE_MS, runner_memory))


async def _look(
    services: Services, server: ServerConfig, link: Link | None, loaded: Sequence[LoadedModel]
) -> KnownMachine:
    """This machine where the server is on it, else the one to which ssh leads, else unknown with why."""
    here = await is_on_this_machine(services, server, answers=link is not None)
    if here.here:
        from modeltui.services.serving import with_the_servers

        environ = await with_the_servers(services, server.endpoint.port)
        host = await services.looks.recent("host", HERE_MS, lambda: _host(environ))
        carried = await asyncio.to_thread(remembered_bandwidth, services.paths, host)
        held = await _held_ram(services, loaded)
        machine = machine_of_host(
            host, _in_vram(loaded), origin=Origin.MEASURED, ram_bandwidth=carried, ram_held=held
        )
        return KnownMachine(machine, "this machine", _missing(host, machine))
    if server.ssh is None:
        name = server.name if server.name != server.endpoint.url else "NAME"
        why = f"{here.why}; say in config.toml what it has, [servers.{name}.hardware], or name its ssh"
        return KnownMachine(None, "unknown", why)
    remote = await remote_of(services, server.ssh)
    where = f"ssh {server.ssh}"
    if remote.host is None:
        return KnownMachine(None, where, remote.why)
    machine = machine_of_host(remote.host, _in_vram(loaded), origin=Origin.REMOTE)
    return KnownMachine(machine, where, _missing(remote.host, machine))


async def is_on_this_machine(services: Services, server: ServerConfig, *, answers: bool) -> "Here":
    """Whether that server is on this machine, as seen within some seconds."""
    from modeltui.hardware.here import is_here

    endpoint = server.endpoint
    return await services.looks.recent(
        f"here {endpoint.url} {answers}",
        REMOTE_MS,
        lambda: is_here(endpoint.host, endpoint.port, configured=server.local, answers=answers),
    )


async def remote_of(services: Services, target: str) -> "Remote":
    """What ssh shows of another machine, as seen within some seconds."""
    from modeltui.hardware.remote import read_remote

    return await services.looks.recent(f"ssh {target}", REMOTE_MS, lambda: read_remote(target))


def _missing(host: Host, machine: Machine | None) -> str:
    """What of a machine could not be seen; empty when all was."""
    if machine is None and host.memory is None:
        return "its RAM can't be read"
    if machine is None or not host.gpus.complete:
        return host.gpus.note or "the memory of its GPU can't be read"
    return ""


def _host(environ: Mapping[str, str]) -> Host:
    from modeltui.hardware.here import directory_to_be, models_directories
    from modeltui.hardware.host import read_host

    home = Path.home()
    known = models_directories(environ, home)
    return read_host(known or (directory_to_be(environ, home),))


def _where(services: Services) -> str:
    return str(services.paths.config_file)


def _by_hand(written: HardwareConfig, base: Machine | None, claimed: int) -> Machine:
    """The machine as written, with what is not written as it was seen. What is loaded is held, not free."""
    from modeltui.domain.machines.typedhardware import TypedCards, machine_with

    if written.gpus is None and base is not None:
        machine = replace(base, ram_total=written.ram or base.ram_total)
        machine = replace(machine, ram_free=min(machine.ram_free, machine.ram_total))
    else:
        typed = written.gpus or TypedCards(())
        if written.unified and written.ram:
            typed = replace(typed, shared=written.ram)
        machine = machine_with(typed, written.ram, base, Origin.CONFIGURED)
        machine = _with_held(machine, claimed)
    return replace(
        machine,
        ram_bandwidth=written.ram_bandwidth or machine.ram_bandwidth,
        cores=written.cores or machine.cores,
        origin=Origin.CONFIGURED,
    )


def _with_held(machine: Machine, claimed: int) -> Machine:
    """Take what the server's models use, by its own account, from the free memory of cards nobody can ask."""
    usable = sum(card.free for card in machine.cards)
    held = min(max(0, claimed), usable)
    if not held:
        return machine
    cards = []
    for card in machine.cards:
        share = held * card.free // usable
        cards.append(replace(card, free=card.free - share, held=share))
    return replace(machine, cards=tuple(cards))
