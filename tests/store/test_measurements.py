"""Measurements and shapes in a real database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modeltui.domain.models import ModelDetails
from modeltui.store.database import Database
from modeltui.store.measurements import KEPT, Measurement, shape_of
from modeltui.store.store import Store

ROW = Measurement(5, "d" * 64, "chat:latest", 8192, 44.5, 900.0, 1200, 1.0, "0.33.0")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "modeltui.db")
    store.facts.server_id("http://a:1", "a")
    store.facts.server_id("http://b:1", "b")
    yield store
    store.close()


def test_rows_come_back_by_server_and_time(store: Store) -> None:
    later = Measurement(9, "e" * 64, "other:1b", tokens=7.0)
    store.measurements.add(1, later)
    store.measurements.add(1, ROW)
    store.measurements.add(2, ROW)
    assert store.measurements.of_server(1) == (ROW, later)
    assert store.measurements.of_server(2) == (ROW,)
    assert store.measurements.of_server(3) == ()


def test_a_failure_is_no_measurement(store: Store) -> None:
    store.measurements.add(1, Measurement(5, "d", "chat:latest", tokens=0.0, prompt=float("nan")))
    store.measurements.add(1, Measurement(6, "d", "chat:latest", tokens=-3.0, load_ms=100))
    (row,) = store.measurements.of_server(1)
    assert (row.tokens, row.prompt, row.load_ms) == (None, None, 100)


def test_the_newest_rows_of_a_model_are_kept(store: Store) -> None:
    with store.writing():
        for at in range(KEPT + 7):
            store.measurements.add(1, Measurement(at, "d", "chat:latest", load_ms=at))
        store.measurements.add(1, Measurement(1, "e", "other:1b", load_ms=5))
    kept = store.measurements.of_server(1)
    assert len(kept) == KEPT + 1
    assert {row.at for row in kept if row.digest == "d"} == set(range(7, KEPT + 7))


def test_values_of_a_wrong_type_are_unknown(store: Store, tmp_path: Path) -> None:
    store.measurements.add(1, ROW)
    store.measurements.set_shape("d", {"llama.block_count": 32}, 5)
    database = Database.open(tmp_path / "modeltui.db")
    with database.writing() as connection:
        connection.execute("UPDATE measurements SET tokens = 'fast', vram_share = 7, context = -1")
        connection.execute("UPDATE measurements SET version = x'ff'")
        connection.execute("UPDATE shapes SET json = '[1'")
    database.close()
    (row,) = store.measurements.of_server(1)
    assert [row.tokens, row.vram_share, row.context, row.version] == [None] * 4
    assert row.prompt == 900.0
    assert store.measurements.shape("d") is None
    assert store.measurements.shapes() == {}


def test_shapes_are_kept_by_manifest(store: Store) -> None:
    assert store.measurements.shape("d") is None
    store.measurements.set_shape("d", {"general.architecture": "llama", "llama.kv": [8, 8]}, 5)
    store.measurements.set_shape("d", {"general.architecture": "qwen3"}, 6)
    assert store.measurements.shape("d") == {"general.architecture": "qwen3"}
    assert store.measurements.shapes() == {"d": {"general.architecture": "qwen3"}}


def test_a_shape_leaves_vocabularies_and_texts_out() -> None:
    kept = {"general.architecture": "llama", "llama.kv": [8, 0]}
    shown = ModelDetails(
        model_info={**kept, "tokens": ["x"] * 1000, "note": "y" * 300},
        projector={"clip.vision.block_count": 27},
    )
    assert shape_of(shown) == {**kept, "clip.vision.block_count": 27}
