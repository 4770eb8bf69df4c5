"""`verify --scan` and `verify --release`: what models say of themselves, and which are held back for it."""

from argparse import Namespace
from typing import Any

from modeltui.cli.output import Output
from modeltui.cli.table import Column
from modeltui.services.holding import release as let_go
from modeltui.services.scanning import Scanned, Scanning
from modeltui.services.servers import Link
from modeltui.services.tree import Services

COLUMNS = [
    Column("MODEL", 0, is_name=True),
    Column("", 0),
    Column("ABOUT", 1),
    Column("FINDING", 0, least=20),
]


async def scan(services: Services, link: Link, arguments: Namespace, out: Output) -> int:
    """Scan models; 3 when something should be looked at that nobody has released."""
    done = await Scanning(services, link).scan_installed(arguments.models)
    if out.json:
        out.answer([_shape(each) for each in done])
    else:
        _tell(done, out)
    return 3 if any(each.findings and not each.is_released for each in done) else 0


def _tell(done: tuple[Scanned, ...], out: Output) -> None:
    rows = [
        [each.model.shown, _mark(each, finding.is_serious), finding.kind.replace("_", " "), finding.words]
        for each in done
        for finding in each.findings
    ]
    if rows:
        out.table(COLUMNS, rows)
    found = sum(1 for each in done if each.findings)
    held = [each.model.shown for each in done if each.held is not None]
    words = f"{len(done)} models scanned: "
    words += f"something in {found}" if found else "nothing that should be looked at"
    out.text(words + (f", {len(held)} in quarantine" if held else ""))
    for gap in dict.fromkeys(gap for each in done for gap in each.gaps):
        count = sum(1 for each in done if gap in each.gaps)
        out.say(f"{count} of them not wholly: {gap}")
    if held:
        out.say(f"not loaded until released by name: modeltui verify --release {held[0]}")


def _mark(scanned: Scanned, is_serious: bool) -> str:
    if not is_serious:
        return ""
    return "released" if scanned.is_released else "serious"


def _shape(scanned: Scanned) -> dict[str, Any]:
    return {
        "name": scanned.model.shown,
        "digest": scanned.model.digest,
        "quarantined": scanned.held is not None,
        "reason": scanned.held,
        "released": scanned.is_released,
        "findings": [
            {"kind": each.kind, "message": each.words, "serious": each.is_serious}
            for each in scanned.findings
        ],
        "gaps": list(scanned.gaps),
    }


async def release(services: Services, link: Link, arguments: Namespace, out: Output) -> int:
    """Let a quarantined model be loaded again."""
    model, reason = await let_go(services, link, arguments.release)
    if out.json:
        out.answer({"name": model.shown, "digest": model.digest, "released": True, "reason": reason})
    else:
        out.text(f"{model.shown} may be loaded again; it was held because {reason}")
    return 0
