"""What is asked of Recommend: task, priority, context and hardware; how each is chosen and remembered."""

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from modeltui.domain import units
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.errors import UsageError
from modeltui.services.recommending import wish_of
from modeltui.tui.choices import remember
from modeltui.tui.screens.recommendrows import machine_words
from modeltui.tui.widgets.wishline import Part

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp
    from modeltui.tui.ranker import Answered

Chosen = TypeVar("Chosen", bound=StrEnum)


class Wishes:
    """The wish as it is now: configured, then as the keys have it. `hardware` is a "what if" as typed, None
    the server's own machine, and never remembered."""

    def __init__(self, app: "ModelTuiApp") -> None:
        self._app = app
        self.wish = wish_of(app.services)
        self.hardware: str | None = None

    def parts(self, answered: "Answered | None") -> tuple[Part, ...]:
        """The line above the ranking; the machine as it is known to the last answer."""
        wish, hardware = self.wish, self.hardware
        words = short = "looking at its hardware" if hardware is None else f"what if: {hardware}"
        if answered is not None and answered.asked.hardware == hardware:
            words, short = machine_words(answered.answer.machine, hardware)
        context = units.context(wish.context)
        is_known = answered is None or answered.answer.machine.machine is not None
        ink = "strong" if hardware is None and is_known else "attention"
        return (
            Part("t", wish.task.value, wish.task.value, "screen.next_task"),
            Part("o", wish.priority.value, wish.priority.value, "screen.next_priority"),
            Part("x", f"{context} context", context, "screen.ask_context"),
            Part("w", words, short, "screen.ask_hardware", ink),
        )

    def choose(self, chosen: Task | Priority) -> None:
        """Take a task or a priority, and remember it."""
        if isinstance(chosen, Task):
            self.wish, key = replace(self.wish, task=chosen), "task"
        else:
            self.wish, key = replace(self.wish, priority=chosen), "priority"
        remember(self._app, f"recommend.{key}", chosen.value, f"this {key}")

    async def ask_context(self) -> None:
        """Ask how much of it must fit."""
        from modeltui.tui.screens.dialogs import TextDialog

        dialog = TextDialog(
            "How much context must fit?",
            facts=["tokens; k is 1024: 8k, 16k, 32k, 131072. More of it takes more memory"],
            text=units.context(self.wish.context),
            check=_context_problem,
            word="rank",
        )
        typed = await self._app.push_screen_wait(dialog)
        if typed is not None:
            context = units.parse_context(typed)
            self.wish = replace(self.wish, context=context)
            remember(self._app, "recommend.context", context, "this context")

    async def ask_hardware(self) -> None:
        """Ask for hardware to rank for instead of the server's own."""
        from modeltui.tui.screens.dialogs import TextDialog

        dialog = TextDialog(
            "What if the server had other hardware?",
            facts=[
                "24GB, 2x24GB, 24GB+64GB (VRAM + RAM), none+16GB, rtx 4090, m2 max 64GB",
                "an empty line is the server's own machine; this is not remembered",
            ],
            text=self.hardware or "",
            check=_hardware_problem,
            word="rank",
        )
        typed = await self._app.push_screen_wait(dialog)
        if typed is not None:
            self.hardware = typed or None


def following(value: Chosen) -> Chosen:
    """The value after it, the first after the last."""
    values = list(type(value))
    return values[(values.index(value) + 1) % len(values)]


def _context_problem(typed: str) -> str | None:
    try:
        units.parse_context(typed)
    except ValueError as error:
        return str(error)
    return None


def _hardware_problem(typed: str) -> str | None:
    try:
        if typed:
            parse_hardware(typed)
    except UsageError as error:
        return f"{error.message}; {error.remedy}" if error.remedy else error.message
    return None
