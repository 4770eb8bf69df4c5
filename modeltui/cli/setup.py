"""`setup`: the first start without a screen: a server that runs, a model that suits it, a current one."""

from argparse import Namespace
from dataclasses import dataclass
from typing import Any

from modeltui.cli.output import Output
from modeltui.cli.pulls import pull_and_wait
from modeltui.cli.recommend import Said, ranked_shape, read_words
from modeltui.cli.session import confirm, session
from modeltui.domain.advice.reasons import Ranked
from modeltui.errors import Unreachable
from modeltui.services.firststart import bring_up, offer_words, offered
from modeltui.services.servers import Link
from modeltui.services.starting import find_start
from modeltui.services.switching import Switching
from modeltui.services.tree import Services

_LOOK = 3  # answered, and the answer is "no" or "look at this"


@dataclass(slots=True)
class _Done:
    """What was done; the last line of the answer."""

    started: str | None = None
    offered: Ranked | None = None
    pulled: str | None = None
    current: str | None = None

    def shape(self, code: int) -> dict[str, Any]:
        return {
            "status": "failed" if code else "ready",
            "started": self.started,
            "recommended": ranked_shape(self.offered) if self.offered else None,
            "pulled": self.pulled,
            "current": self.current,
        }


async def setup(arguments: Namespace, out: Output) -> int:
    """Do what is missing, asking before each step; with --json the pull's stream, then one object."""
    said = read_words(arguments)
    async with session(arguments, out) as services:
        link = await services.active()
        done = _Done()
        done.started = await _running(services, link, out, yes=arguments.yes)
        code = await _set_up(services, link, said, done, out, yes=arguments.yes)
        if out.json:
            out.answer_line(done.shape(code))
        elif not code:
            out.text(f"{done.current} is the current model on {link.name}")
    return code


async def _running(services: Services, link: Link, out: Output, *, yes: bool) -> str | None:
    """See that the server answers; returns the command that started it, None where it ran already."""
    try:
        await link.api.version()
    except Unreachable as error:
        way = await find_start(services, services.config.active)
        if way is None:
            raise
        if not way.may_run:
            remedy = f"{way.typed} ({way.why})"
            raise Unreachable(
                "cannot ask for the version", url=error.url or "", words=error.words, remedy=remedy
            ) from None
        nobody = f"no Ollama server answers at {link.endpoint.url}; {way.why}"
        await confirm(f"{nobody}. Start it: {way.typed}?", yes=yes, out=out)
        version = await bring_up(services, link, way)
        if not out.json:
            out.say(f"{link.name} runs: version {version}")
        return way.typed
    return None


async def _set_up(services: Services, link: Link, said: Said, done: _Done, out: Output, *, yes: bool) -> int:
    """A current model: the one that is, else one that is installed, else the recommended one."""
    switching = Switching(services, link)
    record, is_installed = await switching.current()
    if record is not None and is_installed is not False:
        done.current = record.name.short
        return 0
    models = await link.api.models()
    if models and (adopted := await switching.adopt(models)) is not None:
        done.current = adopted
        return 0
    row = done.offered = await offered(
        services, link, said.hardware, task=said.task, priority=said.priority, context=said.context
    )
    if row is None:
        if not out.json:
            out.say("nothing can be recommended: say what the machine has, --vram 8 or --hardware none+16GB")
        return _LOOK
    if not out.json:
        out.say(offer_words(row))
    await confirm(f"Pull {row.name}?", yes=yes, out=out)
    code = await pull_and_wait(services, link, [row.name], out, yes=yes)
    if code:
        return code
    done.pulled = row.name
    switched = await switching.switch(await switching.facts(row.name), record_only=True)
    done.current = switched.current
    return 0
