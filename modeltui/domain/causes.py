"""Why a transfer does not go on: the server's words sorted into causes, each with what to do about it.

Source of the words: ollama server/download.go, server/images.go and the recorded exchanges.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

from modeltui.domain.names import DEFAULT_HOST


class Cause(StrEnum):
    """Why a transfer waits, failed or stands still; stored, so never renamed."""

    BY_YOU = "by_you"
    DISK = "disk"
    NO_ROOM = "no_room"
    SHARED_LAYERS = "shared_layers"
    DELETE_IN_PROGRESS = "delete_in_progress"
    NO_SECRET = "no_secret"
    NO_SERVER = "no_server"
    NETWORK = "network"
    SERVER_FAILED = "server_failed"
    CANCELED_BY_SERVER = "canceled_by_server"
    UNKNOWN_MODEL = "unknown_model"
    INVALID_NAME = "invalid_name"
    NEEDS_NEWER_SERVER = "needs_newer_server"
    UNAUTHORIZED = "unauthorized"
    REALM = "realm"
    PLAIN_HTTP_REGISTRY = "plain_http_registry"
    REGISTRY_REFUSED = "registry_refused"
    UNSUPPORTED = "unsupported"
    GARBLED = "garbled"
    DIGEST = "digest"
    DAMAGED = "damaged"
    DEFECT = "defect"


class Policy(Enum):
    """What a cause asks for."""

    RETRY = "retry"
    RETRY_SOON = "retry soon"
    RETRY_FEW = "retry few times"
    OTHER_NAME = "retry once under the registry's other name, where it has one"
    BLOCK = "block"
    FAIL = "fail"


POLICIES: dict[Cause, Policy] = {
    Cause.BY_YOU: Policy.BLOCK,
    Cause.DISK: Policy.BLOCK,
    Cause.NO_ROOM: Policy.BLOCK,
    Cause.SHARED_LAYERS: Policy.BLOCK,
    Cause.DELETE_IN_PROGRESS: Policy.BLOCK,
    Cause.NO_SECRET: Policy.BLOCK,
    Cause.NO_SERVER: Policy.BLOCK,
    Cause.DEFECT: Policy.BLOCK,
    Cause.NETWORK: Policy.RETRY,
    Cause.SERVER_FAILED: Policy.RETRY,
    Cause.GARBLED: Policy.RETRY,
    Cause.CANCELED_BY_SERVER: Policy.RETRY_SOON,
    Cause.DIGEST: Policy.RETRY_FEW,
    Cause.DAMAGED: Policy.RETRY_FEW,
    Cause.REALM: Policy.OTHER_NAME,
    Cause.UNKNOWN_MODEL: Policy.FAIL,
    Cause.INVALID_NAME: Policy.FAIL,
    Cause.NEEDS_NEWER_SERVER: Policy.FAIL,
    Cause.UNAUTHORIZED: Policy.FAIL,
    Cause.PLAIN_HTTP_REGISTRY: Policy.FAIL,
    Cause.REGISTRY_REFUSED: Policy.FAIL,
    Cause.UNSUPPORTED: Policy.FAIL,
}

MOST_AGAIN: dict[Cause, int] = {Cause.DIGEST: 2, Cause.DAMAGED: 1}
"""How often what is retried few times is: each of these fetches all or much of the model anew."""

_REMEDIES: dict[Cause, str] = {
    Cause.DISK: "free space on the server's disk, then resume it: modeltui queue resume",
    Cause.NO_ROOM: "free space there, then: modeltui queue resume; or insist: modeltui pull NAME --yes",
    Cause.NO_SECRET: "set the variable in the environment that runs the queue",
    Cause.NO_SERVER: "put the server back into config.toml, or cancel the transfer",
    Cause.UNKNOWN_MODEL: "check the name and the tag; a private model is unknown to a server not signed in",
    Cause.NEEDS_NEWER_SERVER: "upgrade Ollama on the server, or pick another tag",
    Cause.UNAUTHORIZED: (
        "run `ollama signin` on the server; where a proxy before it refuses, set token_env or headers for it"
    ),
    Cause.REALM: "check the name; if it is private, register the server's key with the registry",
    Cause.REGISTRY_REFUSED: "pick another tag or quantization",
    Cause.UNSUPPORTED: "pull from a registry that redirects blobs, or a tag this server can run",
    Cause.DIGEST: "the registry or a proxy delivers damaged bytes: try later or from elsewhere",
    # The server takes a damaged file that an earlier pull left for the one it needs, and verifies it never.
    Cause.DAMAGED: "run modeltui verify --quarantine on the server's machine, then pull it again",
    Cause.DEFECT: "please report it with these words; the other transfers go on",
    Cause.GARBLED: "check that the URL is an Ollama server's and not a proxy's",
}

_HUGGING_FACE = frozenset({"hf.co", "huggingface.co"})
_HUGGING_FACE_KEY = (
    "check the name; for a gated or private model accept its terms there, and add the server's key "
    "(.ollama/id_ed25519.pub of its user) at huggingface.co/settings/keys"
)

# In this order: the first text found (without case) decides.
_WORDS: tuple[tuple[str, Cause], ...] = (
    ("no space left on device", Cause.DISK),
    ("not enough space on the disk", Cause.DISK),
    ("disk quota exceeded", Cause.DISK),
    ("digest mismatch", Cause.DIGEST),
    ("requires a newer version of ollama", Cause.NEEDS_NEWER_SERVER),
    ("manifest: 412", Cause.NEEDS_NEWER_SERVER),
    ("requires mlx support", Cause.UNSUPPORTED),
    ("no location header in response", Cause.UNSUPPORTED),
    ("does not look like a tls handshake", Cause.PLAIN_HTTP_REGISTRY),
    ("server gave http response to https client", Cause.PLAIN_HTTP_REGISTRY),
    ('realm host "" does not', Cause.UNAUTHORIZED),  # a 401 without a challenge
    ('original host "registry.ollama.ai"', Cause.NETWORK),  # an outage there
    ("does not match original host", Cause.REALM),
    ("the server does not know", Cause.GARBLED),  # a proxy, while the server behind it is away
    ("sharded gguf", Cause.REGISTRY_REFUSED),
    ("not gguf", Cause.REGISTRY_REFUSED),
    ("tag is not available", Cause.REGISTRY_REFUSED),
    ("max retries exceeded", Cause.NETWORK),
    ("context canceled", Cause.CANCELED_BY_SERVER),
    ("invalid model name", Cause.INVALID_NAME),
    ("invalid port", Cause.INVALID_NAME),
    ("use either :local or :cloud", Cause.INVALID_NAME),
    ("model is required", Cause.INVALID_NAME),
    ("file does not exist", Cause.UNKNOWN_MODEL),
    ("manifest: 404", Cause.UNKNOWN_MODEL),
    ("manifest: 401", Cause.UNAUTHORIZED),
    ("manifest: 403", Cause.UNAUTHORIZED),
    ("unauthorized", Cause.UNAUTHORIZED),
    ("access denied", Cause.UNAUTHORIZED),
    ("manifest: 400", Cause.REGISTRY_REFUSED),
    ("manifest: 5", Cause.NETWORK),
    ("i/o timeout", Cause.NETWORK),
    ("no such host", Cause.NETWORK),
    ("connection re", Cause.NETWORK),  # refused, reset
    ("context deadline exceeded", Cause.NETWORK),
    ("tls handshake timeout", Cause.NETWORK),
    ("network is unreachable", Cause.NETWORK),
    ("eof", Cause.NETWORK),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A cause and what follows from it."""

    cause: Cause
    policy: Policy


