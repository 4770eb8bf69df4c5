"""Recommend (3): the best models for a task on this hardware or another, ranked, each with its reasons."""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.timer import Timer
from textual.widget import Widget

from modeltui.domain.advice.reasons import Ranked
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.domain.models import Model
from modeltui.domain.names import from_listed
from modeltui.services.library import Entry
from modeltui.tui.onserver import OnServer
from modeltui.tui.ranker import Answered, Asked, Ranks
from modeltui.tui.render import Line
from modeltui.tui.screens.base import FollowingScreen
from modeltui.tui.screens.recommendpages import COMPARED, beside, comparison, offer_page, score_page
from modeltui.tui.screens.recommendrows import beneath, cells_of, columns_of
from modeltui.tui.screens.recommendwish import Wishes, following
from modeltui.tui.screens.recommendwords import About, empty_lines, notes, pull_facts
from modeltui.tui.widgets.lines import Flowed
from modeltui.tui.widgets.ranktable import RankRow, RankTable
from modeltui.tui.widgets.wishline import WishLine

if TYPE_CHECKING:
    from modeltui.store.queue import QueuedTransfer

DIM_AFTER_S = 0.15  # a ranking that takes longer is seen to be made; most take less


class RecommendScreen(FollowingScreen):
    """The wish, the ranking, and why the row under the cursor stands where it does."""

    MODE = "recommend"
    AUTO_FOCUS = "RankTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "details", "details", id="details"),
        Binding("i", "score", "score", id="score", tooltip="the whole score, each part with its reason"),
        Binding("v", "compare", "compare", id="compare", tooltip="compare the marked models side by side"),
        Binding("t", "next_task", "task", show=False, id="task", tooltip="recommend for another task"),
        Binding("o", "next_priority", "priority", show=False, id="sort", tooltip="weigh it otherwise"),
        Binding("x", "ask_context", "context", show=False, id="context", tooltip="ask for another context"),
        Binding("w", "ask_hardware", "what if", show=False, id="what_if", tooltip="rank for other hardware"),
        Binding("space", "mark", "mark", id="mark"),
        Binding("escape", "clear", "clear", show=False, id="clear"),
    ]

    answered: var[Answered | None] = var(None, init=False)

    def __init__(self) -> None:
        super().__init__()
        self._known = OnServer()
        self._known_of: tuple[tuple[Entry, ...], tuple[QueuedTransfer, ...]] = ((), ())
        self._is_begun = False
        self.add_class("-empty", update=False)  # as it is at first: no styles are worked out twice
        self._dimming: Timer | None = None

    def body(self) -> Iterable[Widget]:
        yield WishLine()
        yield Flowed(classes="note")
        yield Flowed(classes="empty")
        yield RankTable(columns_of(None), self._paint, id="recommend")
        yield About(classes="about")

    def on_mount(self) -> None:
        self._wishes = Wishes(self.tui)
        self._ranks = Ranks(self.tui, self._wanted, self._ranked)

    @property
    def _table(self) -> RankTable:
        return self.query_one(RankTable)

    # The ranking

    def show_state(self) -> None:
        if self._is_begun:
            self._ranks.look()
        else:
            self._is_begun = True
            self.after_paint(self._ranks.look)
        self._show_wish()
        self._table.refresh_rows()
        self._show_around()

    @property
    def _on_server(self) -> OnServer:
        entries, transfers = self.tui.models.entries, self.tui.transfers
        if entries is not self._known_of[0] or transfers is not self._known_of[1]:
            self._known, self._known_of = OnServer(entries, transfers), (entries, transfers)
        return self._known

    def _wanted(self) -> Asked:
        return Asked.now(self.tui, self._wishes.wish, self._wishes.hardware)

    def _ranked(self, answered: Answered | None) -> None:
        """A ranking is made, or (None) begins to be; the old one stays meanwhile."""
        if answered is not None:
            self.answered = answered
        if self._dimming is not None:
            self._dimming.stop()
        if self._ranks.is_busy:
            self._dimming = self.set_timer(DIM_AFTER_S, self._show_ranking)
        else:
            self._show_ranking()

    def watch_answered(self, before: Answered | None, answered: Answered | None) -> None:
        if self.is_mounted and answered is not None:
            was, now = before.asked if before is not None else None, answered.asked
            is_anew = was is None or (was.wish, was.hardware) != (now.wish, now.hardware)
            answer = answered.answer
            self._table.measure(columns_of(answer.machine.machine, answer.rows))
            self._table.show_ranking(answer.rows, anew=is_anew)

    def _show_ranking(self) -> None:
        if self.is_mounted:
            self._table.is_dim = self._ranks.is_busy
            self._table.refresh_rows()
            self._show_wish()
            self._show_around()
            self.refresh_bindings()

    # What is shown around it

    def _show_wish(self) -> None:
        self.query_one(WishLine).show_parts(self._wishes.parts(self.answered))

    def _show_around(self) -> None:
        """The note above the rows, what stands in their place, and the score of the one under the cursor."""
        answer = self.answered.answer if self.answered is not None else None
        above = notes(answer, self._ranks.trouble, self._wishes.hardware)
        empty = empty_lines(answer, self._ranks.trouble)
        self.set_class(bool(above), "-noted")
        self.set_class(bool(empty), "-empty")
        self.query_one(".note", Flowed).say(above)
        self.query_one(".empty", Flowed).say(empty)
        self.query_one(About).show_row(self.row)

    def _paint(self, item: RankRow) -> Mapping[str, Line | str]:
        row = item.ranked
        if item.is_rule:
            return {"rule": beneath(row.why, self._table.row_width)}
        return cells_of(row, self._on_server.words(row), is_marked=item.key in self._table.marked)

    def follow(self) -> None:
        self.query_one(About).show_row(self.row)

    def help_words(self) -> list[str]:
        """The columns, then what the line above them is about."""
        titles = [column.title for column in self._table.columns if column.title]
        what_if = ["what if"] if self._wishes.hardware is not None else []
        return [*what_if, *titles, "~", "also", "task", "priority", "what if"]

    # What the keys are about

    @property
    def row(self) -> Ranked | None:
        """The row under the cursor."""
        item = self._table.item if self.is_mounted else None
        return item.ranked if item is not None else None

    @property
    def _marked(self) -> list[Ranked]:
        marked = self._table.marked
        rows = self.answered.answer.rows if self.answered is not None else ()
        return [row for row in rows if row.name in marked]

    def chosen_models(self) -> list[Model]:
        row = self.row
        entry = self._on_server.entry_of(row) if row is not None else None
        return [entry.model] if entry is not None else []

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return False
        row = self.row
        if action in ("details", "score", "mark", "copy_name", "go_elsewhere"):
            return row is not None
        if action == "compare":
            return self.answered is not None and len(self.answered.answer.rows) >= COMPARED
        if action == "switch" and row is not None and not self.chosen_models():
            return self.tui.services.config.auto_pull and self.tui.connection.is_online
        return super().check_action(action, parameters)

    # The wish

    def _changed_wish(self) -> None:
        self._show_wish()
        self._ranks.look()

    def action_next_task(self) -> None:
        self._choose(following(self._wishes.wish.task))

    def action_next_priority(self) -> None:
        self._choose(following(self._wishes.wish.priority))

    def more_items(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """What has no key of its own, for the palette: every task and priority at once."""
        for task in Task:
            yield f"task_{task}", f"recommend for {task}", partial(self._choose, task)
        for priority in Priority:
            yield (
                f"priority_{priority}",
                f"recommend by priority: {priority}",
                partial(self._choose, priority),
            )

    def _choose(self, chosen: Task | Priority) -> None:
        self._wishes.choose(chosen)
        self._changed_wish()

    def action_ask_context(self) -> None:
        self.tui.act(self._ask(self._wishes.ask_context()), "choose a context")

    def action_ask_hardware(self) -> None:
        self.tui.act(self._ask(self._wishes.ask_hardware()), "choose hardware")

    async def _ask(self, question: Coroutine[Any, Any, None]) -> None:
        await question
        self._changed_wish()

    # Actions

    def on_table_chosen(self) -> None:
        self.action_details()

    def action_details(self) -> None:
        """Of an installed model what the server says; else its series in the catalog, at that tag."""
        row, answered = self.row, self.answered
        if (model := self.model) is not None:
            self.tui.show_details(model.sent)
        elif row is not None and answered is not None:
            if (details := offer_page(row, answered.asked.catalog)) is None:
                self.action_score()
                return
            self.app.push_screen(details)
            if (hardware := answered.asked.hardware) is not None:
                self.tui.tell(f"judged for the server's own machine, not for {hardware}")

    def action_score(self) -> None:
        row, answered = self.row, self.answered
        if row is not None and answered is not None:
            asked, suits = answered.asked, answered.suits.get(row.name, ())
            self.app.push_screen(score_page(row, asked.wish, suits, asked.hardware))

    def action_compare(self) -> None:
        """The marked rows; where these are fewer than two also the one under the cursor, and the first."""
        answered, row = self.answered, self.row
        if answered is None or row is None:
            return
        chosen = beside(self._marked, row, answered.answer.rows)
        self.app.push_screen(comparison(chosen, answered.asked.wish, answered.asked.hardware))

    def action_mark(self) -> None:
        self._table.mark()
        count = len(self._table.marked)
        self.tui.tell(
            f"{count} marked: v compares them, p pulls them, esc clears" if count else "none marked"
        )

    def action_clear(self) -> None:
        self.tui.clear_notifications()
        if self._table.clear_marks():
            self.tui.tell("no marks any more")

    def action_pull(self) -> None:
        """Exactly the tags that are marked, or the one under the cursor."""
        rows = self._marked or ([self.row] if self.row is not None else [])
        self.tui.act(self.tui.acts.pull(" ".join(each.name for each in rows), pull_facts(rows)), "pull")

    def action_switch(self) -> None:
        """What is not installed is pulled first, where that is configured."""
        row = self.row
        if self.model is not None or row is None:
            super().action_switch()
        elif (name := from_listed(row.name)) is not None:
            self.tui.act(self.tui.acts.switch_to(name), f"switch {row.name}")

    def action_copy_name(self) -> None:
        if (row := self.row) is not None:
            self.app.copy_to_clipboard(row.name)
            self.tui.tell(f"copied: {row.name}")

    async def action_go_elsewhere(self) -> None:
        """Where it is installed, runs or is pulled; else where it is offered."""
        if (row := self.row) is not None:
            await self.tui.show_elsewhere(self.MODE, self.model.sent if self.model is not None else row.name)

    def go_to(self, key: str) -> bool:
        """Put the cursor on a model."""
        return self._table.go_to(key)
