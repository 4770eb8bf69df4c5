"""The user's own catalogs: what they may say, what it changes, and one clear sentence for what is wrong."""

import os
from pathlib import Path

import pytest
from catalogs import shipped
from hypothesis import given
from hypothesis import strategies as st

from modeltui.catalog import own
from modeltui.catalog.ownkeys import SERIES_KEYS, TAG_KEYS
from modeltui.domain.advice.tasks import Purpose
from modeltui.domain.catalog.purposes import purpose_of, type_of
from modeltui.domain.catalog.series import Catalog, Tag
from modeltui.domain.models import ModelType


def read(directory: Path, **files: str) -> tuple[Catalog, tuple[str, ...]]:
    """The library with these files (`a` is a.toml) and the problems."""
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        (directory / f"{name}.toml").write_text(text, encoding="utf-8")
    changes, problems = own.read(directory)
    return own.applied(shipped(), changes), problems


WHOLE = """
[series."registry.lan:5000/team/helper"]
publisher = "Team"
description = "Answers questions about our wiki"
family = "llama"
license = "private"
line = "helper"
base_model = "Llama 3.1 8B"
url = "https://wiki.lan/helper"
default_tag = "8b"
capabilities = ["completion", "Tools"]
use_cases = ["rag"]
succeeds = ["llama3.1"]
succeeded_by = []
commercial = "conditions"
kind = "dense"
role = "chat"
released = "2026-05"
requires = "0.9.1"
retired = false
note = ["ask Ada", "no tables"]
type = "general"
purpose = "quality"
context = "32k"

[series."registry.lan:5000/team/helper".tags.8b]
size = "4.7GB"
parameters = "7.6B"
active_parameters = 7_600_000_000
quantization = "Q4_K_M"
inputs = ["text", "image"]
digest = "sha256:0123456789ABCDEF"
context = 16384
base = false
apple_only = false
type = "code"
purpose = "speed"
note = "the one we use"
"""


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    catalog, problems = read(tmp_path, helper=WHOLE)
    assert problems == ()
    found = catalog.find("registry.lan:5000/team/helper")
    assert found is not None
    series, tag = found
    assert (series.publisher, series.license, series.commercial) == ("Team", "private", "conditions")
    assert series.capabilities == {"completion", "tools"}
    assert series.notes == ("ask Ada", "no tables")
    assert (series.context, series.released, series.requires) == (32768, "2026-05", "0.9.1")
    assert series.source == str(tmp_path / "helper.toml")
    assert tag == Tag(
        "registry.lan:5000/team/helper",
        "8b",
        digest="0123456789ab",
        size=4_700_000_000,
        is_size_exact=False,
        quantization="Q4_K_M",
        parameter_size="7.6B",
        parameters=7_600_000_000,
        active_parameters=7_600_000_000,
        context=16384,
        inputs=frozenset({"text", "image"}),
        type=ModelType.CODE,
        purpose=Purpose.SPEED,
        note="the one we use",
    )
    assert (type_of(series, tag), purpose_of(series, tag)) == (ModelType.CODE, Purpose.SPEED)
    assert (type_of(series), purpose_of(series)) == (ModelType.GENERAL, Purpose.QUALITY)


def test_the_example_names_every_key() -> None:
    """So that no key is there that no test has read."""
    head, _, tag = WHOLE.partition(".tags.")
    assert set(SERIES_KEYS) == {line.partition(" =")[0] for line in head.splitlines() if " = " in line}
    assert set(TAG_KEYS) == {line.partition(" =")[0] for line in tag.splitlines() if " = " in line}


def test_a_known_series_keeps_what_is_not_said(tmp_path: Path) -> None:
    text = '[series."Llama3.1"]\ntype = "code"\nnote = "ours"\n'
    text += '[series."Llama3.1".tags."8B"]\npurpose = "quality"\n'
    catalog, problems = read(tmp_path, a=text)
    before, after = shipped().series["llama3.1"], catalog.series["llama3.1"]
    assert problems == ()
    assert after.license == before.license
    assert after.notes == ("ours", *before.notes)
    assert len(after.tags) == len(before.tags), "8B is 8b"
    tag, old = after.tag("8b"), before.tag("8b")
    assert tag is not None and old is not None
    assert tag == old._replace(purpose=Purpose.QUALITY)
    assert after.source == f"bundled, changed by {tmp_path / 'a.toml'}"
    assert shipped().series["llama3.1"].type is None, "the bundled catalog itself stays as it is"


