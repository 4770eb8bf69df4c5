"""The two dialogs: a question with the facts that decide it, and a line of text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from modeltui.domain.layout import cells
from modeltui.text import clean_line
from modeltui.tui.render import Line
from modeltui.tui.widgets.document import Document
from modeltui.tui.widgets.keyline import Answers, KeyLine, Shown
from modeltui.tui.widgets.lines import INK_CLASSES, Flowed

LONGEST = 4096  # of several names at once
REMARK_S = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a question: its key, its word, and the value that the question then has."""

    key: str
    word: str
    value: str


class Dialog(ModalScreen[str | None]):
    """What the two have in common: it ends once, however many keys come at once."""

    COMPONENT_CLASSES: ClassVar[set[str]] = INK_CLASSES
    _is_over = False

    def close_with(self, value: str | None) -> None:
        if not self._is_over:
            self._is_over = True
            self.dismiss(value)

    async def on_key_line_clicked(self, event: KeyLine.Clicked) -> None:
        await self.run_action(event.action)


class Question(Dialog):
    """A question whose title is the question. `no` is the word of the answer that changes nothing.

    Enter takes the first answer, or, where something is lost (`enter_is_no`), the safe one.
    """

    def __init__(
        self,
        title: str,
        *,
        facts: Sequence[str],
        answers: Sequence[Answer],
        no: str,
        enter_is_no: bool = False,
    ) -> None:
        super().__init__()
        self._title = title
        self._facts = facts
        self._answers = answers
        self._no = no
        self._enter_is_no = enter_is_no

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Flowed(((self._title, "strong"),), classes="title")
            yield Document(labelled(self._facts))
            yield Answers()

    def on_mount(self) -> None:
        first, *others = self._answers
        keys: list[Shown] = []
        if self._enter_is_no:
            keys.append(("enter esc", self._no, "screen.answer('')"))
            keys.append((first.key, first.word, f"screen.answer('{first.value}')"))
        else:
            keys.append((f"enter {first.key}", first.word, f"screen.answer('{first.value}')"))
        keys += [(each.key, each.word, f"screen.answer('{each.value}')") for each in others]
        if not self._enter_is_no:
            keys.append(("esc", self._no, "screen.answer('')"))
        self.query_one(Answers).show_keys(keys)

    def on_key(self, event: events.Key) -> None:
        for answer in self._answers:
            if event.character == answer.key:
                event.stop()
                self.close_with(answer.value)
                return
        if event.key == "escape" or (event.key == "enter" and self._enter_is_no):
            event.stop()
            self.close_with(None)
        elif event.key == "enter":
            event.stop()
            self.close_with(self._answers[0].value)

    def action_answer(self, value: str) -> None:
        self.close_with(value or None)


class Field(Input):
    """A line that is typed or pasted; what a terminal would obey in it becomes `·`, and is refused."""

    def validate_value(self, value: str) -> str:
        return clean_line(value, LONGEST)


class TextDialog(Dialog):
    """A line of text, checked when it is given; what is wrong with it is said below it.

    `remark` says what is known of it while it is typed, again and again: more may be known later.
    """

    TAKES_TEXT = True  # what the app asks its screen before it obeys a key

    def __init__(
        self,
        title: str,
        *,
        facts: Sequence[str] = (),
        text: str = "",
        check: Callable[[str], str | None],
        word: str,
        more: tuple[str, str] | None = None,
        remark: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._facts = facts
        self._text = text
        self._check = check
        self._word = word
        self._more = more
        self._remark = remark
        self._problem = ""
        self.more_chosen = False
        self._is_untouched = True

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Flowed(((self._title, "strong"),), classes="title")
            yield Document([((fact, "dim"),) for fact in self._facts])
            field = Field(self._text, compact=True, select_on_focus=True)
            field.cursor_blink = False
            yield field
            yield Flowed((), classes="problem")
            yield Answers()

    AUTO_FOCUS = "Field"

    def on_mount(self) -> None:
        keys: list[Shown] = [("enter", self._word, "screen.give(False)")]
        if self._more is not None:
            keys.append((*self._more, "screen.give(True)"))
        self.query_one(Answers).show_keys([*keys, ("esc", "leave it", "screen.leave")])
        if self._remark is not None:
            self._say("")
            self.set_interval(REMARK_S, lambda: self._say(self._problem))

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.close_with(None)
        elif self._more is not None and event.key == self._more[0]:
            event.stop()
            self.action_give(True)
        elif event.is_printable and event.character:
            # Typed ahead on a slow line, before the field had the focus: it is text all the same.
            event.stop()
            field = self.query_one(Input)
            if self._is_untouched:
                field.value = ""  # the suggestion gives way to what is typed
            self._is_untouched = False
            field.insert_text_at_cursor(event.character)

    def on_input_submitted(self) -> None:
        self.action_give(False)

    def on_input_changed(self) -> None:
        self._say("")

    def action_give(self, more: bool) -> None:
        text = self.query_one(Input).value.strip()
        problem = self._check(text)
        if problem is not None:
            self._say(problem)
            return
        self.more_chosen = more
        self.close_with(text)

    def action_leave(self) -> None:
        self.close_with(None)

    def _say(self, problem: str) -> None:
        self._problem = problem
        line: Line = ((problem, "attention"),) if problem else ()
        if not problem and self._remark is not None and (words := self._remark(self.query_one(Input).value)):
            line = ((words, "dim"),)
        self.query_one(".problem", Flowed).say([line])


def labelled(facts: Sequence[str]) -> list[Line]:
    """Facts as lines that go on under themselves; labels, which two spaces end, are filled up to a column."""
    parts = [fact.partition("  ") for fact in facts]
    width = max((cells(label) for label, gap, _ in parts if gap), default=0)
    return [
        ((f"{label:{width}}  ", "dim"), (text.strip(), "")) if gap else (("", ""), (label, ""))
        for label, gap, text in parts
    ]
