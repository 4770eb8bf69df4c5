"""What a load would mean, said before it: needs, place, speed, and what goes by the server's own count."""

from dataclasses import replace

import pytest

from modeltui.catalog.loading import load_base
from modeltui.domain.catalog.series import Catalog
from modeltui.domain.machines.machine import KnownMachine
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.serving import Serving
from modeltui.domain.models import LoadedModel, Model
from modeltui.domain.names import parse
from modeltui.domain.preflight import Preflight
from modeltui.services.advice import Advice, Circumstance
from modeltui.services.forecasting import foreseen
from modeltui.services.pullfit import fitness_of, with_fits
from modeltui.services.speeds import by_digest
from modeltui.services.switching import SwitchFacts
from modeltui.services.words import switch_lines
from modeltui.store.facts import Load
from modeltui.store.measurements import Measurement

GB = 10**9


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_base()


def model(catalog: Catalog, name: str) -> Model:
    found = catalog.find(name)
    assert found is not None
    return Model(name, name, parse(name), digest=(found[1].digest or "") + "0" * 52, size=found[1].size)


def advice(catalog: Catalog, *models: Model, vram: str = "24GB@936GB/s+64GB", loaded: int = 0) -> Advice:
    rows = (LoadedModel("other:1b", "other:1b", size=loaded, vram=loaded, expires_at=1),) if loaded else ()
    machine = parse_hardware(vram)
    card = machine.cards[0]
    machine = replace(machine, cards=(replace(card, free=card.free - loaded, held=loaded),))
    return Advice(Circumstance(KnownMachine(machine, "here"), Serving((0, 32, 0)), catalog, models, rows))


def facts(model: Model, **more: object) -> SwitchFacts:
    load = Load(0, 31_000, 46 * GB, 22 * GB, 8192)
    return SwitchFacts(model, "other:1b", False, None, load, ("other:1b",), None, False, **more)  # type: ignore[arg-type]


def test_what_does_not_fit_whole_says_where_it_lies_and_what_would_be_better(catalog: Catalog) -> None:
    big = model(catalog, "llama3.3:70b")
    forecast = foreseen(advice(catalog, big, loaded=8 * GB), big, ("other:1b",), 8192)
    assert forecast is not None
    lines = switch_lines(facts(big, forecast=forecast), None, record_only=False)
    assert lines[1].startswith("  needs   4") and " at 8k: 2" in lines[1]
    assert " on the GPU, " in lines[1] and " in RAM: about " in lines[1] and lines[1].endswith(" tok/s")
    assert "  takes   about 31 s (last load)" in lines
    assert "  held    46.0 GB (22.0 GB of it in VRAM) at its last load" in lines
    said = next(line for line in lines if "unloads" in line)
    assert said.startswith("  unloads  other:1b: the server counts 4") and " has room for " in said
    assert facts(big, forecast=forecast).unloads == ("other:1b",)


def test_what_would_bring_it_onto_the_gpu_is_said(catalog: Catalog) -> None:
    large = model(catalog, "qwen3:32b")
    forecast = foreseen(advice(catalog, large), large, (), 40960)
    assert forecast is not None and forecast.verdict.fit.kind == "split"
    lines = switch_lines(facts(large, forecast=forecast), None, record_only=False)
    assert any(line.startswith("  better  ") and "a context of" in line for line in lines)


def test_what_has_room_beside_others_puts_nobody_out(catalog: Catalog) -> None:
    small = model(catalog, "llama3.2:3b")
    forecast = foreseen(advice(catalog, small, loaded=2 * GB), small, ("other:1b",), 4096)
    assert forecast is not None and forecast.eviction.unloads == ()
    lines = switch_lines(facts(small, forecast=forecast), None, record_only=False)
    assert "  beside  other:1b, which stays" in lines
    assert not any("may unload" in line for line in lines)
    assert facts(small, forecast=forecast).unloads == ()


def test_without_a_forecast_all_may_go(catalog: Catalog) -> None:
    small = model(catalog, "llama3.2:3b")
    blind = Advice(Circumstance(KnownMachine(None, "unknown", "elsewhere"), catalog=catalog))
    assert foreseen(blind, small, (), None) is None
    assert facts(small).unloads == ("other:1b",)
    assert "  may unload  other:1b" in switch_lines(facts(small), None, record_only=False)


def test_the_fit_of_a_pull(catalog: Catalog) -> None:
    here = advice(catalog)
    known = fitness_of(here, parse("qwen3:14b"))
    assert known is not None and known.words == f"fits: gpu, {known.score}"
    same = fitness_of(here, parse("qwen3:14b"), 9_276_198_565)
    assert same is not None and "by its size" not in same.words
    other = fitness_of(here, parse("qwen3:14b"), 15 * GB)  # its registry has something else now
    assert other is not None and other.words.endswith(" (by its size alone)")
    huge = fitness_of(here, parse("hf.co/someone/huge:Q8_0"), 400 * GB)
    assert huge is not None and huge.kind == "no"
    assert huge.words.startswith("does not fit: 4") and " more than there is" in huge.words
    assert fitness_of(here, parse("hf.co/someone/huge:Q8_0")) is None
    assert fitness_of(here, parse("gpt-oss:120b-cloud")) is None
    plans = (Preflight(parse("qwen3:14b")),)
    assert with_fits(plans, None) == plans
    assert with_fits(plans, here)[0].fit == known


def test_measured_speeds_for_lists() -> None:
    rows = [Measurement(at, "a", "a", tokens=float(at)) for at in range(1, 9)]
    rows += [Measurement(9, "a", "a", load_ms=5), Measurement(3, "b", "b", tokens=4.0)]
    assert by_digest(rows) == {"a": (6.0, 8), "b": (4.0, 3)}
    assert by_digest(rows[:2]) == {"a": (1.5, 2)}
