"""How a request ends badly: with the server's own error, or with the line cut."""


class Refusal(Exception):
    """An error the server tells: a status with `{"error": text}`, or a last line once a stream began."""

    def __init__(self, status: int, text: str, **more: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.more = more

    @property
    def data(self) -> dict[str, str]:
        return {"error": self.text, **self.more}


class Dropped(Exception):
    """The connection ends here without a word: reset, or closed."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset
