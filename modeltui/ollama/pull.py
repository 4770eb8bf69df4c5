"""The stream of `/api/pull` as events: one line, one event; closing the generator cancels the pull.

A failure is an event, never an exception, so that the reducer alone decides what follows from it.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from modeltui import errors
from modeltui.domain.causes import Cause
from modeltui.domain.events import Closed, Layer, PullEvent, ServerError, Status, Success
from modeltui.domain.names import ModelName
from modeltui.ollama import wire
from modeltui.ollama.calls import Call
from modeltui.ollama.transport import Transport


async def pull_events(
    transport: Transport, name: ModelName, *, insecure: bool, clock: Callable[[], int]
) -> AsyncGenerator[PullEvent, None]:
    """Yield the server's events until Success, ServerError or Closed, which is always the last one."""
    body: dict[str, object] = {"model": name.short, "name": name.short, "stream": True}
    if insecure:
        body["insecure"] = True
    call = Call(f"pull {name.short}", "POST", "/api/pull", body, None, None)
    try:
        async with aclosing(transport.lines(call)) as lines:
            async for line in lines:
                event = decode(line, clock(), transport.clean)
                if event is not None:
                    yield event
                if isinstance(event, (Success, ServerError)):
                    return
        yield Closed(clock(), "the stream ended without success")
    except errors.Garbled as error:
        yield Closed(clock(), error.words, cause=Cause.GARBLED)
    except (errors.Unreachable, errors.TimedOut) as error:
        yield Closed(clock(), error.words)
    except errors.ServerError as error:
        yield ServerError(clock(), error.words, error.status)


def decode(line: dict[str, Any], at: int, clean: Callable[[str], str]) -> PullEvent | None:
    """One line of the stream; None for a line that says nothing.

    Lines are told apart by their fields: progress has a digest (some servers send it without a
    status), zero values are left out.
    """
    if "error" in line:
        words = wire.error_words(line) or wire.line(line["error"]) or "an error without words"
        return ServerError(at, clean(words))
    digest = wire.line(line.get("digest"))
    total = wire.integer(line.get("total"))
    if digest and total:
        # A server that fetches all layers side by side says no status (OLLAMA_EXPERIMENT=client2).
        return Layer(at, digest, total, wire.integer(line.get("completed")) or 0, in_order="status" in line)
    status = wire.line(line.get("status"))
    if status is None:
        return None
    return Success(at) if status == "success" else Status(at, status)
