"""OLLAMA_HOST: the cases of Ollama's own envconfig/config_test.go (Host, ConnectableHost), and odd ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.endpoint import parse_endpoint
from modeltui.errors import UsageError
from modeltui.text import is_clean_line

# URL, and every spelling of it.
URLS: dict[str, list[str]] = {
    "http://127.0.0.1:11434": [
        "",
        "0.0.0.0",
        "127.0.0.1",
        "http://127.0.0.1:11434/",
        ":66000",
        ":-1",
        ":bad",
    ],
    "http://1.2.3.4:11434": ["1.2.3.4", " 1.2.3.4 ", '"1.2.3.4"', ' " 1.2.3.4 " ', "'1.2.3.4'"],
    "http://127.0.0.1:1234": [":1234", "0.0.0.0:1234", "127.0.0.1:1234"],
    "http://1.2.3.4:1234": ["1.2.3.4:1234"],
    "http://example.com:11434": ["example.com", "EXAMPLE.com", "example.com:", "HTTP://Example.COM:11434//"],
    "http://example.com:1234": ["example.com:1234", "example.com:+1234", "example.com:00000001234"],
    "http://127.0.0.1:0": [":0", ":000"],
    "http://[::1]:11434": ["[::1]", "[::]", "::", "::1", "[0:0:0:0:0:0:0:1]", "[::1"],
    "http://[::1]:1234": ["[::]:1234", "[::1]:1234"],
    "http://1.2.3.4:80": ["http://1.2.3.4"],
    "http://127.0.0.1:80": ["http://"],
    "http://1.2.3.4:4321": ["http://1.2.3.4:4321"],
    "https://1.2.3.4:443": ["https://1.2.3.4", "https://1.2.3.4:66000", "https://1.2.3.4:1234567890"],
    "https://127.0.0.1:4321": ["https://0.0.0.0:4321"],
    "https://example.com:443/ollama": ["https://example.com/ollama", "https://example.com:443/ollama/"],
    "http://example.com:443": ["example.com:443"],
    "https://example.com:443/Ollama": ["https://example.com/Ollama"],
    "http://gpubox:11434/a/b": ["gpubox/a/b/"],
    "https://ollama.com:443": ["ollama.com"],
    "http://[2001:db8::1]:80": ["[2001:DB8:0:0::1]:80"],
    "http://gpu-box_1.local:65535": ["gpu-box_1.local:65535"],
    "http://localhost:11434": ["localhost"],
}
SECRET = "pa55w0rd"
WITH_USER = [
    *[
        f"http://me:{SECRET}@gpubox:11434",
        f"me:{SECRET}@gpubox",
        f"{SECRET}@gpubox",
        f"ftp://me:{SECRET}@gpubox",
    ],
    *[f"https://me:{SECRET}@[::1]:1/x", f"http://me:{SECRET}/x@gpubox", f"http://me:a@{SECRET}@gpubox"],
    *[f"me:{SECRET}@http://gpubox", f"http://me:\x1b{SECRET}@gpubox"],
]
REFUSED = [
    *[
        "ftp://gpubox",
        "unix:///run/ollama.sock",
        "://",
        "://h",
        "https://h h",
        "a b",
        "h<1",
        "h%20x",
        "a:b:c",
    ],
    *["fe80::1%eth0", "http://h/x?token=1", "http://h/#x", "h\x1b[31m", "h\u202e", "ftp://\x1b[31m"],
    *["http://[x]", "h\\x", "x" * 600, "http://h\nx", "{h}", 'h/x"/', "h/x /"],
]


@pytest.mark.parametrize("url", URLS)
def test_urls_and_the_one_key_of_a_server(url: str) -> None:
    assert {parse_endpoint(spelling).url for spelling in [*URLS[url], url]} == {url}


@pytest.mark.parametrize("value", WITH_USER)
def test_user_info_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(UsageError, match="must not hold a user or a password") as caught:
        parse_endpoint(value)
    error = caught.value
    assert SECRET not in f"{error} {error!r} {error.args} {error.remedy} {error.url}"
    assert "token_env" in (error.remedy or "")


@pytest.mark.parametrize("value", REFUSED)
def test_what_no_server_can_be_at(value: str) -> None:
    with pytest.raises(UsageError, match="cannot use the address") as caught:
        parse_endpoint(value)
    assert is_clean_line(caught.value.message)


def test_loopback_and_plain_text() -> None:
    loopback = ["", "localhost", "127.9.9.9", "::1", "x.localhost", "https://127.0.0.1"]
    plain = ["192.168.1.5", "gpubox", "localhost.example.com", "mylocalhost"]
    every = [*loopback, *plain, "https://gpubox"]
    assert [each for each in every if parse_endpoint(each).is_loopback] == loopback
    assert [each for each in every if parse_endpoint(each).is_plain_remote] == plain


_NEAR = st.text(st.sampled_from("aZ1.:/[]@?#%+-_ \t\n\"'\x1b\u202eß℀\ud800")) | st.text(st.characters())


@given(st.sampled_from(["", "http://", "https://", "HTTP://", "x://"]), _NEAR)
def test_any_text_is_an_endpoint_or_refused(scheme: str, rest: str) -> None:
    try:
        endpoint = parse_endpoint(scheme + rest)
    except UsageError as error:
        assert is_clean_line(error.message)
    else:
        assert is_clean_line(endpoint.url)
        assert 0 <= endpoint.port <= 65535
        assert parse_endpoint(endpoint.url) == endpoint
