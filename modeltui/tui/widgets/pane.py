"""What is known about the model under the cursor, beside the table where the terminal is wide."""

from datetime import datetime
from typing import TYPE_CHECKING

from modeltui.domain import units
from modeltui.domain.layout import shortened
from modeltui.domain.models import ModelState
from modeltui.domain.words import kept_words
from modeltui.services.library import Entry
from modeltui.tui.calm import calm_age
from modeltui.tui.render import Line, bar, cut_line, joined, number
from modeltui.tui.widgets.lines import Fitted

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp

BAR, EDGE = 10, 3
_WEEK_MS = 7 * 24 * 3_600_000


class SidePane(Fitted):
    """Follows the cursor of the table beside it; only lines that differ are painted."""

    DEFAULT_CSS = "SidePane { height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._said: list[Line] = []

    @property
    def room(self) -> int:
        """The cells of a line, beside the rule."""
        return self.size.width - EDGE

    def say(self, lines: list[Line]) -> None:
        """Show these lines; what has no room is cut."""
        self._said = lines
        self.update()

    def fit(self, width: int) -> list[Line]:
        height = max(self.size.height, len(self._said))
        said = [*self._said, *[()] * (height - len(self._said))]
        return [((" │ ", "dim"), *cut_line(line, width - EDGE)) for line in said]


class Pane(SidePane):
    """The facts of a model."""

    def show_model(self, app: "ModelTuiApp", entry: Entry | None) -> None:
        """Show a model, or nothing."""
        if self.display:
            self.say(_lines(app, entry, self.room) if entry is not None else [])


def _lines(app: "ModelTuiApp", entry: Entry, width: int) -> list[Line]:
    model, now, current = entry.model, app.now(), app.models.current
    lines: list[Line] = [((shortened(model.shown, width), "strong"),)]
    if entry.is_current and current is not None:
        lines.append(((_since(current.since, now), "accent"),))
    if entry.alias_of:
        lines.append(((f"the alias of {entry.alias_of}", "dim"),))
    if entry.damage:
        lines += [(), (("damaged: ", "broken"), (entry.damage, "")), (("p pulls it again", "dim"),)]
    if entry.held:
        lines += [(), (("quarantined: ", "broken"), (entry.held, ""))]
        lines.append(((f"modeltui verify --release {model.shown}", "dim"),))
    if entry.newer is not None:
        size, age = units.size(entry.newer.size), calm_age(entry.newer.pushed, now)
        lines += [(), (("▲ newer version", "attention"),), ((f"{size}, pushed {age}", "dim"),)]
        lines.append((("U pulls it", "dim"),))
    if model.name is None:
        lines += [(), (("no valid name: nothing can be", "attention"),), (("done with it", "attention"),)]
    facts: list[Line] = [
        ((word, ""),) for word in (model.parameter_size, model.family, model.quantization) if word
    ]
    if not model.is_cloud:
        facts.append(number(units.size(model.size)))
    lines += [(), joined(facts)]
    context = f"context {units.context(model.context)}"
    if entry.loaded is not None and entry.loaded.context:
        context += f", loaded with {units.context(entry.loaded.context)}"
    lines.append(((context, ""),))
    if model.capabilities is not None:
        lines.append((("  ".join(sorted(model.capabilities)), "dim"),))
    lines += _memory_lines(app, entry, now, width)
    if model.is_cloud:
        lines += [(), ((f"runs at {model.remote_host or 'ollama.com'}", "dim"),)]
    lines.append(())
    if entry.last_load is not None:
        last = entry.last_load
        lines.append(
            (
                ("last load ", "dim"),
                (units.duration(last.load_ms), ""),
                (f", {calm_age(last.at, now)}", "dim"),
            )
        )
    lines.append(((f"modified {calm_age(model.modified, now)}", "dim"),))
    siblings = [
        each.model.shown
        for each in app.models.entries
        if each.model.sent != model.sent
        and (
            (model.digest and each.model.digest == model.digest)
            or (entry.weights and each.weights == entry.weights)
        )
    ]
    if siblings:
        lines.append(((f"shares weights with {', '.join(siblings[:3])}", "dim"),))
    return lines


def _since(at: int, now: int) -> str:
    """The moment, which does not tick, in the zone of this machine: `current since Tue 14:02`."""
    then = datetime.fromtimestamp(at / 1000)
    return f"current since {then:%a %H:%M}" if now - at < _WEEK_MS else f"current since {then:%Y-%m-%d}"


def _memory_lines(app: "ModelTuiApp", entry: Entry, now: int, width: int) -> list[Line]:
    """Where it lies or would lie; while no verdict is there, or no machine known, by the server's account."""
    loaded = _loaded_lines(entry, now)
    if app.advice is None:
        return loaded
    from modeltui.tui.widgets.fitlines import fit_lines

    lines = fit_lines(entry, app.advice, width)
    if app.advice.advice.machine is None:
        return [*loaded, *([()] if not loaded and lines else []), *lines]
    kept = loaded[3:] if loaded else []  # by another name; the rest is said better now
    if loaded and entry.loaded is not None and (words := kept_words(entry.loaded.expires_at, now)):
        kept = [((f"kept {words}", "dim"),), *kept]
    return [(), *lines, *kept] if lines else loaded


def _loaded_lines(entry: Entry, now: int) -> list[Line]:
    """Where a loaded model lies by the server's account, and for how long."""
    runner = entry.loaded
    if runner is None or entry.state in (ModelState.DAMAGED, ModelState.QUARANTINED):
        return []
    share = runner.gpu_share
    lines: list[Line] = [
        (),
        (
            ("GPU ", "dim"),
            *bar(share, BAR),
            (f" {units.percent(share)} of {units.size(runner.size)}", ""),
        ),
    ]
    words = {ModelState.GPU: "all on the GPU", ModelState.CPU: "all in RAM"}.get(
        entry.state, str(entry.state)
    )
    if entry.state is ModelState.SPLIT:
        words = f"{units.size(runner.ram)} of it in RAM"
    kept = kept_words(runner.expires_at, now)
    lines.append(((words, ""), (f" · kept {kept}" if kept else "", "dim")))
    if entry.loaded_by != "name":
        lines.append(((f"loaded as {runner.shown}", "dim"),))
    return lines
