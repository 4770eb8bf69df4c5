"""What all tests share; that this file is here puts tests/ on the import path (`replay`)."""

import pytest
from hypothesis import settings

# A busy machine is no failure of an example.
settings.register_profile("modeltui", deadline=None)
settings.load_profile("modeltui")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxies this machine uses, the servers of the tests are on loopback."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