def test_a_tag_of_ones_own_in_a_known_series(tmp_path: Path) -> None:
    """What its name tells is known without a word: here a size that has siblings."""
    catalog, _ = read(tmp_path, a='[series.qwen3.tags."30b-a3b-q4_K_XL"]\nsize = 18_000_000_000\n')
    tag = catalog.series["qwen3"].tag("30b-a3b-q4_K_XL")
    assert tag is not None
    assert (tag.size, tag.is_size_exact, tag.quantization) == (18_000_000_000, True, "Q4_K_XL")
    assert (tag.parameters, tag.active_parameters) == (30_000_000_000, 3_300_000_000)


@pytest.mark.parametrize(
    "name", ["me/notes", "hf.co/bartowski/Qwen2.5-7B-Instruct-GGUF", "registry.lan:5000/a/b", "brand-new"]
)
def test_any_name_can_be_a_series(tmp_path: Path, name: str) -> None:
    catalog, problems = read(tmp_path, a=f'[series."{name}"]\n[series."{name}".tags.Q4_K_M]\nsize = "1GB"\n')
    assert problems == ()
    found = catalog.find(f"{name}:q4_k_m")
    assert found is not None
    assert found[1].name == f"{name}:Q4_K_M"
    assert list(catalog.series)[-1] == name.casefold(), "behind those of the library"


def test_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    catalog, _ = read(
        tmp_path,
        b='[series.qwen3]\npublisher = "second"\n',
        a='[series.qwen3]\npublisher = "first"\nurl = "https://a"\n',
    )
    assert (catalog.series["qwen3"].publisher, catalog.series["qwen3"].url) == ("second", "https://a")


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("colour = 1", "colour", "tables"),
        ("series = 3", "series", "[series."),
        ("series.qwen3 = 3", "series.qwen3", "a table"),
        ('[series."qwen3:8b"]', 'series."qwen3:8b"', "without its tag"),
        ('[series."two words"]', 'series."two words"', "name of a model"),
        ("[series.qwen3]\ncolour = 1", "series.qwen3.colour", "publisher"),
        ("[series.qwen3]\ntags = 1", "series.qwen3.tags", "must be tables"),
        ("[series.qwen3.tags]\n8b = 1", "series.qwen3.tags.8b", "must be a table"),
        ('[series.qwen3.tags."8 b"]', 'series.qwen3.tags."8 b"', "letters"),
        ("[series.qwen3.tags.8b]\ncolour = 1", "series.qwen3.tags.8b.colour", "quantization"),
        ("[series.qwen3]\npublisher = 1", "series.qwen3.publisher", "a text"),
        ("[series.qwen3]\npublisher = ' '", "series.qwen3.publisher", "a text"),
        ("[series.qwen3]\ntype = 'chat'", "series.qwen3.type", "general, code"),
        ("[series.qwen3]\ntype = ['code']", "series.qwen3.type", "general, code"),
        ("[series.qwen3]\npurpose = 'best'", "series.qwen3.purpose", "speed, balanced"),
        ("[series.qwen3]\nrole = 'boss'", "series.qwen3.role", "chat"),
        ("[series.qwen3]\nretired = 'no'", "series.qwen3.retired", "true or false"),
        ("[series.qwen3]\nreleased = '2026-13'", "series.qwen3.released", "2026-05"),
        ("[series.qwen3]\nreleased = '0000-01'", "series.qwen3.released", "2026-05"),
        ("[series.qwen3]\nrequires = 'new'", "series.qwen3.requires", "0.9.1"),
        ("[series.qwen3]\nrequires = '99999999999.1'", "series.qwen3.requires", "0.9.1"),
        ("[series.qwen3]\ncapabilities = 'tools'", "series.qwen3.capabilities", "a list of"),
        ("[series.qwen3]\ncapabilities = ['flying']", "series.qwen3.capabilities", "vision"),
        ("[series.qwen3]\nnote = []", "series.qwen3.note", "a list of texts"),
        ("[series.qwen3]\ncontext = 0", "series.qwen3.context", "32k"),
        ("[series.qwen3]\ncontext = true", "series.qwen3.context", "32k"),
        ("[series.qwen3]\ncontext = 1e999", "series.qwen3.context", "32k"),
        ("[series.qwen3.tags.8b]\nsize = -1", "series.qwen3.tags.8b.size", "4.7GB"),
        ("[series.qwen3.tags.8b]\nsize = '4,7GB'", "series.qwen3.tags.8b.size", "4.7GB"),
        ("[series.qwen3.tags.8b]\nsize = nan", "series.qwen3.tags.8b.size", "4.7GB"),
        ("[series.qwen3.tags.8b]\nsize = '99999999999TB'", "series.qwen3.tags.8b.size", "4.7GB"),
        ("[series.qwen3.tags.8b]\nparameters = '7.6'", "series.qwen3.tags.8b.parameters", "7.6B"),
        ("[series.qwen3.tags.8b]\ndigest = 'abc'", "series.qwen3.tags.8b.digest", "hexadecimal"),
    ],
)
def test_an_error_names_file_and_key_and_what_is_allowed(
    tmp_path: Path, text: str, key: str, allowed: str
) -> None:
    kept = '[series.brand-new]\npublisher = "still there"\n'
    catalog, problems = read(tmp_path, a=text + "\n", b=kept)
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"{tmp_path / 'a.toml'}: {key} ")
    assert allowed in problems[0]
    assert problems[0].endswith("it does not count")
    assert catalog.series["brand-new"].publisher == "still there"
    assert catalog.series["qwen3"].tags == shipped().series["qwen3"].tags


