"""Turning a well-formed JSON answer into a hostile or wrongly typed one of the same shape."""

HOSTILE_TEXTS = (
    "\x1b[2J\x1b[31mred\x1b[0m",
    "\x1b]0;taken over\x07title",
    "\u202egnp.exe\u202c\u2066x\u2069",
    "zero\u200bwidth\u200d\ufeff",
    "lone \ud800 surrogate",
    "[/x]",
    "[@click=app.quit]x[/]",
    "long " * 1000,
    "one\ntwo\r\nthree\ttab",
    "\x9b31mc1\x85\x00nul",
)
"""Texts that break a careless screen: ESC, OSC, bidi, zero-width, a surrogate, markup, length, newlines."""

_WRONG: dict[type, tuple[object, ...]] = {
    str: (17, None, ["x"], {"x": 1}, True),
    bool: ("yes", None, 3),
    int: ("many", None, [1], -1.5, {"n": 1}),
    float: ("some", None, [1.5]),
    list: ({"0": "x"}, None, "list", 5),
    dict: (["x"], None, "object", 7),
    type(None): ("null", 0),
}


class Twist:
    """Replaces values by turns, so that one answer shows many kinds of wrong."""

    def __init__(self) -> None:
        self._turn = 0

    def hostile(self, value: object) -> object:
        """Replace every string of `value`, keys apart."""
        if isinstance(value, dict):
            return {key: self.hostile(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.hostile(item) for item in value]
        return self._next(HOSTILE_TEXTS) if isinstance(value, str) else value

    def wrong_types(self, value: object) -> object:
        """Give every field another type; the outermost object and the objects of its lists stay."""
        if not isinstance(value, dict):
            return self._next(_WRONG[type(value)])
        return {key: self._wrong_field(item) for key, item in value.items()}

    def _wrong_field(self, value: object) -> object:
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            # The entries stay objects, so that each of their fields is met wrong, too.
            return [*(self.wrong_types(item) for item in value), self._next(_WRONG[dict])]
        return self._next(_WRONG[type(value)])

    def _next(self, choices: tuple[object, ...]) -> object:
        self._turn += 1
        return choices[self._turn % len(choices)]
