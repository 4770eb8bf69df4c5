"""What is remembered of servers and models, and that it is still there after a restart."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from modeltui.domain.names import parse
from modeltui.store.facts import Alias, CurrentModel, Facts, Load
from modeltui.store.store import Store

LLAMA, QWEN, PHI = parse("llama3.2"), parse("qwen3:8b"), parse("phi4")
ALIAS = parse("current")
HERE, THERE = 1, 2
ONE, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "modeltui.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store.open(path)
    assert store.trouble is None
    assert store.facts.server_id("http://127.0.0.1:11434", "local") == HERE
    assert store.facts.server_id("http://gpubox:11434", "gpubox") == THERE
    yield store
    store.close()


@pytest.fixture
def facts(store: Store) -> Facts:
    return store.facts


def spoil(path: Path, statement: str) -> None:
    """Put into a column what modeltui would not write."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert connection.execute(statement).rowcount == 1


def test_a_server_is_its_address(facts: Facts) -> None:
    assert facts.server_id("http://gpubox:11434", "gpubox") == THERE
    assert facts.server_id("http://gpubox:11434", "cellar") == THERE, "a name is a label"
    assert facts.server_id("http://gpubox:11435", "cellar") == 3, "two may bear one label"
    assert facts.servers() == {
        HERE: ("http://127.0.0.1:11434", "local"),
        THERE: ("http://gpubox:11434", "cellar"),
        3: ("http://gpubox:11435", "cellar"),
    }


def test_a_new_label_keeps_what_is_known(facts: Facts) -> None:
    facts.set_current(THERE, LLAMA, ONE, 5)
    facts.server_id("http://gpubox:11434", "cellar")
    assert facts.current(THERE) == CurrentModel(LLAMA, ONE, 5, None)


def test_how_many_pulls_at_once_are_wished_for_there(path: Path, facts: Facts) -> None:
    assert facts.per_server() == {}
    facts.set_per_server(HERE, 3)
    facts.set_per_server(THERE, 1)
    other = Store.open(path)  # as the runner, which is another process
    assert other.facts.per_server() == {HERE: 3, THERE: 1}
    before = other.version_of_data()
    facts.set_per_server(HERE, 4)
    assert other.version_of_data() != before
    assert other.facts.per_server() == {HERE: 4, THERE: 1}
    other.close()
    facts.server_id("http://127.0.0.1:11434", "another label")
    assert facts.per_server()[HERE] == 4
    facts.set_per_server(HERE, None)
    assert facts.per_server() == {THERE: 1}


@pytest.mark.parametrize("written", ["0", "5", "-1", "'two'", "x'02'", "2.5"])
def test_a_number_at_once_that_makes_no_sense_is_none(path: Path, facts: Facts, written: str) -> None:
    spoil(path, f"UPDATE servers SET per_server = {written} WHERE id = {HERE}")
    assert facts.per_server() == {}


def test_what_changes_nothing_waits_for_no_one(path: Path, facts: Facts) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert facts.server_id("http://gpubox:11434", "gpubox") == THERE
        facts.set_whole(HERE, ONE)


def test_the_current_model_and_the_one_before(facts: Facts) -> None:
    assert facts.current(HERE) is None
    facts.set_current(HERE, LLAMA, ONE, 5)
    assert facts.current(HERE) == CurrentModel(LLAMA, ONE, 5, None)
    facts.set_current(HERE, QWEN, None, 6)
    assert facts.current(HERE) == CurrentModel(QWEN, None, 6, "llama3.2:latest")
    facts.set_current(HERE, PHI, OTHER, 7)
    assert facts.current(HERE) == CurrentModel(PHI, OTHER, 7, "qwen3:8b")
    assert facts.current(THERE) is None


def test_the_same_model_again_is_not_its_own_previous(facts: Facts) -> None:
    facts.set_current(HERE, QWEN, ONE, 5)
    facts.set_current(HERE, LLAMA, ONE, 6)
    facts.set_current(HERE, parse("LLAMA3.2"), OTHER, 7)
    assert facts.current(HERE) == CurrentModel(parse("LLAMA3.2"), OTHER, 7, "qwen3:8b")


def test_no_current_model_any_more(facts: Facts) -> None:
    facts.set_current(HERE, QWEN, ONE, 5)
    facts.set_current(THERE, QWEN, ONE, 5)
    facts.clear_current(HERE)
    facts.clear_current(HERE)
    assert facts.current(HERE) is None
    assert facts.current(THERE) is not None


def test_a_renamed_model_stays_current(facts: Facts) -> None:
    facts.set_current(HERE, QWEN, ONE, 5)
    facts.set_current(HERE, LLAMA, ONE, 6)
    facts.set_current(THERE, LLAMA, ONE, 6)
    facts.rename_current(HERE, PHI)
    assert facts.current(HERE) == CurrentModel(PHI, ONE, 6, "qwen3:8b")
    assert facts.current(THERE) == CurrentModel(LLAMA, ONE, 6, None)


