"""How a server runs models: by hand, by its environment, by what is loaded, by its version; with sources."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from demo_stage import Opener, Place  # type: ignore[import-not-found, unused-ignore]
from hypothesis import given
from hypothesis import strategies as st

from modeltui.domain.memory.serving import KvType, Serving
from modeltui.domain.models import LoadedModel
from modeltui.hardware import processes
from modeltui.services.serving import misread, read_environment, serving_of
from modeltui.services.tree import Services

FIELDS = ("num_parallel", "kv_type", "flash_attention", "gpu_overhead", "default_context", "max_loaded")
BY_HAND = """num_parallel = 4
kv_cache_type = "q8_0"
flash_attention = true
max_loaded = 2
gpu_overhead = "0.5GB"
"""


def sources(serving: Serving) -> dict[str, str]:
    found = dict(serving.sources)
    assert tuple(found) == FIELDS, "every field says where it comes from"
    return found


def loaded(*contexts: int | None) -> list[LoadedModel]:
    return [LoadedModel(f"m{at}", f"m{at}", context=context) for at, context in enumerate(contexts)]


async def test_nothing_known_is_the_default_of_the_version(place: Place) -> None:
    serving = await serving_of(place.services, place.link, "0.33.0-rc2")
    assert serving == Serving(version=(0, 33, 0), sources=serving.sources)
    assert set(sources(serving).values()) == {"default of 0.33, as its environment can't be seen"}


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ("0.6.8", (0, 6, 8)),
        ("v0.12", (0, 12, 0)),
        ("0.0.0", None),
        (None, None),
        ("", None),
        ("nightly", None),
        ("٠.٣٣.٠", None),
        ("0." + "9" * 5000, None),
    ],
    ids=range(8),
)
async def test_versions(place: Place, words: str | None, version: tuple[int, int, int] | None) -> None:
    serving = await serving_of(place.services, None, words)
    assert serving.version == version
    assert "default" in sources(serving)["num_parallel"]


async def test_old_servers_take_several_requests_at_once(place: Place) -> None:
    for words, many in (("0.5.7", 4), ("0.6.8", 2), ("0.10.0", 1)):
        serving = await serving_of(place.services, place.link, words)
        assert serving.num_parallel == many
        assert sources(serving)["num_parallel"].startswith("default of 0.")


async def test_by_hand(place: Place, another: Callable[[], Services]) -> None:
    text = place.paths.config_file.read_text()
    place.paths.config_file.write_text(text.replace("local = false\n", f"local = false\n{BY_HAND}", 1))
    services = another()
    serving = await serving_of(services, await services.active(), "0.33.0")
    assert (serving.num_parallel, serving.kv_type, serving.flash_attention) == (4, KvType.Q8_0, True)
    assert (serving.gpu_overhead, serving.max_loaded, serving.default_context) == (1 << 29, 2, None)
    said = sources(serving)
    assert said["kv_type"] == "servers.demo in the configuration"
    assert said["default_context"].startswith("default of 0.33")


@pytest.mark.parametrize(
    ("contexts", "found"),
    [
        ((8192, 8192), 8192),
        ((8192,), None),
        ((8192, 4096), None),
        ((8192, 8192, 2048), 8192),
        ((None, None), None),
    ],
)
async def test_a_context_that_two_share(
    place: Place, contexts: tuple[int | None, ...], found: int | None
) -> None:
    serving = await serving_of(place.services, place.link, "0.33.0", loaded(*contexts))
    assert serving.default_context == found
    assert ("/api/ps" in sources(serving)["default_context"]) is (found is not None)


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What a stand-in `systemctl` on PATH prints."""
    program = tmp_path / "bin/systemctl"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    def says(text: str) -> None:
        (tmp_path / "says").write_text(text)
        program.write_text(f'#!/bin/sh\n[ "$1 $2" = "show ollama" ] || exit 9\ncat "{tmp_path}/says"\n')
        program.chmod(0o755)

    return says


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's process belongs to another user."""
    monkeypatch.setattr(processes, "server_environment", lambda port: None)


