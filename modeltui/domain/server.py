"""What a server can be asked: the protocol that services know and `ollama/` fulfils."""

import re
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Protocol

from modeltui.domain.endpoint import Endpoint
from modeltui.domain.models import Account, Chunk, LoadedModel, Model, ModelDetails
from modeltui.domain.names import ModelName
from modeltui.errors import UsageError

if TYPE_CHECKING:
    from modeltui.domain.events import PullEvent
from modeltui.text import clean_line


class Capability(StrEnum):
    """What a kind of server can do at all."""

    PULL = "pull"
    LOAD = "load"
    COPY = "copy"
    DELETE = "delete"
    CREATE = "create"
    GENERATE = "generate"
    EMBED = "embed"
    BLOBS = "blobs"
    ACCOUNT = "account"


class Keep(Enum):
    """Keep-alives that are no length of time."""

    FOREVER = "forever"
    SERVER_DEFAULT = "default"


KeepAlive = timedelta | Keep


class Server(Protocol):
    """One server. Every method raises only errors of `modeltui.errors.ServerError`."""

    @property
    def endpoint(self) -> Endpoint: ...

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    async def version(self) -> str | None:
        """Its version in its own words; None where it is too old to say."""

    async def models(self) -> tuple[Model, ...]:
        """What is installed, newest first."""

    async def loaded(self) -> tuple[LoadedModel, ...]:
        """What is loaded now; Unsupported before 0.1.38."""

    async def show(self, name: ModelName) -> ModelDetails:
        """Facts of one model; NotFound when it is not installed or cannot be opened."""

    async def load(
        self,
        name: ModelName,
        keep_alive: KeepAlive = Keep.SERVER_DEFAULT,
        options: Mapping[str, object] | None = None,
    ) -> None:
        """Return when it is in memory. Cancelling it aborts the load."""

    async def unload(self, name: ModelName) -> None:
        """Ask for the memory back; requests under way end first, so look at `loaded` for the end."""

    def pull(self, name: ModelName, *, insecure: bool = False) -> "AsyncGenerator[PullEvent, None]":
        """The server's events of one pull, ending in Success, ServerError or Closed; closing it cancels."""

    async def copy(self, source: ModelName, destination: ModelName) -> None:
        """Give a model a second name; an existing destination is overwritten silently."""

    async def delete(self, name: ModelName) -> None:
        """Remove a name and every layer that no other name uses."""

    async def create(self, name: ModelName, source: ModelName, parameters: Mapping[str, object]) -> None:
        """Make a model on the weights of `source` with other parameters."""

    def generate(
        self, name: ModelName, prompt: str, options: Mapping[str, object] | None = None
    ) -> AsyncGenerator[Chunk, None]:
        """Pieces of an answer; the last one carries the metrics."""

    async def embed(self, name: ModelName, text: str) -> tuple[float, ...]:
        """The embedding of one text."""

    async def has_blob(self, digest: str) -> bool:
        """Whether a layer (`sha256:…`) lies on the server."""

    async def account(self) -> Account | None:
        """Who is signed in; None when nobody is."""

    async def close(self) -> None:
        """Give connections back."""


def parse_keep_alive(text: str) -> KeepAlive:
    """Read what people type: `30m`, `1h30m`, `90s`, `0`, `forever`, `default`; raises UsageError."""
    word = text.strip().lower()
    if word in ("forever", "always", "-1"):
        return Keep.FOREVER
    if word == "default":
        return Keep.SERVER_DEFAULT
    if word == "0":
        return timedelta(0)
    match = re.fullmatch(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?", word)
    if not word or match is None:
        raise UsageError(
            f"cannot read the keep-alive “{clean_line(text, 60)}”",
            remedy="write 30m, 1h30m, 90s, forever or default",
        )
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
