import contextlib
import os
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from replay import (  # type: ignore[import-not-found, unused-ignore]
    TLS,
    Connection,
    Request,
    response,
    serving,
)

from modeltui import __version__
from modeltui.errors import ConfigError
from modeltui.http import Access, make_client
from modeltui.text import clean_line

NONE = Access()
TRUSTING = Access(ca_file=TLS / "ca.pem")


@pytest.fixture
def tls() -> ssl.SSLContext:
    """A server's side of TLS, with the certificate for 127.0.0.1."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "server.pem")
    return context


async def _get(
    url: str, path: str = "/x", access: Access = NONE, *, direct: bool = True, follow: bool = False
) -> httpx.Response:
    async with make_client(url, access=access, direct=direct, follow_redirects=follow) as client:
        return await client.get(path)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_loopback_never_meets_the_proxy(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(response("{}")) as server, serving(response("proxied")) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        assert (await _get(server.url)).text == "{}"
        assert (len(server.requests), proxy.connections) == (1, 0)
        # Another host is asked through it, but for the exceptions of the environment.
        assert (await _get("http://gpubox.invalid:11434", "/api/version", direct=False)).text == "proxied"
        assert proxy.last.target == "http://gpubox.invalid:11434/api/version"
        monkeypatch.setenv("NO_PROXY", ".invalid")
        with pytest.raises(httpx.ConnectError):
            await _get("http://gpubox.invalid:11434", direct=False)
        assert proxy.connections == 1


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "gopher://u:p4ssw0rd@127.0.0.1", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_a_config_error(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if proxy.startswith("socks5"):
        monkeypatch.setitem(sys.modules, "socksio", None)  # whether it is installed must not matter here
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ConfigError, match="proxy") as caught:
        make_client("http://gpubox:11434")
    assert "p4ssw0rd" not in str(caught.value)
    make_client("http://127.0.0.1:11434", direct=True)


async def test_headers() -> None:
    mine = Access((("Authorization", "Bearer abc-123"), ("Host", "localhost:11434")))
    async with serving(response("{}")) as server:
        await _get(server.url, access=mine)
        sent = server.last.headers
        await _get(server.url, access=Access((("user-agent", "mine"),)))
        assert server.last.headers["user-agent"] == "mine"
    assert (sent["user-agent"], sent["accept-encoding"]) == (f"modeltui/{__version__}", "identity")
    assert (sent["authorization"], sent["host"]) == ("Bearer abc-123", "localhost:11434")
    assert "origin" not in sent
    assert set(mine.secrets) == {"Bearer abc-123", "abc-123"}  # a Host is none
    harmless = (("X-Team", "llama"), ("Accept", "text/plain"))
    assert Access((*harmless, ("X-Odd", "0123456789abcdef"))).secrets == ("0123456789abcdef",)
    assert "abc-123" not in repr(mine)


async def test_redirects_are_followed_only_where_asked(tls: ssl.SSLContext) -> None:
    async with serving(response("there")) as plain, serving(response("unsafe"), tls) as safe:
        goals = {"/plain": plain.url, "/safe": safe.url}

        async def move(request: Request, connection: Connection) -> None:
            await connection.send(response("", 302, None, f"Location: {goals[request.target]}/y"))

        async with serving(move) as here:
            assert (await _get(here.url, "/plain")).status_code == 302
            assert plain.connections == 0
            assert (await _get(here.url, "/plain", follow=True)).text == "there"
            with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
                await _get(here.url, "/safe", follow=True)
        assert safe.requests == []


BAD_FILES = [
    *[
        (key, path)
        for key in ("ca_file", "client_cert")
        for path in ("nowhere.pem", "empty.pem", "no.pem", "a\0b")
    ],
    *[
        ("ca_file", "."),
        ("client_cert", str(TLS / "ca.pem")),
        ("client_cert", str(TLS / "client_locked.pem")),
    ],
]


@pytest.mark.parametrize(("key", "name"), BAD_FILES)
def test_files_that_cannot_be_used_name_their_key(key: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    (tmp_path / "no.pem").write_text("no certificate")
    path = tmp_path / name
    with pytest.raises(ConfigError) as caught:
        make_client("https://h", access=Access(**{key: path}))  # type: ignore[arg-type]
    assert caught.value.message.startswith(f"{key} “{clean_line(str(path))}” cannot be used: ")
    assert key in (caught.value.remedy or "")


_AT_A_TERMINAL = f"""
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY)
from pathlib import Path
from modeltui.http import Access, make_client
make_client("https://h", access=Access(client_cert=Path({str(TLS / "client_locked.pem")!r})))
"""


def test_a_locked_key_is_not_asked_for_at_the_terminal() -> None:
    """OpenSSL opens /dev/tty by itself: under a screen that would be a program that hangs."""
    ours, theirs = os.openpty()
    words = [sys.executable, "-c", _AT_A_TERMINAL]
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while b"phrase" not in said and (part := os.read(ours, 4096)):
            said += part
    os.close(ours)
    process.kill()
    process.wait()
    assert b"phrase" not in said
    assert b"ConfigError: client_cert" in said.replace(b"\r\n", b"")


async def test_certificates_are_always_verified(tls: ssl.SSLContext) -> None:
    async with serving(response("safe"), tls) as server:
        assert (await _get(server.url, access=TRUSTING)).text == "safe"
        wrong_name = server.url.replace("127.0.0.1", "localhost")
        for get in (
            _get(server.url),  # loopback is no exception
            _get(server.url, direct=False),
            _get(server.url, follow=True),
            _get(server.url, access=Access(client_cert=TLS / "client.pem")),
            _get(server.url.replace("https", "HTTPS")),
            _get(wrong_name, access=TRUSTING),
        ):
            with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
                await get
        assert len(server.requests) == 1


async def test_a_client_certificate_is_presented(tls: ssl.SSLContext) -> None:
    tls.load_verify_locations(TLS / "ca.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    async with serving(response("known"), tls) as server:
        known = Access(ca_file=TLS / "ca.pem", client_cert=TLS / "client.pem")
        assert (await _get(server.url, access=known)).text == "known"
        with pytest.raises(httpx.TransportError):
            await _get(server.url, access=TRUSTING)
        assert len(server.requests) == 1


def test_a_plain_server_needs_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a client for http must not read a store of certificates: it costs 20 ms and may be broken."""
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: pytest.fail("read"))
    make_client("http://127.0.0.1:11434", direct=True)
