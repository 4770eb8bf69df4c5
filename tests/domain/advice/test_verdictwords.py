"""The lines of a verdict: what is said of memory is what the model takes where it lies."""

from dataclasses import replace

import pytest
from catalogs import shipped  # type: ignore[import-not-found, unused-ignore]  # beside us

from modeltui.domain.advice.verdict import Verdict
from modeltui.domain.advice.verdictwords import lines_of
from modeltui.domain.machines.machine import KnownMachine
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.serving import KvType, Serving
from modeltui.services.advice import Advice, Circumstance

TOLD = (("num_parallel", "servers.x"), ("kv_type", "servers.x"), ("flash_attention", "servers.x"))


def verdict(name: str, hardware: str, serving: Serving | None = None) -> Verdict:
    found = shipped().find(name)
    assert found is not None
    known = KnownMachine(parse_hardware(hardware), "simulated")
    advice = Advice(Circumstance(known, serving or Serving((0, 32, 0)), shipped()))
    return advice.verdict_of_tag(found[1], 8192)


def gigabytes(words: str) -> float:
    number, unit = words.split()[:2]
    return float(number) * {"GB": 1.0, "MB": 1e-3}[unit.strip(",")]


@pytest.mark.parametrize("name", ["qwen3:8b", "llama3.2:3b", "gemma4:26b", "qwen3.5:9b"])
def test_without_a_gpu_no_driver_is_counted_and_the_parts_are_what_lies_in_ram(name: str) -> None:
    found = verdict(name, "none+64GB")
    lines = list(lines_of(found))
    labels = [label for label, _ in lines]
    needs, parts = lines[labels.index("needs")][1], lines[labels.index("needs") + 1][1]
    lies = lines[labels.index("lies")][1]
    assert needs.split(" (")[0] == lies.removeprefix("in RAM: ")
    assert "overhead" not in parts
    summed = sum(gigabytes(" ".join(part.split()[-2:])) for part in parts.split(", "))
    assert summed == pytest.approx(gigabytes(needs), rel=0.01)


def test_on_a_gpu_the_driver_counts_and_the_embedding_lies_in_ram() -> None:
    texts = [text for _, text in lines_of(verdict("qwen3:8b", "24GB+64GB"))]
    assert any("overhead" in text for text in texts)
    assert any("of token embedding in RAM" in text for text in texts)


def test_a_setting_is_no_source_of_what_a_model_does_not_get() -> None:
    asked = Serving((0, 32, 0), kv_type=KvType.Q8_0, flash_attention=False, sources=TOLD)
    notes = verdict("qwen3:8b", "24GB+64GB", asked).notes
    assert "KV cache in f16." in notes
    assert "Flash attention off (servers.x)." in notes
    taken = verdict("qwen3:8b", "24GB+64GB", replace(asked, flash_attention=True)).notes
    assert "KV cache in q8_0 (servers.x)." in taken


def test_one_request_at_once_is_not_what_was_set() -> None:
    found = verdict("nomic-embed-text:latest", "24GB+64GB", Serving((0, 24, 0), num_parallel=4, sources=TOLD))
    assert any(note.startswith("One request at once of ") and "servers.x" not in note for note in found.notes)


def test_the_margin_is_said_with_what_may_lie_in_it() -> None:
    margin = [note for note in verdict("qwen3.5:9b", "8GB+64GB").notes if "of each card free" in note]
    assert margin and margin[0].endswith("Work on images may lie there.")
