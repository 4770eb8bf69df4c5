"""`rm`, `cp` and `mv`: questions first, then changes that lose nothing."""

from argparse import Namespace

from modeltui.cli.output import Output
from modeltui.cli.session import confirm, session
from modeltui.domain.models import find
from modeltui.domain.names import from_typed
from modeltui.services.changing import Changing, Removal
from modeltui.services.words import freed_words, removal_words, why_dear
from modeltui.text import clean_line


async def rm(arguments: Namespace, out: Output) -> int:
    """Delete models: says what is freed, asks once, and again for current and loaded ones."""
    async with session(arguments, out) as services:
        link = await services.active()
        changing = Changing(services, link)
        removals = await changing.plan_removal(arguments.models)
        if not out.json:
            for removal in removals:
                out.say(removal_words(removal))
        count = f"these {len(removals)} models" if len(removals) > 1 else removals[0].model.shown
        await confirm(f"Delete {count} from {link.name}?", yes=arguments.yes, out=out)
        dear = [removal for removal in removals if removal.is_current or removal.is_loaded]
        if dear:
            names = ", ".join(f"{each.model.shown} ({why_dear(each)})" for each in dear)
            await confirm(f"Really delete {names}?", yes=arguments.force, out=out, option="--force")
        done = await changing.remove(removals)
        if out.json:
            out.answer([_removed(each.removal, each.error is None) for each in done])
        else:
            for each in done:
                if each.error is None:
                    out.text(f"deleted {each.removal.model.shown} · {freed_words(each.removal)}")
        failures = [each.error for each in done if each.error is not None]
        for error in failures[:-1]:
            out.error(error)
        if failures:
            raise failures[-1]
    return 0


def _removed(removal: Removal, is_done: bool) -> dict[str, object]:
    return {
        "name": removal.model.shown,
        "deleted": is_done,
        "freed": removal.freed,
        "shared_with": list(removal.shared_with),
        "current": removal.is_current,
        "loaded": removal.is_loaded,
    }


async def cp(arguments: Namespace, out: Output) -> int:
    """Copy; a name that is taken is overwritten only after a yes."""
    return await _copy(arguments, out, rename=False)


async def mv(arguments: Namespace, out: Output) -> int:
    """Rename; on any error the original stays."""
    return await _copy(arguments, out, rename=True)


async def _copy(arguments: Namespace, out: Output, *, rename: bool) -> int:
    async with session(arguments, out) as services:
        link = await services.active()
        changing = Changing(services, link)
        taken = find(await link.api.models(), from_typed(arguments.destination))
        overwrite = arguments.yes
        if taken is not None and not overwrite:
            await changing.check_copy(arguments.source, arguments.destination)
            await confirm(f"{taken.shown} exists. Overwrite it?", yes=False, out=out)
            overwrite = True
        act = changing.rename if rename else changing.copy
        name = await act(arguments.source, arguments.destination, overwrite=overwrite)
        if out.json:
            out.answer({"source": arguments.source, "destination": name.short})
        else:
            verb = "renamed" if rename else "copied"
            out.text(f"{verb} {clean_line(arguments.source)} to {name.short}")
    return 0
