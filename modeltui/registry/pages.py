"""Reads the pages of the live library: links and the text around them, whatever the page is styled like.

Nothing is bound to CSS classes, which change: a model is a link to /library/NAME, a tag one to
/library/NAME:TAG, and what is said of them is told by its form (12 hex digits, 4.9GB, 128K, 93 Tags).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from modeltui.domain.catalog.merging import Card, ListedTag
from modeltui.text import clean_line

MOST_MODELS, MOST_TAGS = 5000, 2000
_MOST_PULLS = 10**15
_MOST_PIECES = 200  # of text that belongs to one link
_AT_ONCE, _LONGEST = 1 << 16, 1 << 20  # characters that are read together, and of one tag or script
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}", re.ASCII)
_CAPABILITIES = frozenset({"tools", "vision", "embedding", "thinking", "insert", "image", "audio", "cloud"})
_INPUTS = frozenset({"text", "image", "audio", "video"})
_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "head", "nav", "footer"})
_DIGEST = re.compile(r"(?<![0-9a-z])[0-9a-f]{12}(?![0-9a-z])")
_SIZE = re.compile(r"(?<![\w.])([0-9]{1,6}(?:\.[0-9]{1,6})?) ?([KMGT]B)(?!\w)")
_CONTEXT = re.compile(r"(?<![\w.-])([0-9]{1,6}(?:\.[0-9]{1,6})?) ?([KM])(?![\w-])")
_PULLS = re.compile(
    r"(?<![0-9,.])([0-9][0-9,]{0,15}(?:\.[0-9]+)?) ?([KMB]?) ?(?:Pulls|Downloads)(?!\w)", re.IGNORECASE
)
_TAGS = re.compile(r"(?<![\w.])([0-9]{1,5}) ?Tags?(?!\w)", re.IGNORECASE)
_AGO = re.compile(
    r"(?<!\w)(?:about )?([0-9]{1,4}|an?) (minute|hour|day|week|month|year)s? ago", re.IGNORECASE
)
_DATE = re.compile(r"([A-Z][a-z]{2}) ([0-9]{1,2}), ([0-9]{4}) ([0-9]{1,2}):([0-9]{2}) ([AP])M UTC")
_BYTES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_COUNTS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}
_TOKENS = {"K": 1024, "M": 1024**2}
_HOUR = 3_600_000
_AGES = {
    "minute": _HOUR // 60,
    "hour": _HOUR,
    "day": 24 * _HOUR,
    "week": 7 * 24 * _HOUR,
    "month": 30 * 24 * _HOUR,
    "year": 365 * 24 * _HOUR,
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def read_cards(page: str, now_ms: int) -> tuple[Card, ...]:
    """The models on the page of all models, in its order; empty where it has no link to one."""
    found: dict[str, Card] = {}
    for path, pieces in _linked(page):
        if _NAME.fullmatch(path) and path not in found and len(found) < MOST_MODELS:
            found[path] = _card(path, pieces, now_ms)
    return tuple(found.values())


def read_tags(page: str, model: str) -> tuple[ListedTag, ...]:
    """The tags on a model's page of tags, in its order; empty where it has no link to one."""
    texts: dict[str, list[str]] = {}
    for path, pieces in _linked(page):
        name, colon, tag = path.partition(":")
        if not colon or name.casefold() != model.casefold() or _NAME.fullmatch(tag) is None:
            continue
        if tag in texts or len(texts) < MOST_TAGS:
            texts.setdefault(tag, []).extend(pieces)
    return tuple(_tag(model, tag, pieces) for tag, pieces in texts.items())