async def test_the_unit_of_a_server_that_is_here(
    open_place: Opener, systemctl: Callable[[str], None], hidden: None
) -> None:
    place = await open_place(local=True)
    port = place.link.endpoint.port
    said = f'OLLAMA_HOST=0.0.0.0:{port} OLLAMA_NUM_PARALLEL=2 "OLLAMA_CONTEXT_LENGTH=16384"'
    systemctl(f"ActiveState=active\nEnvironment={said}\n")
    serving = await serving_of(place.services, place.link, "0.33.0", loaded(8192, 8192))
    assert (serving.num_parallel, serving.default_context) == (2, 16384)
    told = sources(serving)
    assert told["num_parallel"] == told["default_context"] == "the systemd unit ollama"
    assert told["kv_type"] == "default of 0.33, not set in the systemd unit ollama"


@pytest.mark.parametrize(
    "text",
    [
        "ActiveState=inactive\nEnvironment=OLLAMA_HOST=127.0.0.1:PORT OLLAMA_NUM_PARALLEL=2\n",
        "ActiveState=active\nEnvironment=OLLAMA_NUM_PARALLEL=2\n",
        "ActiveState=active\nEnvironment=OLLAMA_HOST=127.0.0.1:1 OLLAMA_NUM_PARALLEL=2\n",
        'ActiveState=active\nEnvironment=OLLAMA_NUM_PARALLEL="2\n',
        "",
    ],
    ids=["inactive", "the usual port", "another port", "no words", "nothing"],
)
async def test_a_unit_that_is_not_this_server_counts_nothing(
    open_place: Opener, systemctl: Callable[[str], None], hidden: None, text: str
) -> None:
    place = await open_place(local=True)
    systemctl(text.replace("PORT", str(place.link.endpoint.port)))
    serving = await serving_of(place.services, place.link, "0.33.0")
    assert serving.num_parallel == 1
    assert "can't be seen" in sources(serving)["num_parallel"]


async def test_a_unit_does_not_speak_for_a_server_elsewhere(
    place: Place, systemctl: Callable[[str], None]
) -> None:
    systemctl(
        f"ActiveState=active\nEnvironment=OLLAMA_HOST=:{place.link.endpoint.port} OLLAMA_NUM_PARALLEL=2\n"
    )
    assert (await serving_of(place.services, place.link, "0.33.0")).num_parallel == 1


async def test_the_environment_of_its_own_process(
    open_place: Opener, monkeypatch: pytest.MonkeyPatch, systemctl: Callable[[str], None]
) -> None:
    """The demonstration server runs in this very process, whose environment psutil really reads."""
    place = await open_place(local=True)
    systemctl(
        f"ActiveState=active\nEnvironment=OLLAMA_HOST=:{place.link.endpoint.port} OLLAMA_NUM_PARALLEL=2\n"
    )
    serving = await serving_of(place.services, place.link, "0.33.0")
    seen = processes.server_environment(place.link.endpoint.port)
    if seen is None:
        pytest.skip("who listens can't be seen here")
    assert "the environment of its process" in sources(serving)["kv_type"]
    assert serving.num_parallel == int(seen.get("OLLAMA_NUM_PARALLEL", 1))


def test_only_ollamas_variables_are_taken() -> None:
    environment = {"OLLAMA_HOST": "a\x1b[2Jb", "AWS_SECRET": "x", "PATH": "/bin"}
    assert processes.ollama_variables(environment) == {"OLLAMA_HOST": "a·[2Jb"}


