"""Clients of servers that the tests run."""

from collections.abc import AsyncIterator, Callable

import pytest

from modeltui.domain.endpoint import parse_endpoint
from modeltui.http import Access
from modeltui.ollama.client import OllamaServer
from modeltui.ollama.transport import Transport


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., OllamaServer]]:
    """Return what opens a client of a URL; all of them are closed at the end."""
    opened: list[OllamaServer] = []

    def connected(url: str, access: Access = Access()) -> OllamaServer:  # noqa: B008
        opened.append(OllamaServer(parse_endpoint(url), clock=lambda: 1_000, access=access))
        return opened[-1]

    yield connected
    for server in opened:
        await server.close()


@pytest.fixture
async def transport() -> AsyncIterator[Callable[..., Transport]]:
    """Return what opens the bare transport to a URL; all of them are closed at the end."""
    opened: list[Transport] = []

    def connected(url: str, access: Access = Access()) -> Transport:  # noqa: B008
        opened.append(Transport(parse_endpoint(url), access))
        return opened[-1]

    yield connected
    for each in opened:
        await each.close()
