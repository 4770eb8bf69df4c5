"""`verify` and `clean`: the server's files on this machine, read, compared, moved aside and removed."""

import asyncio
import errno
import gc
import os
from argparse import Namespace
from typing import Any

from modeltui.cli.output import Output
from modeltui.cli.pulls import pull_and_wait
from modeltui.cli.scanning import release, scan
from modeltui.cli.session import confirm, session
from modeltui.cli.table import Column
from modeltui.domain import units
from modeltui.domain.layout import cut
from modeltui.errors import Declined, NeedsYes
from modeltui.modeldir.hashing import Reading
from modeltui.modeldir.reading import ASIDE, Pile, Unread
from modeltui.services.cleaning import Cleaned, Cleaning, Litter, Plan
from modeltui.services.detaching import can_detach, ensure_runner
from modeltui.services.pulls import Pulls
from modeltui.services.repulling import Mending, Repulling, says_unpulled
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.services.verifying import Check, Fault, Verified, Verifying
from modeltui.text import clean_line

WATCH_S = 0.25
BAR = 20
COLUMNS = [
    Column("WHAT", 0),
    Column("FILE", 0, least=19),
    Column("SIZE", 0, right=True),
    Column("AGE", 2, right=True),
    Column("", 0, least=8),
]


async def verify(arguments: Namespace, out: Output) -> int:
    """Read every blob and compare; 3 when something should be looked at. Or scan, or release."""
    gc.enable()
    async with session(arguments, out) as services:
        link = await services.active()
        if arguments.release is not None:
            return await release(services, link, arguments, out)
        if arguments.scan:
            return await scan(services, link, arguments, out)
        verifying = Verifying(services, link)
        check = await verifying.plan(arguments.models)
        found = await _watched(verifying, check, services, out)
        if arguments.quarantine and found.corrupt:
            found = await verifying.quarantine(found)
        if not out.json:
            _tell(found, services.clock(), out)
        mending = await Repulling(services, link).sort(check, found)
        queued = await _pull_again(services, link, mending, arguments, out)
        if out.json:
            out.answer(_verified(found, mending, queued))
    return 0 if found.is_good else 3


async def _watched(verifying: Verifying, check: Check, services: Services, out: Output) -> Verified:
    """Verify, with a bar where talk goes to a terminal."""
    began, reading = services.clock(), check.reading
    work = asyncio.create_task(verifying.verify(check))
    try:
        while not work.done():
            if out.talks_to_terminal and not out.json:
                out.raw_talk(f"\r{_bar(reading, services.clock() - began, out.talk_width - 1)}\x1b[K")
            await asyncio.wait({work}, timeout=WATCH_S)
    finally:
        work.cancel()
        await asyncio.wait({work})
        if out.talks_to_terminal and not out.json:
            out.raw_talk("\r\x1b[K")
    return work.result()


