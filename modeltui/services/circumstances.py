"""Gathers what verdicts rest on: the server's machine and environment, the catalog, what is known here."""

import asyncio
from dataclasses import replace

from modeltui.domain.catalog.series import Catalog
from modeltui.domain.machines.machine import KnownMachine
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.models import LoadedModel, Model
from modeltui.errors import ConfigError, ServerError, TimedOut, Unreachable
from modeltui.services.advice import Advice, Circumstance
from modeltui.services.machines import machine_of
from modeltui.services.servers import Link
from modeltui.services.serving import serving_of
from modeltui.services.tree import Services
from modeltui.text import clean_line

Answers = tuple[str | None, tuple[Model, ...], tuple[LoadedModel, ...], tuple[str, ...]]
"""Version, installed and loaded models, and what went wrong."""

_LIMIT_S = 5.0  # what a server knows is good to have; the verdicts stand without it


async def link_if_any(services: Services) -> Link | None:
    """The active server; None, and noted, where its secret is missing: the catalog does without it."""
    try:
        return await services.active()
    except ConfigError as error:
        services.note(error.message)
        return None


async def advice_of(services: Services, link: Link | None, hardware: str | None = None) -> Advice:
    """Verdicts for that server, or for the active one while it does not answer (`link` None).

    `hardware` is a "what if" as people type it; raises UsageError for what describes none. A server that
    fails to answer is told in the circumstance's notes, and what it would have said is unknown.
    """
    if hardware is not None:
        parse_hardware(hardware)  # what cannot be read is said before anything is asked
    return Advice(await circumstance_of(services, link, hardware))


async def asked_of(services: Services, link: Link | None, advice: Advice, model: Model) -> Advice:
    """The same with what the server says of one installed model's shape, asked for where it is not known yet.

    Where it does not say, that is noted, and the model is judged by what is known.
    """
    known, digest = advice.circumstance, model.digest
    if link is None or model.name is None or not digest or model.is_cloud or digest in known.shapes:
        return advice
    from modeltui.services.opening import Opening
    from modeltui.store.measurements import shape_of

    try:
        async with asyncio.timeout(_LIMIT_S):
            shape = shape_of(await Opening(services, link).details(model.name, digest))
    except ServerError as error:
        services.note(error.message)
        return advice
    except TimeoutError:
        services.note(f"{link.endpoint.url} did not describe {model.shown} within {_LIMIT_S:.0f} s")
        return advice
    return Advice(replace(known, shapes={**known.shapes, digest: shape})) if shape else advice


async def circumstance_of(
    services: Services,
    link: Link | None,
    hardware: str | None = None,
    *,
    catalog: Catalog | None = None,
    answers: Answers | None = None,
) -> Circumstance:
    """Gather it all; about 50 ms beside what the server takes, nothing of it on the event loop for long.

    Who has a catalog or the server's answers already gives them.
    """
    if catalog is None:
        from modeltui.catalog.loading import load

        catalog = await asyncio.to_thread(load, services.paths)
    version, installed, loaded, notes = answers or await _asked(link)
    there = link if version is not None else None  # one that does not answer may still be on this machine
    known, serving = await asyncio.gather(
        machine_of(services, there, loaded), serving_of(services, there, version, loaded)
    )
    here = services.store.measurements
    server_id = link.id if link is not None else services.links.id_of(services.config.active)
    found = Circumstance(
        machine=known,
        serving=serving,
        catalog=catalog,
        installed=installed,
        loaded=loaded,
        measurements=services.recall(lambda: here.of_server(server_id), ()),
        shapes=services.recall(here.shapes, {}),
        notes=(*notes, *catalog.notes),
    )
    return found if hardware is None else with_hardware(found, hardware)


def with_hardware(circumstance: Circumstance, hardware: str) -> Circumstance:
    """The same on other hardware, as typed; raises UsageError for what describes none."""
    machine = parse_hardware(hardware, circumstance.machine.machine)
    return replace(circumstance, machine=KnownMachine(machine, f"simulated: {clean_line(hardware).strip()}"))


async def _asked(link: Link | None) -> Answers:
    """Version, installed and loaded models, and what went wrong; all unknown where nothing answers."""
    if link is None:
        return None, (), (), ()
    api = link.api
    try:
        async with asyncio.timeout(_LIMIT_S):
            version, installed, loaded = await asyncio.gather(
                api.version(), api.models(), api.loaded(), return_exceptions=True
            )
    except TimeoutError:
        return None, (), (), (f"{link.endpoint.url} did not answer within {_LIMIT_S:.0f} s",)
    notes = []
    for answer in (version, installed, loaded):
        if isinstance(answer, Unreachable | TimedOut):
            notes = [f"{answer.message}: judged without what the server knows"]
            break
        if isinstance(answer, ServerError):
            notes.append(answer.message)
        elif isinstance(answer, BaseException):
            raise answer
    return (
        version if isinstance(version, str) else None,
        installed if isinstance(installed, tuple) else (),
        loaded if isinstance(loaded, tuple) else (),
        tuple(dict.fromkeys(notes)),
    )
