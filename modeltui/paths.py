"""Alone knows where configuration, state and cache lie, and makes their directories private."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
# Windows has neither.
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_NOT_INHERITED: int = getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Paths:
    """The three directories of one user (or of one demonstration).

    `is_temporary`: they are removed as this program ends.
    """

    config: Path
    state: Path
    cache: Path
    is_temporary: bool = False

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def settings_file(self) -> Path:
        return self.config / "settings.toml"

    @property
    def database(self) -> Path:
        return self.state / "modeltui.db"

    @property
    def runner_lock(self) -> Path:
        return self.state / "runner.lock"

    @property
    def runner_log(self) -> Path:
        return self.state / "runner.log"

    @property
    def current(self) -> Path:
        """Directory of the state files: one a server, holding the name of its current model."""
        return self.state / "current"


def user_paths(environ: Mapping[str, str]) -> Paths:
    """The directories of this user; `MODELTUI_CONFIG_DIR`, `_STATE_DIR` and `_CACHE_DIR` move them."""
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("modeltui", appauthor=False)

    def place(variable: str, usual: Path) -> Path:
        return Path(environ[variable]).expanduser() if environ.get(variable) else usual

    return Paths(
        config=place("MODELTUI_CONFIG_DIR", dirs.user_config_path),
        state=place("MODELTUI_STATE_DIR", dirs.user_state_path),
        cache=place("MODELTUI_CACHE_DIR", dirs.user_cache_path),
    )


def paths_under(root: Path) -> Paths:
    """The three directories below one `root`, as the demonstration and the tests use them."""
    return Paths(config=root / "config", state=root / "state", cache=root / "cache")


def private_directory(path: Path) -> Path:
    """Make `path` (and its parents) if it is missing, 0700 whatever the umask; raises OSError.

    An existing directory keeps its rights: doctor names the ones that are too wide.
    """
    if not path.is_dir():
        if not path.parent.exists():
            private_directory(path.parent)
        path.mkdir(exist_ok=True, mode=DIRECTORY_MODE)
        path.chmod(DIRECTORY_MODE)
    return path


def create_private(path: Path, flags: int) -> int:
    """A descriptor of the new file `path`, 0600 whatever the umask; raises FileExistsError and OSError."""
    handle = os.open(path, flags | os.O_CREAT | os.O_EXCL | _NOT_INHERITED, FILE_MODE)
    path.chmod(FILE_MODE)
    return handle


def open_private(path: Path, flags: int) -> int:
    """A descriptor of `path`, made 0600 if it is missing; never through a link. Raises OSError.

    An existing file keeps its rights.
    """
    try:
        return create_private(path, flags)
    except FileExistsError:
        return os.open(path, flags | _NO_LINK | _NOT_INHERITED)


def write_private(path: Path, text: str) -> None:
    """Replace `path` with `text` in one step, 0600; raises OSError and then leaves the old file."""
    private_directory(path.parent)
    spare = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = open_private(spare, os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        spare.replace(path)
    finally:
        spare.unlink(missing_ok=True)
