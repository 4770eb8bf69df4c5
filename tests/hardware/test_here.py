"""Whether a server is on this machine: with real sockets, and with listeners and addresses made up."""

import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from modeltui.hardware.here import (
    Here,
    Listener,
    directory_to_be,
    holds_manifest,
    is_here,
    listeners_on,
    models_directories,
    own_addresses,
    resolve,
)

PORT = 11434
OURS = ("127.0.0.1", "::1", "192.168.1.20", "fe80::1%eth0")


def on(address: str, process: str | None) -> Callable[[int], tuple[Listener, ...]]:
    return lambda _: (Listener(address, process),)


OLLAMA = on("0.0.0.0", "ollama")


def decide(
    host: str,
    listeners: Callable[[int], tuple[Listener, ...] | None] = OLLAMA,
    answers: bool = False,
    names: tuple[str, ...] = (),
) -> Here:
    return is_here(
        host,
        PORT,
        configured=None,
        answers=answers,
        listeners=listeners,
        addresses=lambda: OURS,
        resolver=lambda _: names,
    )


@pytest.fixture
def listening() -> Iterator[int]:
    """The port of a socket that this process really listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if listeners_on(port) is None:
            pytest.skip("this system shows sockets to root only")
        yield port


def no_look(*_: object) -> tuple[str, ...]:
    raise AssertionError("nothing has to be looked up")


@pytest.mark.parametrize("local", [True, False])
def test_the_configuration_wins(local: bool) -> None:
    found = is_here(
        "10.0.0.1",
        PORT,
        configured=local,
        listeners=lambda _: pytest.fail("not asked"),
        addresses=no_look,
        resolver=no_look,
    )
    assert found == Here(local, f"the configuration says local = {str(local).lower()}")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost.", "::ffff:127.0.0.1", "0.0.0.0", ""])
def test_a_real_listener_of_this_process(listening: int, host: str) -> None:
    found = is_here(host, listening, configured=None, answers=True)
    assert found.here
    assert psutil.Process().name() in found.why


def test_a_real_port_that_nothing_listens_on(listening: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert is_here("127.0.0.1", port, configured=None).here
    assert not is_here("127.0.0.1", port, configured=None, answers=True).here


def test_real_addresses_and_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "127.0.0.1" in own_addresses()
    assert resolve("127.0.0.1") == ("127.0.0.1",)
    assert resolve("a" * 70 + ".example") == ()

    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert resolve("no-such-host") == ()


@pytest.mark.parametrize(
    "process",
    [
        "ssh",
        "sshd",
        "sshd-session",
        "docker-proxy",
        "rootlessport",
        "slirp4netns",
        "conmon",
        "containerd-shim-runc-v2",
        "com.docker.backend.exe",
        "wslrelay.exe",
        "kubectl",
        "socat",
        "nginx",
    ],
)
def test_a_tunnel_or_a_proxy_leads_elsewhere(process: str) -> None:
    for host, address in (("127.0.0.1", "127.0.0.1"), ("localhost", "::"), ("192.168.1.20", "0.0.0.0")):
        found = decide(host, on(address, process))
        assert not found.here
        assert process in found.why


@pytest.mark.parametrize("process", ["ollama", "ollama.exe", "python3", "llama-server"])
def test_a_server_of_this_machine(process: str) -> None:
    assert decide("localhost", on("127.0.0.1", process)).here
    assert decide("[::1]", on("::", process)).here
    assert decide("192.168.1.20", on("0.0.0.0", process)).here
    assert decide("fe80::1%eth1", on("::", process)).here


def test_a_hidden_listener_is_taken_for_a_server() -> None:
    assert decide("localhost", on("127.0.0.1", None)) == Here(
        True, "localhost is this machine; another user's process listens on port 11434"
    )
    assert decide("localhost", lambda _: None).why.endswith("who listens on port 11434 can't be seen")


def test_the_exact_address_is_preferred_to_any_address() -> None:
    both = (Listener("127.0.0.1", "ssh"), Listener("0.0.0.0", "ollama"))
    assert not decide("127.0.0.1", lambda _: both).here
    assert decide("192.168.1.20", lambda _: both).here


def test_another_machine() -> None:
    assert not decide("192.168.1.21").here
    assert not decide("8.8.8.8").here
    assert decide("203.0.113.9").why == "203.0.113.9 is not an address of this machine"


def test_names_are_resolved() -> None:
    assert decide("gpubox", names=("127.0.1.1", "192.168.1.20")).here
    assert not decide("gpubox", names=("192.168.1.20", "10.0.0.1")).here
    assert not decide("gpubox").here
    assert "no address" in decide("nowhere\x1b[2J").why
    assert "\x1b" not in decide("nowhere\x1b[2J").why


def test_an_odd_listener_address_is_passed_over() -> None:
    assert (
        decide("127.0.0.1", on("*", "ssh")).why
        == "127.0.0.1 is this machine, and nothing listens on port 11434"
    )


def test_sockets_that_can_not_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kind: str) -> list[object]:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refuse)
    assert listeners_on(PORT) is None


def a_socket(port: int, pid: int | None, status: str = psutil.CONN_LISTEN) -> SimpleNamespace:
    return SimpleNamespace(laddr=SimpleNamespace(ip="0.0.0.0", port=port), pid=pid, status=status)


def a_process(name: str, *words: str) -> SimpleNamespace:
    return SimpleNamespace(info={"name": name, "cmdline": list(words) or None})


@pytest.mark.parametrize(
    ("processes", "expected"),
    [
        ([a_process("docker-proxy", "docker-proxy", "-host-port", "11434")], "docker-proxy"),
        ([a_process("docker-proxy", "docker-proxy", "-host-port", "8080", "11434")], None),
        ([a_process("ssh", "ssh", "-L", "9999:localhost:11434")], None),
        ([a_process("kthreadd")], None),
    ],
)
def test_a_docker_proxy_is_known_by_its_command_line(
    monkeypatch: pytest.MonkeyPatch, processes: list[SimpleNamespace], expected: str | None
) -> None:
    sockets = [a_socket(PORT, None), a_socket(80, 1), a_socket(PORT, 2, psutil.CONN_ESTABLISHED)]
    monkeypatch.setattr(psutil, "net_connections", lambda kind: sockets)
    monkeypatch.setattr(psutil, "process_iter", lambda attributes: iter(processes))
    assert listeners_on(PORT) == (Listener("0.0.0.0", expected),)


def test_a_process_that_ends_meanwhile_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(pid: int) -> object:
        raise psutil.NoSuchProcess(pid)

    monkeypatch.setattr(psutil, "net_connections", lambda kind: [a_socket(PORT, 4711)])
    monkeypatch.setattr(psutil, "Process", gone)
    monkeypatch.setattr(psutil, "process_iter", lambda attributes: iter(()))
    assert listeners_on(PORT) == (Listener("0.0.0.0", None),)


def test_addresses_that_can_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> object:
        raise PermissionError

    monkeypatch.setattr(psutil, "net_if_addrs", refuse)
    assert own_addresses() == ()


def test_models_directories(tmp_path: Path) -> None:
    home, named = tmp_path / "home", tmp_path / "my models"
    (home / ".ollama/models/blobs").mkdir(parents=True)
    (tmp_path / "usr/share/ollama/.ollama/models/manifests").mkdir(parents=True)
    (tmp_path / "var/lib/ollama").mkdir(parents=True)
    named.mkdir()
    usual = (home / ".ollama/models", tmp_path / "usr/share/ollama/.ollama/models")
    assert models_directories({}, home, root=tmp_path) == usual
    assert models_directories({"OLLAMA_MODELS": f' "{named}" '}, home, root=tmp_path) == (named, *usual)
    for useless in (str(tmp_path / "missing"), "models", "", "/no\0where"):
        assert models_directories({"OLLAMA_MODELS": useless}, home, root=tmp_path) == usual
    assert models_directories({"OLLAMA_MODELS": str(usual[0])}, home, root=tmp_path) == usual


def test_models_directories_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".ollama/models/blobs").mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert models_directories({}, tmp_path, root=tmp_path) == ()
    monkeypatch.undo()

    def refuse(path: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(Path, "is_dir", refuse)
    assert models_directories({}, tmp_path, root=tmp_path) == ()


MANIFEST = b'{"schemaVersion":2}'
DIGEST = hashlib.sha256(MANIFEST).hexdigest()
NAME = ("registry.ollama.ai", "library", "qwen3", "0.6b")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    path = tmp_path.joinpath("manifests", *NAME)
    path.parent.mkdir(parents=True)
    path.write_bytes(MANIFEST)
    return tmp_path


@pytest.mark.parametrize("digest", [DIGEST, f"sha256:{DIGEST}", DIGEST.upper()])
def test_a_manifest_with_the_listed_digest(models: Path, digest: str) -> None:
    assert holds_manifest(models, *NAME, digest) is True
    assert holds_manifest(models, "Registry.Ollama.AI", "LIBRARY", "Qwen3", "0.6B", digest) is True


def test_a_manifest_with_another_digest_or_none(models: Path) -> None:
    assert holds_manifest(models, *NAME, "0" * 64) is False
    assert holds_manifest(models, *NAME, "") is False
    assert holds_manifest(models, *NAME[:3], "8b", DIGEST) is False
    assert holds_manifest(models / "missing", *NAME, DIGEST) is False
    assert holds_manifest(models, *NAME[:2], "qwen3/0.6b", "..", DIGEST) is False
    assert holds_manifest(models, "..", "manifests", NAME[0], NAME[1], DIGEST) is False


def test_what_is_no_manifest_is_passed_over(models: Path) -> None:
    directory = models.joinpath("manifests", *NAME[:3])
    (directory / "directory").mkdir()
    (directory / "broken").symlink_to("missing")
    (directory / "large").write_bytes(b"0" * (4 * 1024 * 1024 + 1))
    for tag in ("directory", "broken", "large"):
        assert holds_manifest(models, *NAME[:3], tag, DIGEST) is False
    assert holds_manifest(models, *NAME[:2], "file", "tag", DIGEST) is False


def test_a_file_where_a_directory_should_be(models: Path) -> None:
    (models / "manifests/hf.co").write_bytes(b"")
    assert holds_manifest(models, "hf.co", "user", "repo", "q4_0", DIGEST) is False


@pytest.mark.parametrize("method", ["iterdir", "stat", "read_bytes"])
def test_a_manifest_that_may_not_be_read(models: Path, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def refuse(path: Path, **_: object) -> object:
        raise PermissionError

    monkeypatch.setattr(Path, method, refuse)
    assert holds_manifest(models, *NAME, DIGEST) is None


def test_where_models_would_come(tmp_path: Path) -> None:
    home = tmp_path / "home" / "me"
    assert directory_to_be({}, home, root=tmp_path) == tmp_path, "the nearest that exists"
    (home / ".ollama").mkdir(parents=True)
    assert directory_to_be({}, home, root=tmp_path) == home / ".ollama"
    (tmp_path / "usr/share/ollama").mkdir(parents=True)
    assert directory_to_be({}, home, root=tmp_path) == tmp_path / "usr/share/ollama"
    named = tmp_path / "big" / "models"
    (tmp_path / "big").mkdir()
    assert directory_to_be({"OLLAMA_MODELS": f'"{named}"'}, home, root=tmp_path) == tmp_path / "big"
    assert (
        directory_to_be({"OLLAMA_MODELS": "relative"}, home, root=tmp_path) == tmp_path / "usr/share/ollama"
    )
    assert directory_to_be({"OLLAMA_MODELS": "/no\0where"}, home, root=tmp_path) == Path("/")
