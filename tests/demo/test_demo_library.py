"""The demonstration's models are plausible and whole, and Go's times are read as Go reads them."""

import hashlib
import json

import httpx
import pytest

from modeltui.demo import gotime
from modeltui.demo.data import default_library
from modeltui.demo.library import DemoModel, human_number, manifest_of
from modeltui.demo.server import NEWER, OLDER, DemoServer
from modeltui.demo.speech import speech_of
from modeltui.domain import names


def test_the_default_library_has_one_of_each_kind() -> None:
    library = default_library()
    entries = {entry.name.short: entry for entry in library.listed()}
    assert 10 <= len(entries) <= 14
    assert entries["assistant:latest"].manifest.digest == entries["llama3.2:3b"].manifest.digest
    reviewer, base = entries["code-reviewer:latest"].manifest, entries["qwen3:8b"].manifest
    assert reviewer.weights == base.weights
    assert reviewer.digest != base.digest
    kinds = {kind for entry in entries.values() for kind in entry.model.capabilities}
    assert {"embedding", "vision", "tools", "thinking", "insert"} <= kinds
    assert [name for name, entry in entries.items() if library.is_damaged(entry)] == ["phi4-mini:3.8b"]
    assert [name for name, entry in entries.items() if entry.model.is_remote] == ["gpt-oss:120b-cloud"]
    assert any(name.startswith("hf.co/") for name in entries)


def test_the_registry_has_updates_twins_and_sizes_for_everybody() -> None:
    library = default_library()
    new = [entry for key, entry in library.available.items() if key not in library.installed]
    assert len(new) >= 15
    sizes = [entry.manifest.size for entry in new]
    assert min(sizes) < 3_000_000
    assert max(sizes) >= 40_000_000_000
    blobs = [entry.manifest.weights for entry in new]
    assert len(set(blobs)) < len(blobs)
    stale = [
        entry.name.short
        for key, entry in library.available.items()
        if key in library.installed and library.installed[key].manifest.digest != entry.manifest.digest
    ]
    assert sorted(stale) == ["gemma3:12b", "nomic-embed-text:latest"]


def test_manifests_are_real_and_do_not_depend_on_the_name() -> None:
    manifest = manifest_of(DemoModel("one", system="x"))
    assert manifest == manifest_of(DemoModel("two", system="x"))
    assert manifest.digest == hashlib.sha256(manifest.raw).hexdigest()
    assert [layer["mediaType"].rsplit(".")[-1] for layer in json.loads(manifest.raw)["layers"]] == [
        "model",
        "system",
    ]


@pytest.mark.parametrize("version", [NEWER, OLDER])
async def test_every_installed_model_can_be_shown(version: str) -> None:
    async with (
        DemoServer(version=version) as server,
        httpx.AsyncClient(trust_env=False, verify=False) as client,
    ):
        listed = (await client.get(f"{server.url}/api/tags")).json()["models"]
        for model in listed:
            response = await client.post(f"{server.url}/api/show", json={"model": model["name"]})
            if model["name"].startswith("phi4-mini"):
                assert response.status_code == 404
                continue
            shown = response.json()
            architecture = shown["model_info"]["general.architecture"]
            assert shown["model_info"][f"{architecture}.context_length"] > 0
            assert ("projector_info" in shown) == ("vision" in shown["capabilities"])
            assert ("capabilities" in model) == (version == NEWER)
            assert ("remote_host" in shown) == names.parse(model["name"]).is_cloud


@pytest.mark.parametrize(
    ("count", "text"),
    [(31_793_664, "31.79M"), (125_248, "125K"), (8_000_000_000, "8B"), (2_000_000, "2M"), (7, "7")],
)
def test_human_numbers(count: int, text: str) -> None:
    assert human_number(count) == text


@pytest.mark.parametrize(
    ("value", "nanoseconds"),
    [
        (0, 0),
        (1.5, 1_500_000_000),
        (-1, gotime.FOREVER),
        ("-1m", gotime.FOREVER),
        (float("inf"), gotime.FOREVER),
        ("1h30m", 5_400_000_000_000),
        ("+.5s", 500_000_000),
        ("0", 0),
        ("10ms", 10_000_000),
        ("99999999h", gotime.FOREVER),
    ],
)
def test_keep_alives(value: object, nanoseconds: int) -> None:
    assert gotime.keep_alive(value) == nanoseconds


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("30", 'time: missing unit in duration "30"'),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
        ("abc", 'time: invalid duration "abc"'),
        ("", 'time: invalid duration ""'),
        (True, "Unsupported type: 'bool'"),
        ([], "Unsupported type: '[]interface {}'"),
    ],
)
def test_bad_keep_alives_in_the_words_of_go(value: object, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        gotime.keep_alive(value)
    assert str(caught.value) == words


def test_times_drop_trailing_zeros() -> None:
    assert gotime.rfc3339(0) == "1970-01-01T00:00:00Z"
    assert gotime.rfc3339(1_500_000_000) == "1970-01-01T00:00:01.5Z"


@pytest.mark.parametrize(
    ("version", "newer"),
    [("0.24.0", False), ("0.30.0", True), ("0.0.0", True), ("0.12.3", False), ("x", True)],
)
def test_versions_have_a_manner(version: str, newer: bool) -> None:
    assert speech_of(version).lists_capabilities is newer
    assert speech_of(version).version == version
