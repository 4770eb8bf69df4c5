"""Running with values by hand: hardware that no test machine has, claims that it contradicts, other names."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from live import live
from test_meters import CARD, HOST, with_cards
from test_running import SMALL, keys, on_running, still

from modeltui.domain.machines.hardware import VramVerdict
from modeltui.domain.models import LoadedModel, Model, ModelState
from modeltui.domain.names import from_listed
from modeltui.services.library import Entry
from modeltui.services.monitoring import Running, RunningNow
from modeltui.tui.runners import gone_words, served_by
from modeltui.tui.widgets.meters import Meters

GPU_ROW = LoadedModel(
    shown=SMALL,
    sent=SMALL,
    name=from_listed(SMALL),
    size=4_100_000_000,
    vram=4_100_000_000,
    context=8192,
)


def look(at: int, state: ModelState, claim: ModelState = ModelState.GPU) -> RunningNow:
    rows = (Running(replace(GPU_ROW, expires_at=at + 600_000), state, claim),)
    return RunningNow(at, rows, VramVerdict.CREDIBLE, HOST, "the address is this machine's")


@pytest.mark.parametrize(
    ("size", "sees", "misses"),
    [
        ((120, 35), ["RTX 4090", "20.1/25.8 GB", "60 °C", "290/450 W", "212 GB free", "CONTEXT", "RAM"], []),
        ((80, 24), ["RTX 4090", "20.1/25.8 GB", "60 °C", "290/450 W", "212 GB free", "CONTEXT", "KEPT"], []),
        ((60, 20), ["RTX 4090", "20.1/25.8 GB", "22.0/68.7 GB", "WHERE", "VRAM", "KEPT"], ["°C", "CONTEXT"]),
    ],
)
async def test_meters_and_columns_at_every_size(
    tmp_path: Path, size: tuple[int, int], sees: list[str], misses: list[str]
) -> None:
    async with live(tmp_path, size=size) as shown:
        await on_running(shown)
        await still(shown)
        shown.app.running_now = look(shown.app.now(), ModelState.GPU)
        await shown.sees(*sees, "10 min")
        assert not any(part in shown.text for part in misses)
        assert all(len(line) <= size[0] for line in shown.text.splitlines())


@pytest.mark.parametrize(
    ("size", "where"), [((120, 35), "ram (the server says 100 % gpu)"), ((80, 24), "ram, not gpu")]
)
async def test_a_claim_that_the_hardware_contradicts_is_not_believed(
    tmp_path: Path, size: tuple[int, int], where: str
) -> None:
    async with live(tmp_path, size=size) as shown:
        await on_running(shown)
        # The model that was made current has been looked into: what it shares weights with is known.
        await shown.until(lambda: any(each.is_current and each.weights for each in shown.app.models.entries))
        await still(shown)
        now = look(shown.app.now(), ModelState.CPU)
        shown.app.running_now = replace(
            now, verdict=VramVerdict.CONTRADICTED, host=with_cards(note="no NVIDIA driver here")
        )
        await shown.sees(
            "no NVIDIA driver here", "! the server claims more VRAM than this machine's GPUs hold"
        )
        row = shown.line("10 min")
        assert where in row
        assert row.partition("10 min")[0].split()[-4:] == ["—", "4.1", "GB", "8k"]
        await shown.sees("ram (the server says 100 % gpu) · ")


async def test_stopping_is_a_word(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown)
        await still(shown)
        shown.app.running_now = look(shown.app.now(), ModelState.STOPPING, ModelState.STOPPING)
        await shown.until(lambda: shown.line(SMALL).count("stopping") == 2)
        assert "u unload" not in keys(shown)


async def test_small_changes_of_the_hardware_paint_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown)
        await still(shown)
        at = shown.app.now()
        shown.app.running_now = look(at, ModelState.GPU)
        await shown.sees("70 %")
        painted: list[int] = []
        refresh: Callable[..., Meters] = Meters.refresh

        def noted(self: Meters, *regions: object, **more: object) -> Meters:
            painted.extend(getattr(region, "width", 0) for region in regions)
            return refresh(self, *regions, **more)

        monkeypatch.setattr(Meters, "refresh", noted)
        wobble = replace(CARD, utilisation=74, temperature=60, power_mw=291_000)
        shown.app.running_now = replace(look(at, ModelState.GPU), host=with_cards(wobble))
        await shown.pilot.pause()
        assert painted == []
        shown.app.running_now = replace(
            look(at, ModelState.GPU), host=with_cards(replace(wobble, utilisation=91))
        )
        await shown.sees("90 %")
        assert painted
        assert sum(painted) <= 12


def test_a_name_that_stands_for_something_else_by_now_is_not_served() -> None:
    old = replace(GPU_ROW, digest="a" * 64)
    model = Model(SMALL, SMALL, from_listed(SMALL), digest="b" * 64)
    twin = Model("twin:latest", "twin:latest", from_listed("twin:latest"), digest="a" * 64)
    entries = tuple(
        Entry(each, ModelState.UNKNOWN, None, False, None, None, None, None, None, None, None)
        for each in (model, twin)
    )
    assert served_by(old, entries) == entries[1:]
    assert served_by(old, entries[:1]) == ()
    assert gone_words(old, entries[:1]).startswith("replaced since it was loaded")
    assert gone_words(old, ()).startswith("deleted: ")
    assert served_by(replace(old, digest=None), entries) == entries[:1]
