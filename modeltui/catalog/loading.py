"""Puts one catalog together: the bundled or the refreshed one, the newer, then the user's own files."""

import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from modeltui.catalog import form
from modeltui.domain.catalog.series import Catalog, Retired, Series, catalog_of
from modeltui.paths import Paths, write_private
from modeltui.text import clean_line

_BUNDLED = Path(__file__).parent / "data" / "library.json"
REFRESHED = "catalog.json"
OWN = "catalog.d"
_MOST_BYTES = 32_000_000  # forty times the bundled one


def load(paths: Paths, only: Collection[str] | None = None) -> Catalog:
    """The catalog as this user has it; never raises for a file, and reads none from the network.

    What could not be used is said in `problems`. Some 20 ms: read it off the event loop, and keep it. The
    series of `only` (as `Catalog.series` names them) take a tenth of that, and none of its 8 MB.
    """
    base = load_base(paths.cache, only)
    directory = paths.config / OWN
    if not directory.is_dir():
        return base
    from modeltui.catalog import own

    changes, problems = own.read(directory)
    if only is not None:
        changes = tuple(each for each in changes if each.series.casefold() in only)
    if changes:
        base = own.applied(base, changes)
    return replace(base, problems=(*base.problems, *problems))


def load_base(cache: Path | None = None, only: Collection[str] | None = None) -> Catalog:
    """The library as bundled, or as refreshed into `cache` where that is newer; without the user's files.

    The whole of it is read once a file: catalogs never change, so all who ask in one process may hold the
    same.
    """
    why = None
    try:
        refreshed = _refreshed(cache / REFRESHED, only) if cache is not None else None
        if refreshed is not None:
            return refreshed
    except FileNotFoundError:
        pass
    except OSError as error:
        why = error.strerror or "it cannot be read"
    except form.BrokenForm as error:
        why = str(error)
    if why is None or cache is None:
        return _bundled(only)
    problem = (
        f"{cache / REFRESHED}: {clean_line(why)}; the bundled catalog is used: "
        "`modeltui catalog refresh` writes it anew"
    )
    return replace(_bundled(only), problems=(problem,))


def save_refreshed(
    cache: Path,
    series: Iterable[Series],
    as_of: str,
    retired: Mapping[str, Retired],
) -> Path:
    """Keep a catalog that was just read (`as_of`, ISO 8601 UTC) in `cache`, in one step; raises OSError.

    An OSError leaves what was there before.
    """
    file = cache / REFRESHED
    write_private(file, form.encode(catalog_of(series, as_of, retired)))
    return file


def _bundled(only: Collection[str] | None) -> Catalog:
    if only is None:
        return _whole_bundled()
    return form.decode(_BUNDLED.read_bytes(), trusted=True, only=only)


@lru_cache(maxsize=1)
def _whole_bundled() -> Catalog:
    return form.decode(_BUNDLED.read_bytes(), trusted=True)


@lru_cache(maxsize=1)
def _bundled_day() -> str:
    with _BUNDLED.open("rb") as file:
        return form.as_of(file.readline()) or ""


def _refreshed(file: Path, only: Collection[str] | None) -> Catalog | None:
    """The catalog in that file if it is the newer one; raises OSError, BrokenForm."""
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):  # a pipe would never end
        raise form.BrokenForm("it is no file")
    if status.st_size > _MOST_BYTES:
        raise form.BrokenForm(f"it is larger than {_MOST_BYTES:,} bytes")
    if only is not None:
        return _newer(file, only)
    return _whole_refreshed(file, (status.st_ino, status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=1)
def _whole_refreshed(file: Path, stamp: tuple[int, ...]) -> Catalog | None:
    """`stamp` tells one content of the file from the next: it is only ever replaced as a whole."""
    return _newer(file, None)


def _newer(file: Path, only: Collection[str] | None) -> Catalog | None:
    content = file.read_bytes()
    return form.decode(content, only=only) if (form.as_of(content) or "") > _bundled_day() else None