def verdict(cause: Cause) -> Verdict:
    return Verdict(cause, POLICIES[cause])


def remedy(cause: Cause, host: str) -> str | None:
    """What mends a cause, for a model of the registry at `host`; None where waiting or nothing does."""
    registry = host.casefold()
    if cause in (Cause.UNAUTHORIZED, Cause.REALM) and registry in _HUGGING_FACE:
        return _HUGGING_FACE_KEY
    if cause is Cause.UNAUTHORIZED and registry != DEFAULT_HOST:
        return f"register the key of the server (.ollama/id_ed25519.pub) with {registry}, or check the name"
    if cause is Cause.PLAIN_HTTP_REGISTRY:
        return f'mark it in config.toml: [registries."{registry}"] insecure = true'
    return _REMEDIES.get(cause)


def classify(words: str, status: int | None = None) -> Verdict:
    """Sort the words of a failed pull (in the stream, or with an HTTP `status`) into a cause.

    Words that nothing is known about are taken for a failure of the server, which a retry may mend;
    with an HTTP status of 4xx they are a refusal, which it cannot.
    """
    lowered = words.casefold()
    for fragment, cause in _WORDS:
        if fragment in lowered:
            return verdict(cause)
    if status in (401, 402, 403):
        return verdict(Cause.UNAUTHORIZED)
    if status is not None and 400 <= status < 500 and status not in (408, 425, 429, 499):
        return verdict(Cause.REGISTRY_REFUSED)
    return verdict(Cause.SERVER_FAILED)