@pytest.mark.parametrize(
    ("variable", "written", "name", "value"),
    [
        ("NUM_PARALLEL", "4", "num_parallel", 4),
        ("NUM_PARALLEL", '"4"', "num_parallel", 4),
        ("NUM_PARALLEL", "0", "num_parallel", None),
        ("NUM_PARALLEL", "many", "num_parallel", None),
        ("NUM_PARALLEL", "-1", "num_parallel", None),
        ("NUM_PARALLEL", "9" * 30, "num_parallel", None),
        ("KV_CACHE_TYPE", "Q8_0", "kv_type", KvType.Q8_0),
        ("KV_CACHE_TYPE", "q5_1", "kv_type", KvType.F16),
        ("KV_CACHE_TYPE", "", "kv_type", None),
        ("FLASH_ATTENTION", "1", "flash_attention", True),
        ("FLASH_ATTENTION", "false", "flash_attention", False),
        ("FLASH_ATTENTION", "False", "flash_attention", False),
        ("FLASH_ATTENTION", "on", "flash_attention", True),
        ("FLASH_ATTENTION", "", "flash_attention", None),
        ("GPU_OVERHEAD", "536870912", "gpu_overhead", 1 << 29),
        ("GPU_OVERHEAD", "0", "gpu_overhead", None),
        ("GPU_OVERHEAD", str(1 << 63), "gpu_overhead", None),
        ("CONTEXT_LENGTH", "16384", "default_context", 16384),
        ("MAX_LOADED_MODELS", "2", "max_loaded", 2),
    ],
)
def test_variables(variable: str, written: str, name: str, value: object) -> None:
    found = read_environment({f"OLLAMA_{variable}": written})
    assert found[name] == value
    assert all(other is None for key, other in found.items() if key != name)


@given(
    st.dictionaries(st.sampled_from([f"OLLAMA_{n}" for n in ("NUM_PARALLEL", "KV_CACHE_TYPE")]), st.text())
)
def test_any_value_is_read_or_left_out(environment: dict[str, str]) -> None:
    found = read_environment(environment)
    assert found["num_parallel"] is None or isinstance(found["num_parallel"], int)
    assert found["kv_type"] is None or found["kv_type"] in KvType


@pytest.mark.parametrize(
    ("variable", "written", "name"),
    [
        ("OLLAMA_NUM_PARALLEL", "banana", "num_parallel"),
        ("OLLAMA_NUM_PARALLEL", "-1", "num_parallel"),
        ("OLLAMA_GPU_OVERHEAD", "1GB", "gpu_overhead"),
        ("OLLAMA_CONTEXT_LENGTH", "16k", "default_context"),
        ("OLLAMA_MAX_LOADED_MODELS", "9" * 30, "max_loaded"),
    ],
)
def test_a_number_that_is_none_is_told(variable: str, written: str, name: str) -> None:
    said = misread({variable: written})
    assert list(said) == [name] and said[name].startswith(f"{variable}={written[:20]}")


@pytest.mark.parametrize("written", ["", " ", "4", '"4"', "0"])
def test_what_the_server_understands_is_not_told(written: str) -> None:
    assert misread({"OLLAMA_NUM_PARALLEL": written}) == {}


async def test_what_is_set_and_not_understood_is_said_so(
    open_place: Opener, systemctl: Callable[[str], None], hidden: None
) -> None:
    place = await open_place(local=True)
    said = f"OLLAMA_HOST=0.0.0.0:{place.link.endpoint.port} OLLAMA_NUM_PARALLEL=banana OLLAMA_GPU_OVERHEAD=1"
    systemctl(f"ActiveState=active\nEnvironment={said}\n")
    serving = await serving_of(place.services, place.link, "0.33.0")
    told = sources(serving)
    words = "default of 0.33, as OLLAMA_NUM_PARALLEL=banana in the systemd unit ollama is not understood"
    assert (serving.num_parallel, told["num_parallel"]) == (1, words)
    assert told["gpu_overhead"] == "the systemd unit ollama"
    assert told["max_loaded"] == "default of 0.33, not set in the systemd unit ollama"
