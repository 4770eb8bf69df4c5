"""What a server says when a pull fails: the table of the reference (recorded texts: test_recorded_pulls)."""

import pytest

from modeltui.domain.causes import MOST_AGAIN, POLICIES, Cause, Policy, classify, remedy, verdict
from modeltui.errors import strip_secrets
from modeltui.text import clean_line

# Cause, and words of it; `…` stands for "pull model manifest: ".
TEXTS = """
unknown_model        | …file does not exist
unknown_model        | …404: not here
needs_newer_server   | …412: The model requires a newer version of Ollama.
needs_newer_server   | …412: The model you pull requires a newer version of Ollama (in pre-release).
needs_newer_server   | …412: {"errors":[{"message":"This requires a newer version of Ollama.\\n\\nGet it"}]}
needs_newer_server   | …412: this model requires a newer version of Ollama that may be in pre-release
needs_newer_server   | …412: something else
needs_newer_server   | needs a newer Ollama: this server is 0.24.0 (…412: something else)
unauthorized         | …401: {"error":"Invalid username or password."}
unauthorized         | …403: gated
unauthorized         | unauthorized: access denied
unauthorized         | …401: {"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}
unauthorized         | …realm host "" does not match original host "127.0.0.1:5001"
realm                | …realm host "huggingface.co" does not match original host "hf.co"
realm                | …realm host "auth.lan" does not match original host "registry.lan:5000"
network              | …realm host "ollama.com" does not match original host "registry.ollama.ai"
registry_refused     | …400: {"error":"The specified tag is a sharded GGUF. Ollama does not support this."}
registry_refused     | …400: {"error":"Repository is not GGUF or is not compatible with llama.cpp"}
registry_refused     | …400: {"error":"The specified tag is not available in the repository."}
registry_refused     | …400: anything
disk                 | write /x/blobs/sha256-ab-partial: no space left on device
disk                 | max retries exceeded: write /x/blobs/sha256-ab-partial: no space left on device
disk                 | write C:\\blobs: There is not enough space on the disk.
disk                 | write /x: disk quota exceeded
network              | max retries exceeded: unexpected EOF
network              | max retries exceeded: EOF
network              | max retries exceeded: net/http: TLS handshake timeout
network              | max retries exceeded: lookup x.r2.cloudflarestorage.com: no such host
network              | read tcp 10.0.0.1:1->2.2.2.2:443: i/o timeout
network              | …dial tcp: lookup registry.ollama.ai on 127.0.0.53:53: no such host
network              | read tcp 10.0.0.1:1->2.2.2.2:443: connection reset by peer
network              | dial tcp 127.0.0.1:1: connect: connection refused
network              | dial tcp: connect: network is unreachable
network              | context deadline exceeded (Client.Timeout exceeded while awaiting headers)
network              | EOF
network              | …500: <html>oops</html>
network              | …503: <html><body><h1>503 Service Unavailable</h1>No server is available.</body></html>
canceled_by_server   | context canceled
unsupported          | http: no Location header in response
unsupported          | this model requires MLX support, but the MLX runtime is not available
digest               | digest mismatch, file must be downloaded again: want sha256:ab, got sha256:cd
garbled              | the server does not know POST /api/pull (HTTP 404)
plain_http_registry  | tls: first record does not look like a TLS handshake
plain_http_registry  | http: server gave HTTP response to HTTPS client
invalid_name         | invalid model name
invalid_name         | Get "https://127.0.0.1:99999/v2/a/b": dial tcp: address 99999: invalid port
invalid_name         | model is required
invalid_name         | use either :local or :cloud, not both: "foo:cloud:local"
server_failed        | something nobody has seen
server_failed        |
"""
ROWS = [[cell.strip() for cell in row.split("|")] for row in TEXTS.strip().splitlines()]


@pytest.mark.parametrize(("cause", "words"), ROWS)
def test_words(cause: str, words: str) -> None:
    words = words.replace("…", "pull model manifest: ")
    assert {classify(each).cause for each in (words, words.upper())} == {Cause(cause)}
    assert classify(clean_line(strip_secrets(words))).cause == cause  # as the client hands them on


def test_words_that_nothing_is_known_about_are_judged_by_the_status() -> None:
    found = {status: classify("nobody has seen this", status).cause for status in (*range(400, 600), None)}
    assert {status for status, cause in found.items() if cause is Cause.UNAUTHORIZED} == {401, 402, 403}
    retried = {status for status, cause in found.items() if cause is Cause.SERVER_FAILED}
    assert retried == {408, 425, 429, 499, *range(500, 600), None}
    assert found[400] is found[404] is Cause.REGISTRY_REFUSED
    assert classify("file does not exist", 500).cause is Cause.UNKNOWN_MODEL  # known words count first


def test_every_cause_has_a_policy_and_what_a_person_can_mend_a_remedy() -> None:
    for cause in Cause:
        assert (verdict(cause).cause, verdict(cause).policy) == (cause, POLICIES[cause])
    assert {cause for cause in Cause if POLICIES[cause] is Policy.RETRY_FEW} == set(MOST_AGAIN)
    mute = {str(cause) for cause in Cause if remedy(cause, "registry.ollama.ai") is None}
    assert mute == {
        *("by_you", "delete_in_progress", "shared_layers", "network", "server_failed"),
        *("canceled_by_server", "invalid_name"),
    }
    failing = {str(cause) for cause, policy in POLICIES.items() if policy is Policy.FAIL}
    assert failing == {
        *("unknown_model", "invalid_name", "needs_newer_server", "unauthorized"),
        *("plain_http_registry", "registry_refused", "unsupported"),
    }


def test_the_remedy_is_the_registrys_own() -> None:
    """Ollama's wants a sign-in, Hugging Face a key and the terms, any other the server's key."""
    ollama, face, other = (
        remedy(Cause.UNAUTHORIZED, host) or ""
        for host in ("registry.ollama.ai", "HF.co", "registry.lan:5000")
    )
    assert "`ollama signin`" in ollama
    assert "huggingface.co/settings/keys" in face and "terms" in face
    assert "registry.lan:5000" in other and "id_ed25519.pub" in other
    assert remedy(Cause.REALM, "huggingface.co") == face
    assert "registry" in (remedy(Cause.REALM, "registry.lan:5000") or "")
    plain = remedy(Cause.PLAIN_HTTP_REGISTRY, "127.0.0.1:5001")
    assert plain == 'mark it in config.toml: [registries."127.0.0.1:5001"] insecure = true'
