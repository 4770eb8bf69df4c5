"""What verdicts rest on, gathered from a demonstration server, the configuration and the store."""

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    Opener,
    Place,
)

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.machines.machine import Origin
from modeltui.domain.names import parse
from modeltui.errors import UsageError
from modeltui.services.circumstances import advice_of, circumstance_of
from modeltui.store.measurements import Measurement

HARDWARE = """
[servers.demo.hardware]
gpus = ["24GB@936GB/s"]
ram = "64GB"
"""


async def test_everything_that_is_known_comes_together(open_place: Opener) -> None:
    place = await open_place(HARDWARE)
    await place.loading.load("chat")
    digest = next(model.digest for model in await place.link.api.models() if model.shown == "chat:latest")
    assert digest
    place.services.store.measurements.add(place.link.id, Measurement(5, digest, "chat:latest", tokens=9.0))
    found = await circumstance_of(place.services, place.link)
    assert found.machine.machine is not None and found.machine.machine.origin is Origin.CONFIGURED
    assert found.serving.version is not None
    assert len(found.catalog.series) > 200
    assert "chat:latest" in {model.shown for model in found.installed}
    assert [row.shown for row in found.loaded] == ["chat:latest"]
    assert [row.tokens for row in found.measurements] == [9.0, None]
    assert found.measurements[1].load_ms is not None, "the load itself was measured"
    assert found.measurements[1].vram_share == 1.0
    assert not found.notes


async def test_what_show_says_of_a_model_is_kept_and_used(open_place: Opener) -> None:
    place = await open_place(HARDWARE)
    before = await advice_of(place.services, place.link)
    coder = next(model for model in before.circumstance.installed if model.shown == "coder:7b")
    guessed = before.verdict_of_model(coder, 4096)
    assert guessed.facts is not None and guessed.facts.source == "its size alone"
    assert before.circumstance.shapes == {}, "no model was asked for"
    await place.opening.details(parse("coder:7b"), coder.digest)
    after = await advice_of(place.services, place.link)
    known = after.verdict_of_model(coder, 4096)
    assert known.facts is not None and known.facts.source == "the server's own facts of it"
    assert known.fit.kind is FitKind.GPU


async def test_a_server_that_is_away_leaves_the_catalog(open_place: Opener) -> None:
    place = await open_place(HARDWARE)
    await place.server.stop()
    advice = await advice_of(place.services, place.link)
    assert advice.circumstance.installed == () and advice.serving.version is None
    assert len(advice.circumstance.notes) == 1
    assert "judged without what the server knows" in advice.circumstance.notes[0]
    found = advice.circumstance.catalog.find("qwen3:14b")
    assert found is not None
    assert advice.verdict_of_tag(found[1], 8192).fit.kind is FitKind.GPU


async def test_a_what_if_takes_the_place_of_the_machine(place: Place) -> None:
    unknown = await advice_of(place.services, place.link)
    assert unknown.machine is None and unknown.circumstance.machine.why
    advice = await advice_of(place.services, None, "8GB+16GB")
    assert advice.machine is not None and advice.is_made_up
    assert advice.circumstance.machine.words == "simulated: 8GB+16GB"
    with pytest.raises(UsageError):
        await advice_of(place.services, place.link, "a potato")
