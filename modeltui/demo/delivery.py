"""Sending an answer to a client, with the troubles that change, cut or delay it on the way."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from modeltui.demo.faults import Kind, Trouble
from modeltui.demo.http1 import JSON, Answer, Connection, Request, Stream, data_answer, encode
from modeltui.demo.refusals import Dropped, Refusal
from modeltui.demo.twist import Twist

_ENDLESS_RATE = 1_000_000
_ENDLESS_PAUSE = 0.05
_STATUS_BODIES: dict[int, tuple[str, str | None]] = {
    302: ("", None),
    401: ('{"error":"unauthorized"}', JSON),
    403: ("", None),
    404: ("404 page not found", "text/plain"),
    503: ('{"error":"server busy, please try again.  maximum pending requests exceeded"}', JSON),
}
_ERROR_PAGE = "<html><head><title>{0}</title></head><body><h1>{0} from a proxy</h1></body></html>"


def status_answer(value: object, path: str) -> Answer:
    """Return the answer of a STATUS fault: a status, or [status, body]; 302 leads to itself."""
    status, body = (value[0], str(value[1])) if isinstance(value, list | tuple) else (value, None)
    status = status if isinstance(status, int) and 200 <= status <= 599 else 500
    text, content_type = _STATUS_BODIES.get(status, (_ERROR_PAGE.format(status), "text/html"))
    if body is not None:
        text, content_type = body, JSON if body.startswith("{") else "text/html"
    headers = {"Location": path} if 300 <= status < 400 else {}
    return Answer(status, text.encode(), content_type, headers)


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def wait_before(trouble: Trouble) -> None:
    """Let DELAY and HANG pass before anything is answered."""
    if fault := trouble.get(Kind.DELAY):
        await asyncio.sleep(fault.value if isinstance(fault.value, int | float) else 1)
    if trouble.get(Kind.HANG):
        await _for_ever()


class Delivery:
    """One answer on its way over one connection."""

    def __init__(self, connection: Connection, request: Request, trouble: Trouble) -> None:
        self._connection = connection
        self._request = request
        self._trouble = trouble
        self._twist = Twist()
        self._sent = 0

    async def deliver(self, result: Answer | Stream) -> None:
        """Send all of it; raises Dropped where a fault ends the connection."""
        if isinstance(result, Stream):
            async with aclosing(result.lines) as lines:
                await self._stream(lines, result.content_type)
        else:
            await self._whole(result)

    async def _whole(self, answer: Answer) -> None:
        if fault := self._trouble.get(Kind.STREAM_ERROR):
            answer = data_answer({"error": str(fault.value or "something went wrong")}, 500)
        if answer.has_data:
            answer = data_answer(self._twisted(answer.data), answer.status, answer.content_type or JSON)
        body = answer.encoded()
        if fault := self._trouble.get(Kind.MALFORMED):
            body = str(fault.value).encode() if fault.value is not None else body[: max(1, len(body) // 2)]
        if self._trouble.get(Kind.ENDLESS):
            self._head(answer.status, answer.content_type, {"Transfer-Encoding": "chunked"})
            await self._endless()
        if not body and (fault := self._trouble.get(Kind.RESET, Kind.CUT)):
            raise Dropped(reset=fault.kind is Kind.RESET)
        self._head(answer.status, answer.content_type, {**answer.headers, "Content-Length": str(len(body))})
        await self._connection.send(b"" if self._request.method == "HEAD" else await self._until_cut(body))

    async def _until_cut(self, body: bytes) -> bytes:
        """Send what goes before a cut, reset or stall; return what is left to send."""
        fault = self._trouble.get(Kind.RESET, Kind.CUT, Kind.STALL)
        if fault is None:
            return body
        await self._connection.send(body[: fault.after_bytes])
        await self._break_off(fault.kind, fault.value)
        return body[fault.after_bytes :]

    async def _break_off(self, kind: Kind, value: object) -> None:
        if kind is not Kind.STALL:
            raise Dropped(reset=kind is Kind.RESET)
        if not isinstance(value, int | float):
            await _for_ever()
        else:
            await asyncio.sleep(value)
        self._trouble.forget(Kind.STALL)

    async def _stream(self, lines: AsyncGenerator[dict[str, Any], None], content_type: str) -> None:
        try:
            first = await anext(lines)
        except Refusal as refusal:
            await self._whole(data_answer(refusal.data, refusal.status))
            return
        self._head(200, content_type, {"Transfer-Encoding": "chunked"})
        try:
            await self._line(first)
            async for line in lines:
                if not (line.get("done") and self._trouble.get(Kind.NO_SUCCESS)):
                    await self._line(line)
        except Refusal as refusal:
            await self._connection.chunk(encode(self._twisted(refusal.data)) + b"\n")
        await self._connection.last_chunk()

    async def _line(self, line: dict[str, Any]) -> None:
        """Send one line and what strikes in it or behind it; raises Refusal for an in-stream error."""
        data = encode(self._twisted(line)) + b"\n"
        fault = self._trouble.get(Kind.RESET, Kind.CUT, Kind.STALL)
        if fault is not None and self._sent + len(data) >= fault.after_bytes:
            split = max(0, fault.after_bytes - self._sent)
            await self._connection.chunk(data[:split])
            await self._break_off(fault.kind, fault.value)
            data, self._sent = data[split:], self._sent + split
        await self._connection.chunk(data)
        self._sent += len(data)
        if fault := self._trouble.due(Kind.STREAM_ERROR, self._sent):
            raise Refusal(500, str(fault.value or "something went wrong"))
        if fault := self._trouble.due(Kind.MALFORMED, self._sent):
            self._trouble.forget(Kind.MALFORMED)
            broken = '{"status":"pulling' if fault.value is None else str(fault.value)
            await self._connection.chunk(broken.encode() + b"\n")
        if self._trouble.due(Kind.ENDLESS, self._sent):
            await self._endless()

    async def _endless(self) -> None:
        """Send one line that never ends, at a bounded speed."""
        fault = self._trouble.get(Kind.ENDLESS)
        value = fault.value if fault is not None else None
        rate = value if isinstance(value, int | float) and value > 0 else _ENDLESS_RATE
        await self._connection.chunk(b'{"error":"')
        while True:
            await self._connection.chunk(b"x" * max(1, int(rate * _ENDLESS_PAUSE)))
            await asyncio.sleep(_ENDLESS_PAUSE)

    def _twisted(self, data: object) -> object:
        if self._trouble.get(Kind.WRONG_TYPES):
            return self._twist.wrong_types(data)
        return self._twist.hostile(data) if self._trouble.get(Kind.HOSTILE) else data

    def _head(self, status: int, content_type: str | None, headers: Mapping[str, str]) -> None:
        own = {} if content_type is None else {"Content-Type": content_type}
        closing = {} if self._request.keeps_alive else {"Connection": "close"}
        self._connection.head(status, {**own, **headers, **closing})
