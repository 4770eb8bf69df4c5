import time
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui import errors
from modeltui.errors import HIDDEN, ModeltuiError, ServerError, strip_secrets

SECRET = "s3cr3t-M4rk"
STRIPPED = {
    f"http://user:{SECRET}@gpubox:11434/api": f"http://{HIDDEN}@gpubox:11434/api",
    f"see http://{SECRET}@gpubox.": f"see http://{HIDDEN}@gpubox.",
    f"http://u:p@{SECRET}@gpubox/x@y": f"http://{HIDDEN}@gpubox/x@y",
    f"https://h/p?token={SECRET}&x=1": f"https://h/p?token={HIDDEN}&x=1",
    f"https://h/p?x=1&API_KEY={SECRET}": f"https://h/p?x=1&API_KEY={HIDDEN}",
    f"https://h/p?X-Amz-Signature={SECRET}#frag": f"https://h/p?X-Amz-Signature={HIDDEN}#frag",
    f"https://h/p?page=2?token={SECRET};x": f"https://h/p?page=2?token={HIDDEN}",
    f"Authorization: Bearer {SECRET}": f"Authorization: Bearer {HIDDEN}",
    f"authorization: basic {SECRET}==": f"authorization: basic {HIDDEN}",
    f"'BEARER  {SECRET}'": f"'BEARER {HIDDEN}'",
}
LEFT_ALONE = [
    *["", "http://127.0.0.1:11434/api/tags", "mail me@example.com about a token", "hf.co/user/repo:Q4_K_M"],
    "https://h/p?stream=true&model=llama3.2:latest",
    "digest mismatch, file must be downloaded again: want sha256:ab, got sha256:cd",
]


def _every(kind: type[ModeltuiError]) -> list[type[ModeltuiError]]:
    below = [each for each in kind.__subclasses__() if each.__module__ == "modeltui.errors"]
    return [kind, *(found for each in below for found in _every(each))]


def test_secrets_are_found_by_where_they_stand_and_nothing_else_is() -> None:
    assert {raw: strip_secrets(raw) for raw in STRIPPED} == STRIPPED
    assert [strip_secrets(raw) for raw in LEFT_ALONE] == LEFT_ALONE
    assert strip_secrets("Bearer abcdef123", ["abcdef123", "Bearer abcdef123"]) == HIDDEN


@given(st.text(), st.text(min_size=4, alphabet="abcXYZ019-_.~+/="), st.text())
def test_a_known_secret_is_found_anywhere(before: str, secret: str, after: str) -> None:
    assert secret not in strip_secrets(before + secret + after, [secret]).replace(HIDDEN, "\0")


@pytest.mark.parametrize("piece", ["?key", "&token", "?key=", "://a", "://a@", "bearer ", "token\t"])
def test_hostile_text_costs_linear_time(piece: str) -> None:
    began = time.process_time()
    strip_secrets(piece * 20_000)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("kind", _every(ModeltuiError))
def test_no_secret_in_any_error(kind: type[ModeltuiError]) -> None:
    url = f"http://u:{SECRET}@gpubox:11434/?key={SECRET}"
    if issubclass(kind, ServerError):
        words = f"you sent {SECRET}\x1b[31m\nand " + "x" * 495 + SECRET
        known = (f"Bearer {SECRET}", SECRET)
        error: ModeltuiError = kind(
            f"cannot {SECRET}", url=f"{url}/{SECRET}", words=words, remedy=SECRET, secrets=known
        )
        assert not set("\x1b\n") & set(f"{error.message}{vars(error)['words']}")
    else:
        error = kind(f"cannot use {url}", remedy=f"open {url}", url=url)
        assert error.url == f"http://{HIDDEN}@gpubox:11434/?key={HIDDEN}"
    said = [*map(str, vars(error).values()), *map(str, error.args), str(error), repr(error)]
    assert SECRET[:8] not in "\n".join([*said, *traceback.format_exception(error)])


def test_a_server_error_says_where_why_and_what_to_do() -> None:
    busy = errors.Busy("cannot load m", url="http://h:1/x", status=503, words="server busy")
    assert busy.message == str(busy) == "cannot load m: server busy"
    assert (busy.url, busy.status, busy.words) == ("http://h:1/x", 503, "server busy")
    assert (busy.retryable, busy.remedy) == (True, errors.Busy.usual_remedy)
    assert errors.NotFound("cannot show m", url="http://h", status=404).message == "cannot show m: HTTP 404"
    assert errors.TimedOut("cannot show m", url="http://h").message == "cannot show m: timed out"
    mine = errors.Busy("w", url="u", remedy="mine", retryable=False)
    assert (mine.remedy, mine.retryable) == ("mine", False)


def test_codes_differ_and_only_what_time_may_mend_is_retryable() -> None:
    kinds = _every(ModeltuiError)
    assert len({kind.code for kind in kinds}) == len(kinds)
    retryable = {k.code for k in kinds if issubclass(k, ServerError) and k.retryable_by_default}
    assert retryable == {"unreachable", "timed_out", "busy", "server_failed"}
