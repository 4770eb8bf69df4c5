"""What all tests share; that this file is here puts tests/ on the import path (`replay`)."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A busy machine is no failure of an example.
settings.register_profile("modeltui", deadline=None)
settings.load_profile("modeltui")


_INHERITED = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.fixture(autouse=True)
def signals_at_their_default() -> Iterator[None]:
    """Behind `nohup`, or in the background of a script, some signals are ignored, and every program that a
    test starts would ignore them, too. One that is caught here is at its default there.
    """
    ignored = [number for number in _INHERITED if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, lambda *_: None)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxies this machine uses, the servers of the tests are on loopback."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
