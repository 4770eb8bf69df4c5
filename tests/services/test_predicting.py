"""Predictions and findings on what runs: facts of the right model, the machine as it is now, who is idle."""

from dataclasses import replace

import pytest

from modeltui.catalog.loading import load_base
from modeltui.domain.advice.runningfindings import IDLE_MS, Mend
from modeltui.domain.catalog.series import Catalog
from modeltui.domain.machines.hardware import Cpu, Gpu, Gpus, GpuUser, Host, Memory, VramVerdict
from modeltui.domain.machines.machine import KnownMachine, Origin
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.serving import Serving
from modeltui.domain.models import LoadedModel, Model, ModelState
from modeltui.domain.names import parse
from modeltui.services.advice import Advice, Circumstance
from modeltui.services.monitoring import Running, RunningNow
from modeltui.services.predicting import Idleness, facts_of_runner, outlook

NOW, GB, FOREVER = 1_700_000_000_000, 10**9, 1_700_000_000_000 * 9
NAME = "llama3.1:8b"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_base()


@pytest.fixture(scope="module")
def model(catalog: Catalog) -> Model:
    found = catalog.find(NAME)
    assert found is not None
    tag = found[1]
    return Model(NAME, NAME, parse(NAME), digest=(tag.digest or "") + "0" * 52, size=tag.size)


def advice(catalog: Catalog, *models: Model, origin: Origin = Origin.CONFIGURED) -> Advice:
    machine = replace(parse_hardware("24GB@936GB/s+64GB"), origin=origin)
    return Advice(Circumstance(KnownMachine(machine, "config.toml"), Serving((0, 32, 0)), catalog, models))


def look(
    model: Model, size: float = 6.0, vram: float | None = None, *, at: int = NOW, expires: int = NOW + 60_000,
    state: ModelState | None = None, host: Host | None = None, digest: str | None = None,
) -> RunningNow:  # fmt: skip
    taken = size if vram is None else vram
    row = LoadedModel(
        model.shown, model.sent, model.name, digest or model.digest, round(size * GB), round(taken * GB),
        expires, 8192,
    )  # fmt: skip
    claim = row.state(at)
    return RunningNow(at, (Running(row, state or claim, claim),), VramVerdict.CREDIBLE, host, "")


def test_a_prediction_rests_on_the_installed_model(catalog: Catalog, model: Model) -> None:
    found = outlook(advice(catalog, model), look(model)).predictions[NAME]
    assert 5.5 * GB < found.printed < 6.5 * GB
    assert found.actual == 6 * GB and found.really > found.printed


def test_a_runner_of_what_the_name_stood_for_before_has_none(catalog: Catalog, model: Model) -> None:
    stranger = look(model, digest="f" * 64)
    assert facts_of_runner(advice(catalog, model), stranger.rows[0].runner) is None
    assert outlook(advice(catalog, model), stranger).predictions == {}
    nameless = look(replace(model, digest=None))
    assert outlook(advice(catalog, model), nameless).predictions.keys() == {NAME}


def test_what_stops_is_predicted_as_it_lies(catalog: Catalog, model: Model) -> None:
    found = outlook(advice(catalog, model), look(model, expires=NOW - 1)).predictions
    assert found == outlook(advice(catalog, model), look(model)).predictions


def test_what_the_hardware_contradicts_is_no_ground_for_advice(catalog: Catalog, model: Model) -> None:
    split = look(model, 30.0, 12.0)
    assert outlook(advice(catalog, model), split).findings
    assert outlook(advice(catalog, model), look(model, 30.0, 12.0, state=ModelState.UNKNOWN)).findings == ()


def test_findings_rest_on_the_memory_of_this_very_look(catalog: Catalog, model: Model) -> None:
    """The machine of the verdicts was empty; at the look another program has nearly all of the card."""
    users = (GpuUser(1, "ollama", 2 * GB), GpuUser(2, "game", 22 * GB))
    card = Gpu(
        0, "GPU-0", "a card", 25 * GB, 1 * GB, 24 * GB, 90, 60, None, None, bandwidth=936e9, users=users
    )
    host = Host(Gpus((card,), None, True), Cpu("cpu", 8, 1.0), Memory(64 * GB, 50 * GB), ())
    spilled = look(model, 6.0, 2.0)
    measured = advice(catalog, model, origin=Origin.MEASURED)
    free = {each.mend for each in outlook(measured, spilled).findings}
    taken = {each.mend for each in outlook(measured, replace(spilled, host=host)).findings}
    assert Mend.RELOAD in free and Mend.RELOAD not in taken
    assert outlook(measured, replace(look(model), host=host)).cards is not None
    assert outlook(measured, replace(spilled, host=host)).cards is None, "what a split one gives is not known"


def test_idle_is_who_was_seen_used_or_watched_for_long(model: Model) -> None:
    idleness = Idleness()
    assert idleness.note(look(model)) == {}
    assert idleness.note(look(model, at=NOW + 5000)) == {}
    used = look(model, at=NOW + 9000, expires=NOW + 69_000)
    assert idleness.note(used) == {NAME: 0}
    assert idleness.note(replace(used, at=NOW + 19_000)) == {NAME: 10_000}
    other = Idleness()
    other.note(look(model, expires=FOREVER))
    assert other.note(look(model, at=NOW + IDLE_MS, expires=FOREVER)) == {NAME: IDLE_MS}
    assert other.note(replace(look(model), rows=())) == {}


def test_the_current_model_is_not_proposed_to_go(catalog: Catalog, model: Model) -> None:
    pinned = look(model, expires=FOREVER)
    assert [each.mend for each in outlook(advice(catalog, model), pinned).findings] == [Mend.UNLOAD]
    for current in (NAME, model.digest or ""):
        assert outlook(advice(catalog, model), pinned, current=(current,)).findings == ()
