"""What stands in the place of an empty list: why it is empty, and the next key to press."""

from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.tui.render import Line
from modeltui.tui.state import Phase
from modeltui.tui.widgets.lines import Flowed

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp


class Welcome(Flowed):
    """Asking, no server, or no model: three different things, each with what would mend it."""

    def show_state(self, app: "ModelTuiApp") -> bool:
        """Say it where there is nothing to list; False where there is."""
        if app.models.entries:
            return False
        self.say(welcome_lines(app))
        return True


def welcome_lines(app: "ModelTuiApp") -> list[Line]:
    """The lines that stand where no model can be listed."""
    connection, now = app.connection, app.now()
    if connection.phase is Phase.ASKING:
        waited = now - (connection.since or now)
        words = "" if waited < 2000 else f" No answer for {units.span(waited)}."
        return [((f"Asking {connection.url} for its models.{words}", ""),)]
    if connection.phase is Phase.OFFLINE:
        return _offline(app, now)
    return [
        ((f"No model is installed on {connection.server}.", "strong"),),
        (),
        (("  p", "key"), ("  pulls one: type or paste its name, for example ", ""), ("llama3.2", "strong")),
        (("     or ", "dim"), ("qwen3:0.6b", "strong"), (", a small one (523 MB) to try things with", "dim")),
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
    return lines
