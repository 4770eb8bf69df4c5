"""What runs: the server's account beside what this machine's hardware says, where it is its own."""

from pathlib import Path

import pytest
from demo_stage import MB, Opener, Place  # type: ignore[import-not-found, unused-ignore]

from modeltui.demo.faults import Kind
from modeltui.domain.machines.hardware import VramVerdict
from modeltui.domain.models import ModelState
from modeltui.errors import Unsupported
from modeltui.hardware.gpus import read_gpus
from modeltui.hardware.here import is_here
from modeltui.services.machines import REMOTE_MS
from modeltui.services.monitoring import Monitoring, RunningNow


async def look(place: Place) -> RunningNow:
    return await Monitoring(place.services, place.link).look()


@pytest.fixture
def no_gpu() -> None:
    gpus = read_gpus()
    if gpus.cards or not gpus.complete:
        pytest.skip("this machine has a GPU, or may have one")


async def test_elsewhere_the_servers_word_is_all_there_is(place: Place) -> None:
    await place.loading.load("chat")
    now = await look(place)
    assert (now.host, now.verdict) == (None, VramVerdict.NO_HARDWARE_KNOWN)
    assert now.why == "the configuration says local = false"
    assert [(row.runner.shown, row.state, row.claim) for row in now.rows] == [
        ("chat:latest", ModelState.GPU, ModelState.GPU)
    ]


@pytest.mark.parametrize(("gpu_memory", "claim"), [(24_000 * MB, ModelState.GPU), (3 * MB, ModelState.SPLIT)])
async def test_a_claim_of_vram_without_a_gpu_is_ram(
    open_place: Opener, no_gpu: None, gpu_memory: int, claim: ModelState
) -> None:
    place = await open_place(local=True, gpu_memory=gpu_memory)
    await place.loading.load("coder:7b")
    now = await look(place)
    assert now.verdict is VramVerdict.CONTRADICTED
    assert now.host is not None
    assert now.host.memory is not None
    (row,) = now.rows
    assert (row.state, row.claim) == (ModelState.CPU, claim)


async def test_what_claims_no_vram_is_believed(open_place: Opener) -> None:
    place = await open_place(local=True, gpu_memory=0)
    await place.loading.load("chat")
    now = await look(place)
    assert now.verdict is VramVerdict.CREDIBLE
    assert now.rows[0].state is ModelState.CPU


async def test_nothing_runs(place: Place) -> None:
    assert (await look(place)).rows == ()


async def test_stopping_is_shown_whatever_the_hardware(open_place: Opener) -> None:
    place = await open_place(local=True)
    async with place.talking("chat"):
        await place.outside("POST", "/api/generate", model="chat", keep_alive=0)
        now = await look(place)
        assert now.rows[0].state is ModelState.STOPPING


async def test_a_server_that_cannot_say(place: Place) -> None:
    place.trouble(Kind.STATUS, "/api/ps", value=404)
    with pytest.raises(Unsupported):
        await look(place)


async def test_without_a_word_in_the_configuration_the_machine_is_looked_at(open_place: Opener) -> None:
    place = await open_place(local=None)
    now = await look(place)
    endpoint = place.link.endpoint
    expected = is_here(endpoint.host, endpoint.port, configured=None, answers=True)
    assert (now.host is not None) is expected.here


async def test_the_disk_is_the_one_on_which_the_servers_own_process_keeps_its_models(
    open_place: Opener, tmp_path: Path
) -> None:
    """Our environment names none; what was seen of the server's counts for a while, so that no poll pays."""
    place = await open_place(local=True)
    models = tmp_path / "elsewhere"
    models.mkdir()
    looks = place.services.looks
    seen = {"OLLAMA_MODELS": str(models)}
    await looks.recent(f"env {place.link.endpoint.port}", REMOTE_MS, lambda: seen)
    now = await look(place)
    assert now.host is not None
    assert now.host.disks[0].path == str(models)
    assert (now.host.disks[0].total or 0) > 0
