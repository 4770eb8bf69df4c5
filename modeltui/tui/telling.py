"""What the program says: one line at a time in the status line, errors until they are read."""

from textual.app import App
from textual.reactive import var
from textual.timer import Timer

from modeltui.errors import ModeltuiError

NOTICE_S = 8.0
ERROR_S = 15.0


class TellingApp(App[int]):
    """`notice` is the line that is said now, and its ink; `doing` what is done, by the models' names."""

    doing: var[dict[str, str]] = var(dict, init=False)
    notice: var[tuple[str, str]] = var(("", ""), init=False)

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._waiting: list[tuple[str, str]] = []
        self._forgetting: Timer | None = None

    def tell(self, text: str, ink: str = "") -> None:
        """One line in the status line, for a while."""
        self.notice = (text, ink)
        if self._forgetting is not None:
            self._forgetting.stop()
        self._forgetting = self.set_timer(NOTICE_S, self._forget)

    def tell_in_turn(self, text: str, ink: str = "attention") -> None:
        """One line about what nobody asked for just now: it waits until the line is free."""
        if self.notice[0]:
            self._waiting.append((text, ink))
        else:
            self.tell(text, ink)

    def is_telling(self, text: str) -> bool:
        """Whether a line is said now, or waits until it can be."""
        return bool(text) and text in (self.notice[0], *(waiting for waiting, _ in self._waiting))

    def retell(self, before: str, text: str, ink: str) -> None:
        """Put a line in the place of one that is said or waits; where neither is so, it is told in turn."""
        if before and before == self.notice[0]:
            self.tell(text, ink)
            return
        for at, (waiting, _) in enumerate(self._waiting):
            if waiting == before:
                self._waiting[at] = (text, ink)
                return
        self.tell_in_turn(text, ink)

    def _forget(self) -> None:
        self.notice = ("", "")
        if self._waiting:
            self.tell(*self._waiting.pop(0))

    def tell_error(self, error: ModeltuiError) -> None:
        """What failed, where, why and what to do, until it is read or dismissed."""
        where = f"\n{error.url}" if error.url else ""
        remedy = f"\n{error.remedy}" if error.remedy else ""
        self.notify(f"{error.message}{where}{remedy}", severity="error", timeout=ERROR_S, markup=False)

    def set_doing(self, key: str, words: str | None) -> None:
        """Say what is being done with a model, or that nothing is any more."""
        doing = {**self.doing, key: words or ""}
        if words is None:
            del doing[key]
        self.doing = doing