class _Linked(HTMLParser):
    """Gathers pieces of text, and titles, behind each link into the library up to the next such link."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, list[str]]] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._unseen.clear()
        if tag in _UNSEEN:
            if tag not in self._unseen:  # its end closes them all: a list of few, however deep they are
                self._unseen.append(tag)
            return
        values = dict(attrs)
        path = _library_path(values.get("href") or "") if tag == "a" else None
        if path is not None:
            self.found.append((path, []))
        self._keep(values.get("title") or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _UNSEEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]

    def handle_data(self, data: str) -> None:
        self._keep(data)

    def _keep(self, text: str) -> None:
        words = " ".join(text.split())
        if words and self.found and not self._unseen and len(self.found[-1][1]) < _MOST_PIECES:
            self.found[-1][1].append(clean_line(words))


def _linked(page: str) -> Iterator[tuple[str, list[str]]]:
    """Each link's path behind /library/, with the pieces of text that follow it; none of what is no HTML.

    In pieces: html.parser looks from each `<` that nothing closes through all that it was given, and with
    a page of those takes hours. It raises AssertionError for a broken declaration (`<![`).
    """
    parser, at = _Linked(), 0
    while at < len(page):
        cut = page.rfind("<", at + 1, at + _AT_ONCE)  # where no text is cut in two
        end = cut if cut > at and len(page) > at + _AT_ONCE else at + _AT_ONCE
        try:
            parser.feed(page[at:end])
        except AssertionError:
            return
        if len(parser.rawdata) > _LONGEST:
            return
        at = end
    yield from parser.found


def _library_path(href: str) -> str | None:
    """`llama3.1:8b` of /library/llama3.1:8b or of its whole address; None for any other link."""
    try:
        parts = urlsplit(href)
    except ValueError:
        return None
    if parts.netloc not in ("", "ollama.com", "www.ollama.com") or not parts.path.startswith("/library/"):
        return None
    path = unquote(parts.path.removeprefix("/library/")).rstrip("/")
    return path if path and "/" not in path else None


def _card(name: str, pieces: list[str], now_ms: int) -> Card:
    text = " ".join(pieces)
    pulls, tags = _last(_PULLS, text), _last(_TAGS, text)
    return Card(
        name=name,
        capabilities=frozenset(piece.casefold() for piece in pieces) & _CAPABILITIES - {"cloud"},
        pulls=_count(pulls) if pulls else None,
        tag_count=int(tags[1]) if tags else None,
        updated=_updated(text, now_ms),
        is_dated=_DATE.search(text) is not None,
    )


def _count(pulls: re.Match[str]) -> int | None:
    count = round(float(pulls[1].replace(",", "")) * _COUNTS[pulls[2].upper()])
    return count if count < _MOST_PULLS else None


def _last(form: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last place of that form: numbers stand behind the description, which may hold others."""
    found = None
    for found in form.finditer(text):  # noqa: B007
        pass
    return found


def _updated(text: str, now_ms: int) -> int | None:
    """The latest moment of the last change: a date where one is said, else "3 weeks ago" at its shortest."""
    if date := _last(_DATE, text):
        month, day, year, hour, minute, half = date.groups()
        if month in _MONTHS:
            try:
                moment = datetime(
                    *(int(year), _MONTHS.index(month) + 1, int(day)),
                    *(int(hour) % 12 + (12 if half == "P" else 0), int(minute)),
                    tzinfo=UTC,
                )
            except ValueError:
                return None
            return int(moment.timestamp()) * 1000 + 59_999
    if ago := _last(_AGO, text):
        count = int(ago[1]) if ago[1].isdigit() else 1
        return now_ms - count * _AGES[ago[2].casefold()]
    return now_ms if re.search(r"(?i)\b(yesterday|just now|moments? ago)\b", text) else None


def _tag(model: str, tag: str, pieces: list[str]) -> ListedTag:
    """One row; names are left out of what is searched: they hold sizes and digests of their own."""
    own = {f"{model}:{tag}".casefold(), tag.casefold(), model.casefold()}
    text = " · ".join(piece for piece in pieces if piece.casefold() not in own)
    digest, size, context = _DIGEST.search(text), _SIZE.search(text), _CONTEXT.search(text)
    inputs: set[str] = set()
    for piece in pieces:
        words = set(re.findall(r"[a-z]+", piece.casefold()))
        if "input" in words or words <= _INPUTS:
            inputs |= words & _INPUTS
    return ListedTag(
        tag=tag,
        digest=digest[0] if digest else None,
        size=round(float(size[1]) * _BYTES[size[2]]) if size else None,
        context=round(float(context[1]) * _TOKENS[context[2]]) if context else None,
        inputs=frozenset(inputs),
    )
