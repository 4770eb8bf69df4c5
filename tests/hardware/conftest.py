"""The stand-in driver, and a made-up machine around it."""

from collections.abc import Callable
from pathlib import Path

import pynvml
import pytest
import stand_in_nvml  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Callable[[stand_in_nvml.Library | None], None]:
    """Install a stand-in library (None: there is none) where pynvml loads the real one, with fresh caches."""

    def install(library: stand_in_nvml.Library | None) -> None:
        def load(name: str) -> stand_in_nvml.Library:
            assert name == "libnvidia-ml.so.1"
            if library is None:
                raise OSError(f"{name}: cannot open shared object file: No such file or directory")
            return library

        monkeypatch.setattr(pynvml, "CDLL", load)
        monkeypatch.setattr(pynvml, "nvmlLib", None)
        monkeypatch.setattr(pynvml, "_nvmlLib_refcount", 0)
        monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})

    return install


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The root of a Linux machine that has no display adapter."""
    (tmp_path / "sys/class").mkdir(parents=True)
    (tmp_path / "dev").mkdir()
    return tmp_path
