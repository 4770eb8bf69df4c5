import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from modeltui.paths import paths_under, private_directory, user_paths, write_private


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_directories_and_files_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    deep = private_directory(tmp_path / "share" / "state" / "current")
    write_private(deep / "file", "one\n")
    assert [_mode(path) for path in (deep.parent.parent, deep.parent, deep)] == [0o700] * 3
    assert _mode(deep / "file") == 0o600


def test_what_is_there_keeps_its_rights_but_a_file_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = private_directory(tmp_path) / "current"
    assert _mode(tmp_path) == 0o755
    path.write_text("old\n")
    path.chmod(0o644)
    with path.open() as reader:
        write_private(path, "new — ünïcode\n")
        assert reader.read() == "old\n"  # whoever reads the old file reads it whole
    assert (path.read_text("utf-8"), _mode(path)) == ("new — ünïcode\n", 0o600)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["new\n", "lone \ud800 surrogate"])
def test_the_old_file_stays_when_writing_fails(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "current"
    write_private(path, "old\n")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises((OSError, UnicodeEncodeError)):
        write_private(path, text)
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / f".current.{os.getpid()}").symlink_to(victim)
    with pytest.raises(OSError, match="ymbolic link"):
        write_private(tmp_path / "current", "x")
    assert victim.read_text() == "untouched"
    with pytest.raises(OSError, match="victim"):
        write_private(victim / "current", "x")  # a file where a directory should be


def test_variables_move_the_directories(tmp_path: Path) -> None:
    moved = {f"MODELTUI_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "STATE")}
    paths = user_paths({**moved, "MODELTUI_CACHE_DIR": "~/k"})
    assert (paths.config, paths.state, paths.cache) == (
        *(tmp_path / "CONFIG", tmp_path / "STATE"),
        Path.home() / "k",
    )
    assert (paths.config_file.parent, paths.settings_file.parent) == (paths.config, paths.config)
    assert {path.parent for path in (paths.database, paths.runner_lock, paths.current)} == {paths.state}


def test_without_variables_the_places_are_the_users_own_and_a_demonstration_has_one_root() -> None:
    usual = user_paths({"MODELTUI_STATE_DIR": ""})
    assert usual == user_paths({})
    assert all("modeltui" in path.parts for path in (usual.config, usual.state, usual.cache))
    demo = paths_under(Path("/nowhere"))
    assert {demo.config.parent, demo.state.parent, demo.cache.parent} == {Path("/nowhere")}
