"""How fast RAM is: measured on request, remembered for this machine alone, and never believed blindly."""

import json
import os
from dataclasses import replace

import pytest
from demo_stage import Opener, Place  # type: ignore[import-not-found, unused-ignore]

from modeltui.domain.machines.hardware import Cpu
from modeltui.errors import ModeltuiError
from modeltui.hardware import rambandwidth
from modeltui.hardware.host import read_host
from modeltui.services.machines import machine_of
from modeltui.services.ramspeed import measure_ram, remembered_bandwidth

HOST = read_host(())


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small areas, so that it is quick."""
    monkeypatch.setattr(rambandwidth, "_BUFFER", 4 << 20)
    monkeypatch.setattr(rambandwidth, "_SMALLEST", 1 << 20)


async def test_it_is_measured_and_remembered(open_place: Opener) -> None:
    place = await open_place(local=True)
    assert remembered_bandwidth(place.paths, HOST) is None
    carried = await measure_ram(place.services)
    assert remembered_bandwidth(place.paths, HOST) == pytest.approx(carried, rel=1e-6)
    found = (await machine_of(place.services, place.link)).machine
    if found is not None and not found.is_unified:
        assert found.ram_bandwidth == pytest.approx(carried, rel=1e-6)
    assert (place.paths.state / "ram.json").stat().st_mode & 0o077 == 0


async def test_another_machine_with_the_same_home_does_not_count_on_it(place: Place) -> None:
    await measure_ram(place.services)
    assert remembered_bandwidth(place.paths, replace(HOST, cpu=Cpu("another", 4, None))) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '{"machine": "x", "ram_bandwidth": 5e10}',
        "[" * 3000,
        "\xff",
    ],
)
async def test_a_file_that_says_nothing(place: Place, text: str) -> None:
    (place.paths.state / "ram.json").write_text(text)
    assert remembered_bandwidth(place.paths, HOST) is None


@pytest.mark.parametrize("value", ["fast", True, None, 0, -5, float("nan"), float("inf"), 1e300])
async def test_numbers_beyond_sense_do_not_count(place: Place, value: object) -> None:
    await measure_ram(place.services)
    file = place.paths.state / "ram.json"
    row = json.loads(file.read_text()) | {"ram_bandwidth": value}
    file.write_text(json.dumps(row))
    assert remembered_bandwidth(place.paths, HOST) is None


async def test_too_little_memory_is_an_error_that_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rambandwidth, "measure_ram_bandwidth", lambda: None)
    with pytest.raises(ModeltuiError, match="too little memory"):
        await measure_ram(place.services)


@pytest.mark.skipif(os.name != "posix", reason="rights")
async def test_a_directory_that_cannot_be_written_is_said(place: Place) -> None:
    (place.paths.state / "ram.json").mkdir()
    assert await measure_ram(place.services) > 0
    assert "will not be remembered" in place.services.notices[-1]