def _bar(reading: Reading, ms: int, width: int) -> str:
    """How far it is: bar, percent, bytes, speed, time left; cut where it is narrow."""
    done, total = reading.done, max(1, reading.total)
    speed = done * 1000 / ms if ms > 0 else 0
    full = min(BAR, done * BAR // total)
    words = [
        f"verifying  {'▇' * full}{'░' * (BAR - full)} {min(100, done * 100 // total):3d} %",
        f"{units.size(done)} of {units.size(reading.total)}",
    ]
    if speed:
        left = max(0, total - done) / speed * 1000
        words += [units.speed(speed), f"{units.span(left)} left"]
    return cut("  ".join(words), width)


def _tell(found: Verified, now: int, out: Output) -> None:
    """What was found as a table, then one line, then what mends it."""
    rows = [_fault("corrupt", fault) for fault in found.corrupt]
    rows += [_fault("missing", fault) for fault in found.missing]
    rows += [_pile("orphaned", pile, now) for pile in found.orphans]
    rows += [_pile("partial", pile, now) for pile in found.partials]
    rows += [_pile("partial", pile, now, "being written") for pile in found.being_written]
    if rows:
        out.table(COLUMNS, rows)
    _tell_unread(found.unread, out)
    models, files = units.counted(found.models, "model"), units.counted(found.blobs, "file")
    read = f"{models}, {files}, {units.size(found.size)} read in "
    read += units.duration(found.took_ms)
    if found.took_ms >= 1000:
        read += f" ({units.speed(found.size * 1000 / found.took_ms)})"
    counts = [
        f"{len(files)} {what}"
        for what, files in (
            ("corrupt", found.corrupt),
            ("missing", found.missing),
            ("orphaned", found.orphans),
            ("partial", found.partials),
            ("unreadable", found.unread),
        )
        if files
    ]
    out.text(f"{read}: {', '.join(counts) or 'every byte is as it should be'}")
    root = clean_line(str(found.root))
    if found.strays:
        out.say(f"{len(found.strays)} files of no known kind lie in {root}/blobs, and are left alone")
    if found.aside:
        held = units.size(sum(file.held for file in found.aside))
        out.say(f"{len(found.aside)} files in quarantine hold {held}: {root}/{ASIDE}")
    for fault in found.corrupt:
        if fault.moved_to is not None:
            out.say(
                f"moved aside: {clean_line(str(fault.moved_to))}; moving it back to {root}/blobs undoes it"
            )
    if any(fault.moved_to is None for fault in found.corrupt):
        out.say("modeltui verify --quarantine moves what is corrupt aside, so that a pull brings it anew")
    if found.orphans or found.partials:
        out.say("modeltui clean removes orphaned files and partial downloads")


def _tell_unread(unread: tuple[Unread, ...], out: Output) -> None:
    for entry in unread:
        out.say(f"not read: {entry.path}: {entry.why}")


def _fault(what: str, fault: Fault) -> list[str]:
    return [what, _short(fault.digest), units.size(fault.size), "", ", ".join(fault.models)]


def _pile(what: str, pile: Pile, now: int, words: str = "") -> list[str]:
    return [what, _short(pile.digest), units.size(pile.held), units.span(now - pile.modified), words]


def _short(digest: str) -> str:
    """The beginning of a blob's file name, which tells it from the others."""
    return digest.replace(":", "-")[:19]


async def _pull_again(
    services: Services, link: Link, mending: Mending, arguments: Namespace, out: Output
) -> list[int]:
    """Offer to pull what a pull mends; the numbers of the transfers."""
    for each in () if out.json else mending.unpulled:
        out.say(says_unpulled(each))
    names = mending.pulled
    if not names:
        return []
    listed = ", ".join(name.short for name in names)
    try:
        await confirm(f"Pull {listed} again?", yes=arguments.yes, out=out)
    except (Declined, NeedsYes):
        if not out.json:
            out.say(f"pull again what lacks a file: modeltui pull {' '.join(name.short for name in names)}")
        return []
    if not out.json:
        await pull_and_wait(services, link, [name.short for name in names], out)
        return []
    numbers = [Pulls(services).enqueue(link, name)[0].number for name in names]
    if can_detach(services):
        ensure_runner(services)
    return numbers


async def clean(arguments: Namespace, out: Output) -> int:
    """Show what lies there for nothing, ask, and remove it."""
    gc.enable()
    async with session(arguments, out) as services:
        link = await services.active()
        cleaning = Cleaning(services, link)
        plan = await cleaning.plan()
        if not out.json:
            _tell_plan(plan, services.clock(), out)
        done = None
        if plan.removable and not arguments.dry_run:
            held = units.size(sum(each.pile.held for each in plan.removable))
            count = f"these {len(plan.removable)}" if len(plan.removable) > 1 else "this"
            question = f"Remove {count} ({held}) from {clean_line(str(plan.root))}?"
            await confirm(question, yes=arguments.yes, out=out)
            done = await cleaning.clean(plan)
        if out.json:
            out.answer(_cleaned(plan, done))
        elif done is not None:
            for left in done.left:
                out.say(f"left: {left.file.name}: {left.why}")
            if any(left.why == os.strerror(errno.EACCES) for left in done.left):
                out.say("run this as the user that the files belong to")
            removed = units.counted(len(done.removed), "file")
            out.text(f"removed {removed}, {units.size(done.freed)} are free again")
    return 1 if done is not None and done.left and not done.removed else 0


def _tell_plan(plan: Plan, now: int, out: Output) -> None:
    rows = [
        _pile(each.kind, each.pile, now, f"stays: {each.kept}" if each.kept else "") for each in plan.litter
    ]
    if rows:
        out.table(COLUMNS, rows)
    _tell_unread(plan.unread, out)
    if plan.doubts:
        out.say(f"no file is called orphaned: {plan.doubts}")
    if not plan.removable:
        out.text(f"nothing lies in {clean_line(str(plan.root))} that could be removed")


def _verified(found: Verified, mending: Mending, queued: list[int]) -> dict[str, Any]:
    """The JSON of `verify`."""
    return {
        "directory": str(found.root),
        "models": found.models,
        "files": found.blobs,
        "size": found.size,
        "duration_ms": found.took_ms,
        "corrupt": [_fault_shape(fault) for fault in found.corrupt],
        "missing": [_fault_shape(fault) for fault in found.missing],
        "orphaned": [_pile_shape(pile) for pile in found.orphans],
        "partial": [_pile_shape(pile) for pile in found.partials],
        "being_written": [_pile_shape(pile) for pile in found.being_written],
        "unreadable": [{"path": entry.path, "reason": entry.why} for entry in found.unread],
        "unknown": list(found.strays),
        "quarantined": [file.name for file in found.aside],
        "queued": queued,
        "not_pulled": [
            {"model": each.name.short, "made_here": True if each.is_made else None, "reason": each.why}
            for each in mending.unpulled
        ],
    }


def _fault_shape(fault: Fault) -> dict[str, Any]:
    moved = str(fault.moved_to) if fault.moved_to is not None else None
    return {"digest": fault.digest, "size": fault.size, "models": list(fault.models), "moved_to": moved}


def _pile_shape(pile: Pile) -> dict[str, Any]:
    return {
        "digest": pile.digest,
        "files": [file.name for file in pile.files],
        "size": pile.size,
        "on_disk": pile.held,
        "modified": units.iso(pile.modified),
    }


def _cleaned(plan: Plan, done: Cleaned | None) -> dict[str, Any]:
    """The JSON of `clean`; `freed` is null where nothing was removed."""
    return {
        "directory": str(plan.root),
        "found": [_litter_shape(each) for each in plan.litter],
        "doubts": plan.doubts,
        "unreadable": [{"path": entry.path, "reason": entry.why} for entry in plan.unread],
        "removed": [file.name for file in done.removed] if done else [],
        "left": [{"file": each.file.name, "reason": each.why} for each in done.left] if done else [],
        "freed": done.freed if done else None,
    }


def _litter_shape(litter: Litter) -> dict[str, Any]:
    return {"kind": litter.kind, **_pile_shape(litter.pile), "kept": litter.kept}
