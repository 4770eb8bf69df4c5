"""What stands in the place of an empty list: why it is empty, and the next key to press."""

import asyncio
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.tui.render import Line
from modeltui.tui.state import Phase
from modeltui.tui.widgets.lines import Flowed

if TYPE_CHECKING:
    from modeltui.domain.advice.reasons import Ranked
    from modeltui.tui.advising import Advised
    from modeltui.tui.app import ModelTuiApp


class Welcome(Flowed):
    """Asking, no server, or no model: three different things, each with what would mend it.

    To a server without any model it offers one: the best for its hardware, once that is known.
    """

    offer: "Ranked | None" = None
    _offered_for: object = None

    def show_state(self, app: "ModelTuiApp") -> bool:
        """Say it where there is nothing to list; False where there is."""
        if app.models.entries:
            return False
        advice = app.advice
        if advice is not None and advice is not self._offered_for and app.models.is_live:
            self._offered_for = advice
            app.run_worker(
                # A coroutine only once it runs: the program may end first.
                partial(self._look, app, advice),  # type: ignore[arg-type]
                group="advice",
                exit_on_error=False,
                description="finds a model for it",
            )
        self.say(welcome_lines(app, self.offer))
        return True

    async def _look(self, app: "ModelTuiApp", advice: "Advised") -> None:
        """Find the model to offer; what ranks them is imported in a thread, since it takes its time."""
        ranker = await asyncio.to_thread(import_module, "modeltui.tui.ranker")
        self.offer = await ranker.offered(app, advice)
        if self.is_mounted:
            self.show_state(app)


def welcome_lines(app: "ModelTuiApp", offer: "Ranked | None" = None) -> list[Line]:
    """The lines that stand where no model can be listed."""
    connection, now = app.connection, app.now()
    if connection.phase is Phase.ASKING:
        waited = now - (connection.since or now)
        words = "" if waited < 2000 else f" No answer for {units.span(waited)}."
        return [((f"Asking {connection.url} for its models.{words}", ""),)]
    if connection.phase is Phase.OFFLINE:
        return _offline(app, now)
    lines: list[Line] = [((f"No model is installed on {connection.server}.", "strong"),), ()]
    if offer is not None:
        suited = f"{units.size(offer.candidate.tag.size)} to pull, needs {units.size(offer.needs)}"
        lines += [
            (("  p", "key"), ("  pulls ", ""), (offer.name, "strong"), (f", which suits it: {suited}", "")),
            (("     ", ""), (offer.why, "dim")),
            (("  3", "key"), ("  recommends others, for other tasks, and says why", "")),
            (),
            (
                ("     Any other name can be typed at p: ", "dim"),
                ("llama3.2", "strong"),
                (" or ", "dim"),
                ("qwen3:0.6b", "strong"),
                (", a small one (523 MB).", "dim"),
            ),
        ]
        return lines
    return [
        *lines,
        (("  p", "key"), ("  pulls one: type or paste its name, for example ", ""), ("llama3.2", "strong")),
        (("     or ", "dim"), ("qwen3:0.6b", "strong"), (", a small one (523 MB) to try things with", "dim")),
        (("  3", "key"), ("  recommends some", "")),
    ]


def _offline(app: "ModelTuiApp", now: int) -> list[Line]:
    connection = app.connection
    trouble = connection.trouble
    assert trouble is not None
    words = "No Ollama server answers at" if trouble.is_unreachable else "There is trouble with the server at"
    head = f"{words} {connection.url}."
    lines: list[Line] = [((head, "strong"),), ((trouble.message, ""),), ()]
    if connection.start is not None:
        start = connection.start
        key: Line = (("S", "key"), (" starts it  ", "")) if start.may_run else (("on this machine  ", "dim"),)
        lines.append((("  ", ""), *key, (start.typed, "strong"), (f"   ({start.why})", "dim")))
    elif trouble.remedy:
        lines.append(((f"  {trouble.remedy}", ""),))
    lines.append((("  or somewhere else  ", "dim"), ("modeltui --server gpubox:11434", "strong")))
    if not app.stage.is_demo:
        lines.append(
            (
                ("  or just look around  ", "dim"),
                ("D", "key"),
                ("  a demonstration server with made-up models", ""),
            )
        )
    if connection.retry_at is not None:
        wait = max(0, connection.retry_at - now)
        lines += [(), ((f"Trying again in {units.span(wait)}. r tries now.", "dim"),)]
    lines.append((("Catalog (2) and Recommend (3) work without a server.", "dim"),))
    return lines
