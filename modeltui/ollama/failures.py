"""Tells what went wrong with a request to one server as errors: in its words, with the remedy, no secret."""

import json
import re
from collections.abc import Sequence

from modeltui import errors
from modeltui.ollama import wire
from modeltui.ollama.calls import MOST_ERROR, Answer, Call
from modeltui.text import clean_line

_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")

HOST_REMEDY = (
    "the server refuses this host name: name it by its address, start it with OLLAMA_HOST=0.0.0.0, "
    'or set headers = { Host = "localhost:11434" } for it in config.toml'
)
NAME_REMEDY = "check the server's address, and whether names can be looked up here"
SIGN_IN_REMEDY = "sign in: run `ollama signin` on the server; behind a proxy set token_env or headers for it"

HUNG_UP = "the server closed the connection"
BROKE = "the connection broke"
COMPRESSED = "an answer that is compressed, though nobody asked for that"


class Failures:
    """The errors of one server at `url`."""

    def __init__(self, url: str, secrets: Sequence[str]) -> None:
        self._url = url
        self._secrets = secrets

    def error(
        self,
        kind: type[errors.ServerError],
        call: Call,
        words: str,
        status: int | None = None,
        remedy: str | None = None,
    ) -> errors.ServerError:
        return kind(
            f"cannot {call.what}",
            url=self._url + call.path,
            status=status,
            words=words,
            remedy=remedy,
            secrets=self._secrets,
        )

    def garbled(self, call: Call, words: str) -> errors.Garbled:
        error = self.error(errors.Garbled, call, words)
        assert isinstance(error, errors.Garbled)
        return error

    def no_http(self, call: Call, why: str) -> errors.ServerError:
        return self.error(errors.Garbled, call, f"not HTTP as it should be: {why}")

    def silent(self, call: Call) -> errors.ServerError:
        """Nothing came for as long as the call allows."""
        return self.error(errors.TimedOut, call, f"no answer for {call.quiet_s:.0f} s")

    def refusal(self, call: Call, answer: Answer) -> errors.ServerError:
        """The error that a status other than 200 stands for (reference: error shapes of the API)."""
        status = answer.status
        words = self.words(answer)
        is_json = "json" in answer.content_type
        lowered = words.casefold()
        if 300 <= status < 400:
            return self.error(errors.Garbled, call, f"redirected (HTTP {status}), not followed", status)
        if status == 404 and is_json:
            return self.error(errors.NotFound, call, words, status)
        if status in (404, 405, 501) or "does not support" in lowered:
            plain = f"the server does not know {call.method} {call.path} (HTTP {status})"
            unsupported = words if is_json and words else plain
            return self.error(errors.Unsupported, call, unsupported, status)
        if status == 403 and not answer.body:
            return self.error(errors.Refused, call, "HTTP 403", status, HOST_REMEDY)
        if status in (401, 402, 403, 407):
            return self.error(errors.Refused, call, words or f"HTTP {status}", status, SIGN_IN_REMEDY)
        if status == 429 or (status == 503 and "busy" in lowered):
            return self.error(errors.Busy, call, words, status)
        if status >= 500 or status == 499:
            return self.error(errors.ServerFailed, call, words or f"HTTP {status}", status)
        if status >= 400:
            return self.error(errors.Refused, call, words or f"HTTP {status}", status)
        return self.error(errors.Garbled, call, f"unexpected HTTP status {status}", status)

    def words(self, answer: Answer) -> str:
        """What an error body says: its JSON message, the title of a page, or the text itself."""
        written = answer.body[:MOST_ERROR].decode("utf-8", "replace").strip()
        if written.startswith("{"):
            try:
                said = wire.error_words(json.loads(written))
            except (ValueError, RecursionError):
                said = None
            if said:
                return self.clean(said)
        if "<html" in written[:1000].casefold() or "<!doctype" in written[:100].casefold():
            title = _TITLE.search(written)
            page = self.clean((title[1] if title else _TAG.sub(" ", written)).strip())
            return f"a web page: {page[:200]}".strip()
        return self.clean(written)

    def clean(self, words: str) -> str:
        """Foreign words for a person: one line, without this server's secrets."""
        stripped = clean_line(errors.strip_secrets(words, self._secrets))  # before anything is cut off
        return errors.strip_secrets(stripped, self._secrets)
