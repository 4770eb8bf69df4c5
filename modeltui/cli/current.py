"""`current`, `switch` and `sync`: the model that the operator's programs use."""

from argparse import Namespace

from modeltui.cli.output import Output
from modeltui.cli.running import staying
from modeltui.cli.session import confirm, session
from modeltui.domain.units import iso
from modeltui.errors import ModeltuiError, NoSuchModel, Refusal, UsageError
from modeltui.services.servers import Link
from modeltui.services.switching import Switched, SwitchFacts, Switching
from modeltui.services.sync import Sync
from modeltui.services.tree import Services
from modeltui.services.words import switch_lines, switched_words


async def current(arguments: Namespace, out: Output) -> int:
    """Print the current model; exit code 3 when there is none, or when it is not installed."""
    async with session(arguments, out) as services:
        link = await services.active()
        record, is_installed = await Switching(services, link).current()
        if out.json:
            out.answer(
                {
                    "name": record.name.short if record else None,
                    "since": iso(record.since) if record else None,
                    "previous": record.previous if record else None,
                    "installed": is_installed,
                }
            )
        elif record is not None:
            out.text(record.name.short)
        if record is None:
            services.note("no model is current: modeltui switch NAME")
        elif is_installed is False:
            short = record.name.short
            services.note(f"{short} is missing on the server: modeltui pull {short}, or switch to another")
        return 3 if record is None or is_installed is False else 0


async def switch(arguments: Namespace, out: Output) -> int:
    """Make a model current: facts, load, proof, record."""
    keep_alive = staying(arguments.keep_alive)
    async with session(arguments, out) as services:
        link = await services.active()
        switching = Switching(services, link)
        model = await _wanted(services, link, arguments, out)
        try:
            facts = await switching.facts(model)
        except NoSuchModel:
            if not services.config.auto_pull:
                raise
            from modeltui.cli.pulls import pull_and_wait

            code = await pull_and_wait(services, link, [model], out, yes=arguments.yes)
            if code:
                return code
            facts = await switching.facts(model)
        overwrite = arguments.yes
        stranger = None if overwrite else await switching.alias.stranger(facts.model)
        if not out.json:
            facts = facts if arguments.record_only else await switching.foreseen(facts)
            for line in switch_lines(facts, stranger, record_only=arguments.record_only):
                out.say(line)
        if stranger and not out.json and out.talks_to_terminal:
            try:
                await confirm(f"{stranger} was not written by modeltui. Point it here?", yes=False, out=out)
                overwrite = True
            except ModeltuiError:
                overwrite = False
        try:
            done = await switching.switch(
                facts,
                record_only=arguments.record_only,
                release=arguments.release,
                keep_alive=keep_alive,
                overwrite_alias=overwrite,
            )
        except ModeltuiError:
            if out.json:
                out.answer(_failed(facts))
            raise
        if out.json:
            out.answer(_switched(done))
        else:
            out.text(switched_words(done))
        for note in done.notes:
            services.note(note)
    return 0


async def _wanted(services: Services, link: Link, arguments: Namespace, out: Output) -> str:
    """The model that was named; with `auto` or a task alone the best installed one, said with the reason."""
    named: str | None = arguments.model
    if named is not None and named != "auto":
        if arguments.task is not None:
            raise UsageError("a model and a task are named", remedy="give one of them")
        return named
    if named is None and arguments.task is None:
        raise UsageError("no model is named", remedy="modeltui switch NAME, or modeltui switch --task coding")
    from modeltui.domain.advice.tasks import Task
    from modeltui.services.recommending import recommending_of, wish_of

    recommending = await recommending_of(services, link)
    wish = wish_of(services, task=Task(arguments.task) if arguments.task else None)
    best = recommending.best_installed(wish)
    if best is None:
        raise Refusal(
            f"nothing that is installed suits {wish.task} here",
            remedy=f"modeltui recommend --task {wish.task}, and pull one",
        )
    if not out.json:
        out.say(f"{best.name}: {best.why}")
    return best.name


def _switched(done: Switched) -> dict[str, object]:
    return {
        "previous": done.previous,
        "current": done.current,
        "status": done.status,
        "load_time_ms": done.load_ms,
        "evicted": list(done.evicted),
        "released": done.released,
        "notes": list(done.notes),
    }


def _failed(facts: SwitchFacts) -> dict[str, object]:
    return {
        "previous": facts.previous,
        "current": facts.previous,
        "status": "failed",
        "load_time_ms": None,
        "evicted": [],
        "released": None,
        "notes": [],
    }


async def sync(arguments: Namespace, out: Output) -> int:
    """Compare what is remembered with the server; exit code 3 when something is not as it was."""
    async with session(arguments, out) as services:
        link = await services.active()
        findings = await Sync(services, link).run()
        if out.json:
            out.answer(
                [
                    {"kind": f.kind, "subject": f.subject, "message": f.words, "remedy": f.remedy}
                    for f in findings
                ]
            )
        elif not findings:
            out.text(f"everything is as remembered on {link.name}")
        else:
            for finding in findings:
                out.text(finding.words + (f" · {finding.remedy}" if finding.remedy else ""))
    return 3 if findings else 0