def test_the_rest_of_a_table_counts(tmp_path: Path) -> None:
    text = (
        '[series.qwen3]\ntype = "wrong"\npublisher = "us"\n[series.qwen3.tags.8b]\nsize = "x"\nnote = "ok"\n'
    )
    catalog, problems = read(tmp_path, a=text)
    assert len(problems) == 2
    assert catalog.series["qwen3"].publisher == "us"
    tag = catalog.series["qwen3"].tag("8b")
    assert tag is not None and tag.note == "ok"


@pytest.mark.parametrize("content", [b"a = [", b"\xff\xff", b"a = 1\na = 2", b"[" * 100_000])
def test_a_broken_file_is_one_problem(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.toml").write_bytes(content)
    (tmp_path / "good.toml").write_text('[series.qwen3]\npublisher = "us"\n')
    changes, problems = own.read(tmp_path)
    assert [change.series for change in changes] == ["qwen3"]
    assert len(problems) == 1
    assert problems[0].startswith(f"{tmp_path / 'broken.toml'} is no TOML: ")


def test_a_mark_of_byte_order_does_no_harm(tmp_path: Path) -> None:
    """Editors on Windows begin a file with one."""
    (tmp_path / "windows.toml").write_bytes(b'\xef\xbb\xbf[series.mine]\r\npublisher = "I"\r\n')
    changes, problems = own.read(tmp_path)
    assert [change.series for change in changes] == ["mine"]
    assert problems == ()


def test_what_is_no_readable_file_is_one_problem_each(tmp_path: Path) -> None:
    (tmp_path / "directory.toml").mkdir()
    (tmp_path / "nowhere.toml").symlink_to(tmp_path / "missing")
    os.mkfifo(tmp_path / "pipe.toml")
    with (tmp_path / "huge.toml").open("wb") as file:
        file.truncate(5_000_000)
    (tmp_path / "notes.txt").write_text("not asked for")
    changes, problems = own.read(tmp_path)
    assert changes == ()
    assert [problem.partition(".toml")[0].rpartition("/")[2] for problem in problems] == [
        "directory",
        "huge",
        "nowhere",
        "pipe",
    ]


def test_without_a_directory_there_is_nothing(tmp_path: Path) -> None:
    assert own.read(tmp_path / "missing") == ((), ())
    (tmp_path / "file").write_text("")
    assert own.read(tmp_path / "file") == ((), ())


def test_texts_are_cleaned(tmp_path: Path) -> None:
    text = '[series.qwen3]\ndescription = "a\\u001b[31mred"\nnote = "b\\u202e"\n[series."\\u001b"]\n'
    catalog, problems = read(tmp_path, a=text)
    assert catalog.series["qwen3"].description == "a·[31mred"
    assert catalog.series["qwen3"].notes[0] == "b·"
    assert "\x1b" not in "".join(problems)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from([*SERIES_KEYS, "tags", "colour"])


@given(
    st.dictionaries(st.sampled_from(["qwen3", "x/y", "", "a b"]), st.dictionaries(KEYS, VALUES, max_size=4))
)
def test_no_content_is_an_exception(tables: dict[str, dict[str, object]]) -> None:
    problems: list[str] = []
    changes = own._Reader("file.toml", problems).read({"series": tables})
    catalog = own.applied(shipped(), changes)
    assert all(problem.startswith("file.toml: ") for problem in problems)
    for series in catalog.series.values():
        if series.source.endswith("file.toml"):
            assert all(isinstance(tag, Tag) for tag in series.tags)
            type_of(series)
            purpose_of(series)
