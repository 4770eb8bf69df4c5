"""What the screens of the catalog share: which downloads the keys are about, and what they do with them."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from modeltui.domain.models import Model
from modeltui.services.offerwords import age_words
from modeltui.tui.holdings import Holdings
from modeltui.tui.screens.base import FollowingScreen

if TYPE_CHECKING:
    from modeltui.domain.machines.machine import Machine
    from modeltui.tui.catalogview import CatalogRow


class OfferScreen(FollowingScreen):
    """A screen on which downloads stand; where one is installed its model's keys work, too."""

    def __init__(self) -> None:
        super().__init__()
        self.holdings = Holdings()

    @property
    def row(self) -> "CatalogRow | None":
        """The download under the cursor."""
        raise NotImplementedError

    @property
    def machine(self) -> "Machine | None":
        """The server's machine; None while it is not known."""
        advised = self.tui.advice
        return advised.advice.machine if advised is not None else None

    def chosen_rows(self) -> "list[CatalogRow]":
        """Those that are marked, or else the one under the cursor."""
        return [self.row] if self.row is not None else []

    def chosen_models(self) -> list[Model]:
        found = [entry.model for row in self.chosen_rows() if (entry := self.holdings.entry_of(row))]
        return list({model.sent: model for model in found}.values())

    @property
    def model(self) -> Model | None:
        entry = self.holdings.entry_of(self.row) if self.row is not None else None
        return entry.model if entry is not None else None

    def ask_again(self) -> str:
        """No server is asked for what stands here: how old it is, and what reads it anew."""
        catalog = self.tui.catalog
        if catalog is None:
            return "the catalog is being read"
        age = age_words(catalog.as_of, self.tui.now())
        return f"catalog of {age} · modeltui catalog refresh (or ctrl+p) reads the live library"

    def more_items(self) -> "Iterator[tuple[str, str, Callable[[], object]]]":
        """What has no key: for the palette."""
        yield "pull_typed", "pull: type a name, also of another registry", self._pull_typed
        yield "refresh_catalog", "refresh catalog: read the live library, asked first", self._refresh_catalog

    def _pull_typed(self, suggestion: str = "") -> None:
        self.tui.act(self.tui.acts.pull(suggestion), "pull")

    def _refresh_catalog(self) -> None:
        from modeltui.tui.catalogdeeds import refresh_catalog

        self.tui.act(refresh_catalog(self.tui), "refresh the catalog")

    def words_of_row(self) -> list[str]:
        """Words of the glossary that stand on the row under the cursor."""
        row = self.row
        if row is None:
            return []
        entry = self.holdings.entry_of(row)
        words = [] if entry is None else ["current model" if entry.is_current else "○"]
        words += ["▲"] if entry is not None and entry.newer is not None else []
        words += ["↓"] if self.holdings.is_pulled(row) else []
        return [*words, *(["mac only"] if row.offer.tag.is_apple_only else [])]

    # Actions

    def action_pull(self) -> None:
        """Just what is shown; where nothing is, a name is asked for."""
        from modeltui.tui.catalogdeeds import pull_rows

        rows = self.chosen_rows()
        if not rows:
            self._pull_typed(self.typed_words())
            return
        work = pull_rows(self.tui, self.tui.acts, rows)
        self.tui.act(work, f"pull {' '.join(row.key for row in rows)}")

    def typed_words(self) -> str:
        """What a person has typed here that may be a name."""
        return ""

    def action_copy_name(self) -> None:
        if self.row is not None:
            self.app.copy_to_clipboard(self.row.key)
            self.tui.tell(f"copied: {self.row.key}")

    async def action_go_elsewhere(self) -> None:
        if self.row is not None:
            model = self.model
            await self.tui.show_elsewhere("catalog", model.sent if model is not None else self.row.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("copy_name", "go_elsewhere"):
            return self.row is not None
        return super().check_action(action, parameters)
