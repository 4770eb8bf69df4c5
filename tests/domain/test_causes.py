"""What a server says when a pull fails: the table of the reference (recorded texts: test_recorded_pulls)."""

import pytest

from modeltui.domain.causes import POLICIES, Cause, Policy, classify, verdict
from modeltui.errors import strip_secrets
from modeltui.text import clean_line

# Cause, and words of it; `…` stands for "pull model manifest: ".
TEXTS = """
unknown_model        | …file does not exist
unknown_model        | …404: not here
needs_newer_server   | …412: The model requires a newer version of Ollama.
needs_newer_server   | …412: The model you pull requires a newer version of Ollama (in pre-release).
needs_newer_server   | …412: something else
unauthorized         | …401: {"error":"Invalid username or password."}
unauthorized         | …403: gated
unauthorized         | unauthorized: access denied
unauthorized         | realm host "huggingface.co" does not match original host "hf.co"
unauthorized         | …realm host "" does not match original host "127.0.0.1:5001"
registry_refused     | …400: {"error":"The specified tag is a sharded GGUF. Ollama does not yet."}
registry_refused     | …400: {"error":"Repository is not GGUF or is not compatible with llama.cpp"}
registry_refused     | …400: {"error":"The specified tag is not available in the repository."}
registry_refused     | …400: anything
disk                 | write /x/blobs/sha256-ab-partial: no space left on device
disk                 | max retries exceeded: write /x/blobs/sha256-ab-partial: no space left on device
disk                 | write C:\\blobs: There is not enough space on the disk.
disk                 | write /x: disk quota exceeded
network              | max retries exceeded: unexpected EOF
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
canceled_by_server   | context canceled
unsupported          | http: no Location header in response
unsupported          | this model requires MLX support, but the MLX runtime is not available
digest               | digest mismatch, file must be downloaded again: want sha256:ab, got sha256:cd
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
    mute = {str(cause) for cause in Cause if verdict(cause).remedy is None}
    assert mute == {
        *("by_you", "delete_in_progress", "network", "server_failed"),
        *("canceled_by_server", "invalid_name"),
    }
    failing = {str(cause) for cause, policy in POLICIES.items() if policy is Policy.FAIL}
    assert failing == {
        *("unknown_model", "invalid_name", "needs_newer_server", "unauthorized"),
        *("plain_http_registry", "registry_refused", "unsupported"),
    }