def test_a_record_that_is_no_name_is_none(path: Path, facts: Facts) -> None:
    facts.set_current(HERE, QWEN, ONE, 5)
    spoil(path, "UPDATE current SET name = '../../etc'")
    assert facts.current(HERE) is None
    facts.set_current(HERE, LLAMA, ONE, 6)
    assert facts.current(HERE) == CurrentModel(LLAMA, ONE, 6, None)


def test_what_we_wrote_under_an_alias(facts: Facts) -> None:
    assert facts.alias(HERE, ALIAS) is None
    facts.set_alias(HERE, ALIAS, LLAMA, ONE, 5)
    facts.set_alias(HERE, parse("Current:LATEST"), QWEN, OTHER, 6)
    assert facts.alias(HERE, ALIAS) == Alias("qwen3:8b", OTHER, 6)
    assert facts.alias(THERE, ALIAS) is None
    assert facts.alias(HERE, parse("current:other")) is None


def test_details_of_a_manifest(facts: Facts) -> None:
    assert facts.details(ONE) is None
    assert facts.all_details() == {}
    facts.set_details(ONE, {"weights": None, "context": 2048}, 5)
    facts.set_details(OTHER, {"name": "größer"}, 5)
    facts.set_details(ONE, {"weights": "sha256:c"}, 6)
    assert facts.details(ONE) == {"weights": "sha256:c"}
    assert facts.all_details() == {ONE: {"weights": "sha256:c"}, OTHER: {"name": "größer"}}


@pytest.mark.parametrize("written", ["[1]", "null", "{", ""])
def test_details_that_cannot_be_read_are_unknown(path: Path, facts: Facts, written: str) -> None:
    facts.set_details(ONE, {"weights": "sha256:c"}, 5)
    spoil(path, f"UPDATE details SET json = '{written}'")
    assert facts.details(ONE) is None
    assert facts.all_details() == {ONE: {}}


def test_what_cannot_be_opened_there(facts: Facts) -> None:
    facts.set_damaged(HERE, ONE, "unable to load", 5)
    facts.set_damaged(HERE, ONE, "file does not exist", 6)
    facts.set_damaged(HERE, OTHER, "unable to load", 6)
    assert facts.damaged(HERE) == {ONE: "file does not exist", OTHER: "unable to load"}
    assert facts.damaged(THERE) == {}
    facts.set_whole(THERE, ONE)
    facts.set_whole(HERE, ONE)
    assert facts.damaged(HERE) == {OTHER: "unable to load"}


def test_the_last_load_there(facts: Facts) -> None:
    assert facts.loads(HERE) == {}
    facts.set_load(HERE, ONE, Load(5, 900, 2**33, 2**33, 4096))
    facts.set_load(HERE, OTHER, Load(5, 0, None, None, None))
    facts.set_load(THERE, ONE, Load(6, 100, 1, 2, 3))
    facts.set_load(HERE, ONE, Load(7, 800, 2**33, 0, 8192))
    assert facts.loads(HERE) == {
        ONE: Load(7, 800, 2**33, 0, 8192),
        OTHER: Load(5, 0, None, None, None),
    }


def test_the_list_last_seen_there(path: Path, facts: Facts) -> None:
    assert facts.last_list(HERE) is None
    facts.set_last_list(HERE, [{"name": "a"}], 5)
    facts.set_last_list(HERE, [{"name": "größer", "size": None}, 1.5], 6)
    facts.set_last_list(THERE, [], 7)
    assert facts.last_list(HERE) == ([{"name": "größer", "size": None}, 1.5], 6)
    assert facts.last_list(THERE) == ([], 7)


@pytest.mark.parametrize("written", ["{}", "null", "[1", ""])
def test_a_list_that_cannot_be_read_is_none(path: Path, facts: Facts, written: str) -> None:
    facts.set_last_list(HERE, ["x"], 5)
    spoil(path, f"UPDATE last_list SET json = '{written}'")
    assert facts.last_list(HERE) is None


def test_all_of_it_is_there_after_a_restart(path: Path, store: Store) -> None:
    facts = store.facts
    facts.set_current(HERE, LLAMA, ONE, 5)
    facts.set_current(HERE, QWEN, OTHER, 6)
    facts.set_alias(HERE, ALIAS, QWEN, OTHER, 6)
    facts.set_details(ONE, {"context": 2048}, 5)
    facts.set_damaged(HERE, ONE, "unable to load", 5)
    facts.set_load(HERE, ONE, Load(5, 900, 1, 2, 3))
    facts.set_last_list(HERE, [1], 5)
    store.close()
    again = Store.open(path)
    facts = again.facts
    assert facts.servers()[THERE] == ("http://gpubox:11434", "gpubox")
    assert facts.current(HERE) == CurrentModel(QWEN, OTHER, 6, "llama3.2:latest")
    assert facts.alias(HERE, ALIAS) == Alias("qwen3:8b", OTHER, 6)
    assert facts.details(ONE) == {"context": 2048}
    assert facts.damaged(HERE) == {ONE: "unable to load"}
    assert facts.loads(HERE) == {ONE: Load(5, 900, 1, 2, 3)}
    assert facts.last_list(HERE) == ([1], 5)
    again.close()
