"""Details: everything that is known about one model, over the screen that it was opened from."""

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.widget import Widget

from modeltui.domain import units
from modeltui.domain.layout import shortened
from modeltui.domain.models import Model, ModelDetails
from modeltui.domain.names import from_listed
from modeltui.domain.words import age_words
from modeltui.errors import ModeltuiError
from modeltui.services.inspecting import Facts, Inspecting
from modeltui.services.library import Entry
from modeltui.services.words import detail_lines
from modeltui.text import clean_line, is_clean_line
from modeltui.tui.render import Line, bar
from modeltui.tui.screens.base import ModelScreen
from modeltui.tui.state import Trouble
from modeltui.tui.widgets.document import Document
from modeltui.tui.widgets.lines import Lines

LABEL, BAR = 16, 16
ONLY_ASKED = frozenset(
    {"signed in as", "not known"}
)  # what the list does not tell: nothing is said of it before


class DetailsScreen(ModelScreen):
    """The facts of one model, and its texts whole. What the list knows stands there at once."""

    AUTO_FOCUS = "Document"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.back", "back", id="close")]

    facts: var[Facts | None] = var(None, init=False)
    trouble: var[Trouble | None] = var(None, init=False)

    def __init__(self, sent: str) -> None:
        super().__init__()
        self._sent = sent
        self._model_name = from_listed(sent) if is_clean_line(sent) else None
        self._asked: object = None
        self._is_asking = False

    def body(self) -> Iterable[Widget]:
        yield Lines(classes="title")
        yield Document()

    # What is known

    @property
    def _entry(self) -> Entry | None:
        """The model as the list has it now, with what only the server's own answer says."""
        entry, facts = self.tui.models.entry(self._sent), self.facts
        if facts is None or entry is None:
            return entry
        return replace(entry, type=facts.entry.type, weights=facts.entry.weights)

    def chosen_models(self) -> list[Model]:
        entry = self.tui.models.entry(self._sent)
        return [entry.model] if entry is not None else []

    def ask_again(self) -> None:
        """Ask the server for the facts; of what is no name nothing can be asked."""
        if self._model_name is None:
            return
        self._is_asking = True
        self._ask()

    @work(exclusive=True, group="details", exit_on_error=False, description="asks for the details")
    async def _ask(self) -> None:
        services = self.tui.services
        try:
            facts = await Inspecting(services, await services.active()).inspect(self._sent)
        except ModeltuiError as error:
            self._is_asking = False
            self.trouble = Trouble.of(error)
            self.tui.refresh_soon()  # the list will say what stands now: damaged, gone, or away
        else:
            self._is_asking = False
            self.trouble = None
            if self.facts is None or self.facts.entry.model.digest != facts.entry.model.digest:
                self.tui.shown_details += 1
            self.facts = facts
        self.show_state()

    def show_state(self) -> None:
        entry = self.tui.models.entry(self._sent)
        is_online = self.tui.connection.is_online
        what = (is_online, entry.model.digest, entry.damage) if entry else (is_online, None, None)
        if is_online and what != self._asked:
            self.ask_again()
        self._asked = what
        self.show_time()

    def show_time(self) -> None:
        entry, facts = self._entry, self.facts
        shown = shortened(entry.model.shown if entry else clean_line(self._sent), self.app.size.width - 2)
        self.query_one(".title", Lines).show([((shown, "strong"),), ()])
        head = [*self._notes(entry), *self._fact_lines(entry)]
        self.query_one(Document).show(head, texts_of(facts.details) if facts else ())

    # What is shown

    def _notes(self, entry: Entry | None) -> list[Line]:
        """What is wrong, or still to come; and what to do."""
        trouble, connection = self.trouble, self.tui.connection
        lines: list[Line] = []
        if self._model_name is None:
            lines.append((("no valid name: nothing can be asked about it or done with it", "attention"),))
        elif entry is not None and entry.damage:
            lines += [(("damaged: ", "broken"), (entry.damage, "")), (("p", "key"), (" pulls it again", ""))]
        elif entry is not None and entry.held:
            lines += [
                (("quarantined: ", "broken"), (entry.held, "")),
                ((f"modeltui verify --release {entry.model.shown} lets it be loaded", "dim"),),
            ]
        elif trouble is not None:
            lines.append(((trouble.message, "broken"),))
            lines += [((words, ink),) for words, ink in ((trouble.url, "dim"), (trouble.remedy, "")) if words]
        elif not connection.is_online:
            why = connection.trouble.message if connection.trouble else f"asking {connection.url}"
            lines.append(((f"not asked: {why}" if self.facts is None else f"as it was: {why}", "attention"),))
        elif entry is None and self.facts is not None and not self._is_asking:
            lines.append((("not installed any more", "attention"),))
        elif self.facts is None:
            lines.append((("asking the server for the rest", "dim"),))
        return [*lines, ()] if lines else []

    def _fact_lines(self, entry: Entry | None) -> list[Line]:
        facts = self.facts
        if facts is None and entry is None:
            return []
        known = facts or Facts(entry, ModelDetails(), (), None, None)  # type: ignore[arg-type]
        if entry is not None:
            known = replace(known, entry=entry)
        lines: list[Line] = []
        fit_lines, rest = self._verdict_lines(known)
        for label, value in detail_lines(known, self.tui.now())[1:]:
            if label.startswith(" ") or (facts is None and label in ONLY_ASKED):
                continue
            lines.append(labelled(label, value))
            if label == "state":
                lines += self._state_lines(known.entry)
                lines += fit_lines
        return [*lines, *(((), *rest) if rest else ())]

    def _verdict_lines(self, known: Facts) -> tuple[list[Line], list[Line]]:
        """How it would run here: what it needs and where it lies, and then its score taken apart."""
        advised, model = self.tui.advice, known.entry.model
        if advised is None or model.is_cloud or known.entry.damage or model.name is None:
            return [], []
        from modeltui.domain.advice.verdictwords import machine_words, split_lines

        wanted = known.details.options.get("num_ctx")
        context = wanted if isinstance(wanted, int) and wanted > 0 else None
        brief, rest = split_lines(advised.advice.verdict_of_model(model, context))
        if advised.advice.machine is not None:
            brief.append(("machine", machine_words(advised.circumstance.machine)))
        return [labelled(*line) for line in brief], [labelled(*line) for line in rest]

    def _state_lines(self, entry: Entry) -> list[Line]:
        """Beside the state: the part in VRAM as a bar, and the last load."""
        lines: list[Line] = []
        if entry.is_current and (current := self.tui.models.current) is not None:
            lines.append(labelled("current", f"for {units.span(self.tui.now() - current.since)}", "accent"))
        if entry.alias_of:
            lines.append(labelled("alias of", entry.alias_of))
        runner = entry.loaded
        if runner is not None and runner.size:
            words = f" {units.size(runner.vram)} of {units.size(runner.size)}"
            lines.append((*label_of("VRAM"), *bar(runner.gpu_share, BAR), (words, "")))
        if not entry.model.is_cloud:
            last = entry.last_load
            words = units.UNKNOWN
            if last is not None:
                words = f"{units.duration(last.load_ms)}, {age_words(last.at, self.tui.now())}"
            lines.append(labelled("last load", words))
        return lines

    # Actions

    def action_pull(self) -> None:
        """Also what is not installed, or not any more: its own name is suggested."""
        self.tui.act(self.tui.acts.pull(self._model_name.short if self._model_name else ""), "pull")

    async def action_go_elsewhere(self) -> None:
        await self.tui.show_elsewhere(self.app.current_mode or "", self._sent)


def label_of(word: str) -> Line:
    """A label, filled up to its column."""
    return ((f"{word:{LABEL}}", "dim"),)


def labelled(word: str, value: str, ink: str = "") -> Line:
    """A label and its value, which goes on under itself."""
    return (*label_of(word), (value, ink or ("dim" if value == units.UNKNOWN else "")))


def texts_of(details: ModelDetails) -> list[Line]:
    """The options, then the texts whole, each under its heading; what a model has none of is said so."""
    lines: list[Line] = [(), (("options", "strong"),)]
    for key, value in details.options.items():
        values = value if isinstance(value, list | tuple) else [value]
        lines += [
            (("  ", ""), *labelled(key if at == 0 else "", str(each))) for at, each in enumerate(values)
        ]
    if not details.options:
        lines.append((("  none", "dim"),))
    for heading, text in (
        ("system", details.system),
        ("template", details.template),
        ("licence", details.license),
    ):
        lines += [(), ((heading, "strong"),)]
        lines.append((("  ", ""), (text.strip("\n"), "")) if text and text.strip() else (("  none", "dim"),))
    return lines
