"""Clients of servers that the tests run, by both ways to ask: the lean one of this machine, and httpx."""

from collections.abc import AsyncIterator, Callable

import pytest

from modeltui.domain.endpoint import parse_endpoint
from modeltui.http import Access
from modeltui.ollama.client import OllamaServer
from modeltui.ollama.transport import Transport

WAYS = ("lean", "httpx")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How a GET of a server on this machine is asked; all else goes through httpx anyway."""
    return str(request.param)


def _settled(transport: Transport, way: str) -> Transport:
    if way == "httpx":
        transport._plain = None
    return transport


@pytest.fixture
async def connect(way: str) -> AsyncIterator[Callable[..., OllamaServer]]:
    """Return what opens a client of a URL; all of them are closed at the end."""
    opened: list[OllamaServer] = []

    def connected(url: str, access: Access = Access()) -> OllamaServer:  # noqa: B008
        opened.append(OllamaServer(parse_endpoint(url), clock=lambda: 1_000, access=access))
        _settled(opened[-1]._transport, way)
        return opened[-1]

    yield connected
    for server in opened:
        await server.close()


@pytest.fixture
async def transport(way: str) -> AsyncIterator[Callable[..., Transport]]:
    """Return what opens the bare transport to a URL; all of them are closed at the end."""
    opened: list[Transport] = []

    def connected(url: str, access: Access = Access()) -> Transport:  # noqa: B008
        opened.append(_settled(Transport(parse_endpoint(url), access), way))
        return opened[-1]

    yield connected
    for each in opened:
        await each.close()
