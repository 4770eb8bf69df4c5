"""The errors that reach a user: what failed, where, why and what to do; secrets are stripped here.

ModeltuiError
├── UsageError          the command line asks for something impossible
│   └── InvalidName     a model name Ollama's grammar refuses
├── ConfigError         a file and a key of the configuration
├── StoreError          the database cannot be used
├── NeedsYes            a question stands and nobody is there to answer it
├── Refusal             modeltui itself refuses (the current model, a name that is taken, ...)
├── NoSuchModel         the server holds no model of that name
├── NoSuchServer        no server of that name is configured
├── Declined            the person said no
└── ServerError         a request to an Ollama server or a registry failed
    ├── Unreachable, TimedOut, NotFound, Refused, Unsupported, Busy, ServerFailed, Garbled
"""

import re
from collections.abc import Iterable
from typing import ClassVar

from modeltui.text import clean_line

HIDDEN = "***"
_SHORTEST_SECRET = 4
_LONGEST_MESSAGE = 2000
_USER_INFO = re.compile(r"(?<=://)[^/\s\"'<>]+@")  # a password may hold an @ itself
# Names end where the next could begin, and are never tried twice: linear on hostile text.
_SECRET_QUERY = re.compile(
    r"(?i)([?&;](?=[^=&?;#\s\"']*(?:key|token|secret|passw|pwd|auth|sig|credential|session|code))"
    r"[^=&?;#\s\"']*+=)[^&#\s\"']+"
)
# Not the scheme "digest": "digest mismatch" is what a damaged download is known by.
_SCHEME_VALUE = re.compile(r"(?i)\b(bearer|basic|token)(\s+|%20)[A-Za-z0-9+/=_.~:-]{4,}")


def strip_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` without `secrets`, user-info in URLs, secret query values and authorization values."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, HIDDEN)
    text = _USER_INFO.sub(f"{HIDDEN}@", text)
    text = _SECRET_QUERY.sub(rf"\g<1>{HIDDEN}", text)
    return _SCHEME_VALUE.sub(rf"\g<1> {HIDDEN}", text)


class ModeltuiError(Exception):
    """An error with a message for people, an optional `url` and the `remedy`; `code` names its kind.

    `alternatives` are names that may have been meant.
    """

    code: ClassVar[str] = "failed"

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        url: str | None = None,
        alternatives: Iterable[str] = (),
    ) -> None:
        self.message = clean_line(strip_secrets(message), _LONGEST_MESSAGE)
        self.remedy = clean_line(strip_secrets(remedy), _LONGEST_MESSAGE) if remedy else None
        self.url = clean_line(strip_secrets(url)) if url else None
        self.alternatives = tuple(clean_line(strip_secrets(name)) for name in alternatives)
        super().__init__(self.message)


class UsageError(ModeltuiError):
    code = "usage"


class InvalidName(UsageError):
    code = "invalid_name"


class ConfigError(ModeltuiError):
    code = "config"


class StoreError(ModeltuiError):
    code = "store"


class NeedsYes(ModeltuiError):
    code = "needs_yes"


class Declined(ModeltuiError):
    code = "declined"


class Refusal(ModeltuiError):
    code = "refusal"


class NoSuchModel(ModeltuiError):
    code = "no_such_model"


class NoSuchServer(ModeltuiError):
    code = "no_such_server"


class ServerError(ModeltuiError):
    """A request failed. `words` are the server's own, cleaned; `retryable` says whether waiting may mend it.

    `secrets` (header values, tokens) are removed from everything before anything is kept.
    """

    code = "server"
    retryable_by_default: ClassVar[bool] = False
    usual_remedy: ClassVar[str | None] = None

    def __init__(
        self,
        what: str,
        *,
        url: str,
        status: int | None = None,
        words: str = "",
        remedy: str | None = None,
        retryable: bool | None = None,
        secrets: Iterable[str] = (),
    ) -> None:
        known = tuple(secrets)
        self.status = status
        self.words = strip_secrets(clean_line(strip_secrets(words, known)), known)
        self.retryable = self.retryable_by_default if retryable is None else retryable
        why = self.words or (f"HTTP {status}" if status else self.code.replace("_", " "))
        message = clean_line(strip_secrets(f"{what}: {why}", known), 1024)
        chosen = remedy if remedy is not None else self.usual_remedy
        super().__init__(
            message,
            remedy=strip_secrets(chosen, known) if chosen else None,
            url=strip_secrets(url, known),
        )


class Unreachable(ServerError):
    code = "unreachable"
    retryable_by_default = True
    usual_remedy = "start it there (`ollama serve`, `systemctl start ollama`) or name another: --server URL"


class TimedOut(ServerError):
    code = "timed_out"
    retryable_by_default = True
    usual_remedy = "the server accepts connections and does not answer: look at its log, or restart it"


class NotFound(ServerError):
    code = "not_found"


class Refused(ServerError):
    code = "refused"


class Unsupported(ServerError):
    code = "unsupported"


class Busy(ServerError):
    code = "busy"
    retryable_by_default = True
    usual_remedy = "try again in a moment"


class ServerFailed(ServerError):
    code = "server_failed"
    retryable_by_default = True
    usual_remedy = "look at the server's log"


class Garbled(ServerError):
    code = "garbled"
    usual_remedy = "check that the URL is an Ollama server's and not a proxy's or another program's"


def defect(error: BaseException) -> ModeltuiError:
    """An error nobody foresaw, told without a traceback but with the place."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown place"
    return ModeltuiError(
        f"a defect of modeltui: {type(error).__name__}: {error}",
        remedy=f"please report it with what you did and this place: {place}",
    )
