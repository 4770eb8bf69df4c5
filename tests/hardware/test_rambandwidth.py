"""The speed of RAM: really measured, shortly, on little memory; and not where there is none to spare."""

import threading
from types import SimpleNamespace

import psutil
import pytest

from modeltui.hardware import rambandwidth
from modeltui.hardware.rambandwidth import measure_ram_bandwidth


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small areas: how exact the number is does not matter here."""
    monkeypatch.setattr(rambandwidth, "_BUFFER", 4 << 20)
    monkeypatch.setattr(rambandwidth, "_SMALLEST", 1 << 20)


@pytest.mark.parametrize("threads", [1, 2, None])
def test_a_measurement(threads: int | None) -> None:
    before = threading.active_count()
    carried = measure_ram_bandwidth(0.05, threads=threads)
    assert carried is not None
    assert 1e8 < carried < 1e13, "between a slow board of the nineties and what no machine does"
    assert threading.active_count() == before


@pytest.mark.parametrize(("available", "measures"), [(0, False), (1 << 20, False), (40 << 20, True)])
def test_little_memory(monkeypatch: pytest.MonkeyPatch, available: int, measures: bool) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=available))
    assert (measure_ram_bandwidth(0.01, threads=8) is not None) is measures


def test_no_time_is_one_copy_each() -> None:
    assert measure_ram_bandwidth(0.0, threads=2) is not None
