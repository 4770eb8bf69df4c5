"""What a person does on any screen: asks what must be asked, calls the services, and says how it went."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from modeltui.domain.models import Model
from modeltui.domain.names import ModelName, from_typed
from modeltui.domain.server import Keep, KeepAlive, parse_keep_alive
from modeltui.domain.units import size
from modeltui.errors import ModeltuiError, NoSuchModel, UsageError
from modeltui.tui.doing import Doing, brief, tell_of
from modeltui.tui.state import Undo

if TYPE_CHECKING:
    from modeltui.services.switching import SwitchFacts
    from modeltui.tui.queueing import Confirm
    from modeltui.tui.screens.dialogs import Dialog
    from modeltui.tui.stateful import StatefulApp


class Acts:
    """The verbs that mean the same wherever a model stands."""

    def __init__(self, app: "StatefulApp") -> None:
        self._app = app
        self._services = app.services
        self._screen = app.screen

    # In memory

    async def load(self, model: Model, keep_alive: KeepAlive = Keep.SERVER_DEFAULT) -> None:
        """Load, pin or keep for a while."""
        from modeltui.services.loading import Loading
        from modeltui.services.words import loaded_words

        link = await self._services.active()
        with Doing(self._app, [model], "loading"):
            done = await Loading(self._services, link).load(model.sent, keep_alive)
        tell_of(self._app, loaded_words(done, self._app.now()), model, "good")

    async def unload(self, models: list[Model]) -> None:
        """Unload those that are loaded; one that cannot be stops no other."""
        from modeltui.services.loading import Loading
        from modeltui.services.words import unloaded_words

        loading = Loading(self._services, await self._services.active())
        chosen = [model for model in models if (e := self._app.models.entry(model.sent)) and e.loaded]
        words = []
        for model in chosen:
            try:
                with Doing(self._app, [model], "unloading"):
                    words.append(unloaded_words(await loading.unload(model.sent)))
            except ModeltuiError as error:
                self._app.tell_error(error)
        if len(words) == 1:
            tell_of(self._app, words[0], chosen[0])
        elif words:
            self._app.tell(f"{len(words)} models unloaded")

    async def hold(self, models: Sequence[Model], keep_alive: KeepAlive) -> None:
        """Keep some loaded so long; one that cannot be stops no other."""
        kept = 0
        for model in models:
            try:
                await self.load(model, keep_alive)
                kept += 1
            except ModeltuiError as error:
                self._app.tell_error(error)
        if kept > 1:
            self._app.tell(f"{kept} models are kept loaded", "good")

    async def keep(self, *models: Model) -> None:
        """Ask once how long, then keep them loaded that long."""
        from modeltui.tui.screens.dialogs import TextDialog

        what = f"does {models[0].shown} stay loaded after its"
        if len(models) > 1:
            what = f"do these {len(models)} models stay loaded after their"
        dialog = TextDialog(
            f"How long {what} last use?",
            facts=["30m, 4h, forever; load it anew if it is not loaded"],
            text="30m",
            check=_keep_alive_problem,
            word="keep",
        )
        typed = await self._ask(dialog)
        if typed is not None:
            await self.hold(models, parse_keep_alive(typed))

    # The current model

    async def switch(self, model: Model) -> None:
        """Make it current; asked only when that loads, may unload others, or runs a hook."""
        if model.name is not None:
            await self.switch_to(model.name)

    async def switch_to(self, name: ModelName, *, is_wished: bool = False) -> None:
        """Make the model of that name current; `is_wished` before, when it was queued, it is not asked now.

        Then what others would feel is left to a key that is pressed in sight of it.
        """
        from modeltui.services.switching import Switching
        from modeltui.services.words import switched_words

        link = await self._services.active()
        switching = Switching(self._services, link)
        try:
            facts = await switching.facts(name.short)
        except NoSuchModel:
            if self._services.config.auto_pull:
                await self.enqueue([name], switch=True)
                return
            raise
        stranger = await switching.alias.stranger(facts.model)
        answer, advice = "switch", self._app.advice
        facts = await switching.foreseen(facts, advice.circumstance.catalog if advice else None)
        if is_wished and (facts.unloads or facts.hook or stranger):
            self._app.tell_in_turn(f"{brief(name.short)} is there: s makes it current")
            return
        if not is_wished and (not facts.is_loaded or facts.hook or stranger):
            answer = await self._ask_switch(facts, stranger) or ""
        if not answer:
            return
        before = self._services.store.facts.current(link.id)
        with Doing(
            self._app,
            [facts.model],
            "loading"
            if answer != "record" and not (facts.is_loaded or facts.model.is_cloud)
            else "switching",
        ):
            done = await switching.switch(
                facts,
                record_only=answer == "record",
                release=answer == "release",
                overwrite_alias=answer == "alias",
            )
        was = before.name if before else None
        words = f"the current model is {was.short} again" if was else "no model is current"
        self._app.undo_choice = Undo(words, partial(switching.restore, was))
        self._app.has_adopted = True
        notes = "".join(f" · {note}" for note in done.notes)
        tell_of(self._app, f"{switched_words(done)}{notes}", facts.model, "attention" if notes else "good")

    async def _ask_switch(self, facts: "SwitchFacts", stranger: str | None) -> str | None:
        from modeltui.services.words import switch_lines
        from modeltui.tui.screens.dialogs import Answer, Question

        answers = [Answer("s", "switch", "switch")]
        if stranger:
            answers.append(Answer("a", "switch and point the alias here", "alias"))
        if facts.previous in facts.may_unload:
            answers.append(Answer("u", f"switch, then unload {brief(facts.previous)}", "release"))
        if not facts.model.is_cloud:
            answers.append(Answer("n", "record only, no load", "record"))
        safe = f"keep {brief(facts.previous)}" if facts.previous else "leave it"
        is_dear = bool(facts.unloads) or facts.hook or stranger is not None
        dialog = Question(
            f"Make {facts.model.shown} the current model?",
            facts=[line.strip() for line in switch_lines(facts, stranger, record_only=False)[1:]],
            answers=answers,
            no=safe,
            enter_is_no=is_dear,
        )
        return await self._ask(dialog)

    # What is installed

    async def delete(self, models: list[Model]) -> None:
        """Plan, ask (again for the current or a loaded one), delete, and say what was freed."""
        from modeltui.tui.deleting import delete

        await delete(self._app, models, self._ask)

    def take_back(self, models: list[Model]) -> bool:
        """Keep those whose delete still waits for a pull, with all that would go with them; False: none."""
        from modeltui.tui.deleting import take_back

        return take_back(self._app, models)

    async def copy(self, model: Model, *, rename: bool = False) -> None:
        """Ask for the name, and again where it is taken."""
        from modeltui.domain.models import find
        from modeltui.services.changing import Changing
        from modeltui.tui.screens.dialogs import Answer, Question, TextDialog

        verb = "Rename" if rename else "Copy"
        dialog = TextDialog(
            f"{verb} {model.shown} to which name?",
            facts=[
                "the original goes when the copy is checked" if rename else "a second name, no second bytes"
            ],
            text=model.name.short if model.name else "",
            check=_name_problem,
            word=verb.lower(),
        )
        typed = await self._ask(dialog)
        if typed is None:
            return
        link = await self._services.active()
        changing = Changing(self._services, link)
        await changing.check_copy(model.sent, typed)
        taken = find(await link.api.models(), from_typed(typed))
        if taken is not None:
            question = Question(
                f"{taken.shown} exists. Overwrite it?",
                facts=[f"{size(taken.size)}, {taken.quantization or 'unknown quantization'}"],
                answers=[Answer("o", "overwrite", "yes")],
                no="keep it",
                enter_is_no=True,
            )
            if await self._ask(question) is None:
                return
        act = changing.rename if rename else changing.copy
        with Doing(self._app, [model], "renaming" if rename else "copying"):
            name = await act(model.sent, typed, overwrite=taken is not None)
        self._app.tell(f"{'renamed' if rename else 'copied'} {model.shown} to {name.short}", "good")

    # Pulls

    async def pull(self, suggestion: str = "", facts: Sequence[str] = ()) -> None:
        """Ask for names, then queue them; `facts` are what decides about the one that is suggested."""
        from modeltui.tui.queueing import fit_remark
        from modeltui.tui.screens.dialogs import TextDialog

        dialog = TextDialog(
            "Pull which model?",
            facts=facts
            or ["llama3.2, qwen3:8b, hf.co/user/repo:Q4_K_M, a pasted address; several with spaces"],
            text=suggestion,
            check=_names_problem,
            word="pull",
            more=("ctrl+s", "pull and make it current"),
            remark=None if facts else partial(fit_remark, self._app),
        )
        self._app.wants_catalog = True  # what is typed may be any of it
        typed = await self._ask(dialog)
        if typed is not None:
            names = [from_typed(each) for each in typed.split()]
            # On its own: while registries are asked, another name can be typed.
            work = self.enqueue(names, switch=dialog.more_chosen, typed=typed.split())
            self._app.act(work, f"pull {' '.join(name.short for name in names)}")

    async def enqueue(
        self,
        names: list[ModelName],
        *,
        switch: bool = False,
        facts: str = "",
        typed: Sequence[str] = (),
        confirm: "Confirm | None" = None,
    ) -> None:
        """Put names into the queue; the last of them becomes current when it is installed, if `switch`.

        `facts` are said with it, instead of what is found out about them. `typed`: what a person typed for
        them, who may mean others. `confirm` makes the question that is asked before.
        """
        from modeltui.tui.queueing import enqueue

        await enqueue(self._app, names, self._ask, switch=switch, facts=facts, typed=typed, confirm=confirm)

    # Around them

    async def _ask(self, dialog: "Dialog") -> str | None:
        """Ask, unless the person has gone on to something else: its keys must answer no question."""
        if self._app.screen is not self._screen or self._app.is_typing:
            self._app.tell_in_turn("not done: a question was due, and you had gone on; press the key again")
            return None
        return await self._app.push_screen_wait(dialog)


def _keep_alive_problem(typed: str) -> str | None:
    try:
        keep_alive = parse_keep_alive(typed)
    except UsageError as error:
        return error.message
    return "0 would unload it at once: u does that" if keep_alive == timedelta(0) else None


def _name_problem(typed: str) -> str | None:
    try:
        from_typed(typed)
    except ModeltuiError as error:
        return error.message
    return None


def _names_problem(typed: str) -> str | None:
    names = typed.split()
    if not names:
        return "type a name"
    return next((problem for each in names if (problem := _name_problem(each))), None)
