"""Which catalog is taken: the newer of the bundled and the refreshed one, then the user's own files."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from catalogs import series, shipped, small, tag

from modeltui.catalog import form
from modeltui.catalog.loading import REFRESHED, load, load_base, save_refreshed
from modeltui.domain.catalog.series import Retired
from modeltui.paths import paths_under

NEWER = "2027-01-01T00:00:00Z"
OLDER = "2020-01-01T00:00:00Z"


def save(cache: Path, as_of: str) -> Path:
    return save_refreshed(cache, small().series.values(), as_of, {"gone": Retired(("alpha",))})


def test_without_a_cache_the_bundled_one_is_taken(tmp_path: Path) -> None:
    catalog = load(paths_under(tmp_path))
    assert catalog == shipped()
    assert not catalog.problems
    assert list(tmp_path.iterdir()) == [], "reading writes nothing"


def test_a_newer_one_wins(tmp_path: Path) -> None:
    save(tmp_path, NEWER)
    catalog = load_base(tmp_path)
    assert (list(catalog.series), catalog.as_of) == (["alpha", "beta"], NEWER)
    assert catalog.retired == {"gone": Retired(("alpha",))}
    assert not catalog.problems


def test_some_series_are_those_of_the_whole(tmp_path: Path) -> None:
    paths = paths_under(tmp_path)
    assert load(paths, {"qwen3"}).series == {"qwen3": shipped().series["qwen3"]}
    save(paths.cache, NEWER)
    assert load(paths, {"beta", "qwen3"}) == replace(
        load_base(paths.cache), series={"beta": small().series["beta"]}
    )
    own = paths.config / "catalog.d"
    own.mkdir(parents=True)
    (own / "mine.toml").write_text('[series.alpha]\ntype = "code"\n[series.beta]\nnote = "mine"\n[oops]\n')
    found = load(paths, {"beta"})
    assert found.series == {"beta": load(paths).series["beta"]}
    assert found.problems == load(paths).problems != ()


@pytest.mark.parametrize("as_of", [OLDER, str(shipped().as_of)])
def test_one_that_is_no_newer_does_not(tmp_path: Path, as_of: str) -> None:
    """A newer modeltui brings a newer catalog than the cache of its predecessor."""
    save(tmp_path, as_of)
    assert load_base(tmp_path) == shipped()


def test_a_broken_one_is_said_and_the_bundled_one_taken(tmp_path: Path) -> None:
    file = save(tmp_path, NEWER)
    text = file.read_text(encoding="utf-8")
    for content in (text[:-30].encode(), b"", b"\xff\xfe\x00", b'{"what": "else"}\n'):
        file.write_bytes(content)
        catalog = load_base(tmp_path)
        assert catalog.series == shipped().series
        assert len(catalog.problems) == 1
        assert str(file) in catalog.problems[0]
        assert "bundled" in catalog.problems[0]


def test_one_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / REFRESHED).mkdir()
    catalog = load_base(tmp_path)
    assert catalog.series == shipped().series
    assert "no file" in catalog.problems[0]


def test_what_would_never_end_is_not_read(tmp_path: Path) -> None:
    """A pipe would wait for ever, a file of many gigabytes would take all memory."""
    place = tmp_path / REFRESHED
    os.mkfifo(place)
    assert "no file" in load_base(tmp_path).problems[0]
    place.unlink()
    place.symlink_to("/dev/zero")
    assert "no file" in load_base(tmp_path).problems[0]
    place.unlink()
    with place.open("wb") as file:
        file.truncate(1 << 40)
    catalog = load_base(tmp_path)
    assert "larger than" in catalog.problems[0]
    assert catalog.series == shipped().series


def test_saving_is_private_and_leaves_nothing_behind(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        file = save(tmp_path / "cache", NEWER)
    finally:
        os.umask(previous)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [REFRESHED]
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_save_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, NEWER)

    def no_room(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space"):
        save_refreshed(tmp_path, [series("other", tag("other", "1b"))], "2028-01-01T00:00:00Z", {})
    assert load_base(tmp_path).as_of == NEWER
    assert [path.name for path in tmp_path.iterdir()] == [REFRESHED]


def test_the_users_files_come_last(tmp_path: Path) -> None:
    paths = paths_under(tmp_path)
    save(paths.cache, NEWER)
    (paths.config / "catalog.d").mkdir(parents=True)
    (paths.config / "catalog.d" / "mine.toml").write_text(
        '[series.alpha]\npublisher = "us"\n[series.alpha.x]\n'
    )
    catalog = load(paths)
    assert catalog.series["alpha"].publisher == "us"
    assert catalog.as_of == NEWER
    assert len(catalog.problems) == 1


def test_what_was_saved_can_be_saved_again(tmp_path: Path) -> None:
    """A refresh reads the base, changes values and saves: nothing may be lost on the way."""
    base = load_base()
    save_refreshed(tmp_path, base.series.values(), NEWER, base.retired)
    again = load_base(tmp_path)
    assert again.series == base.series
    assert again.retired == base.retired
    assert form.as_of((tmp_path / REFRESHED).read_bytes()) == NEWER
