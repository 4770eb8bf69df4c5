"""One request to a server and its answer, as every way to send it sees them; and how much is ever read."""

from collections.abc import Mapping
from dataclasses import dataclass

MOST_BODY = 64 * 2**20
MOST_LINE = 8 * 2**20  # the line buffer of Ollama's own client
MOST_ERROR = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Call:
    """One request: what it is for (words for an error), where to, and how long it may take in seconds.

    `quiet_s` bounds the wait for the next byte, `total_s` all of it; None is without limit.
    """

    what: str
    method: str
    path: str
    body: Mapping[str, object] | None = None
    quiet_s: float | None = 10.0
    total_s: float | None = 30.0

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing there, so that it may be sent twice (RFC 9110, 9.2.1): GET and show."""
        return self.method == "GET" or self.path == "/api/show"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer."""

    status: int
    content_type: str
    body: bytes
