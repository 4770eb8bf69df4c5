"""Measures in which form the catalog opens fastest, from a file to a list of tags, and what each weighs.

    python tests/benchmarks/catalog_forms.py [--runs N]

Each form is written from the shipped catalog and read in a Python of its own whose imports are done before
the clock starts, but for what the form alone needs (zlib, sqlite3). The median counts. "in a wheel" is what
the file weighs in a wheel, which deflates everything.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modeltui.catalog import form
from modeltui.catalog.loading import load_base
from modeltui.domain.catalog.series import Catalog

BUDGET_MS = 40.0
SOURCE = Path(__file__).parent.parent / "data" / "catalog" / "catalog.json"
SHIPPED = "columns, JSON (shipped)"
BEFORE = """
import sys, time, json
from modeltui.catalog import form
from modeltui.domain.catalog.series import Tag
path = sys.argv[1]
start = time.perf_counter()
"""
AFTER = """
end = time.perf_counter()
assert len(tags) == 7312, len(tags)
print((end - start) * 1000)
"""
READ = 'text = open(path, encoding="utf-8").read()'
BYTES = 'content = open(path, "rb").read()'
FROM_ROWS = """
tags = []
for row in json.loads(text):
    row["inputs"] = frozenset(row["inputs"])
    tags.append(Tag(**row))
"""
READERS = {
    "source, JSON": f"""
{READ}
tags = [
    Tag(model["name"], tag["tag"], tag["digest"], tag["size_bytes"], quantization=tag["quantization"],
        inputs=frozenset(tag["input"]))
    for model in json.loads(text)["models"] for tag in model["tags"]
]
""",
    "an object a tag, JSON": READ + FROM_ROWS,
    SHIPPED: f"{BYTES}\ntags = list(form.decode(content, trusted=True).tags)",
    "columns, JSON, summed": f"{BYTES}\ntags = list(form.decode(content).tags)",
    "columns, zlib": """
import zlib
content = zlib.decompress(open(path, "rb").read())
tags = list(form.decode(content, trusted=True).tags)
""",
    "SQLite": """
import sqlite3
database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
inputs = {}
tags = []
for row in database.execute("SELECT * FROM tags"):
    row = list(row)
    words = row[12]
    row[12] = inputs.get(words) or inputs.setdefault(words, frozenset(words.split()))
    tags.append(Tag._make(row))
series = [json.loads(text) for (text,) in database.execute("SELECT json FROM series")]
""",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One form: milliseconds to every tag in hand (median), bytes on disk and in a wheel."""

    name: str
    ms: float
    disk: int
    wheel: int


def _source(catalog: Catalog, path: Path) -> None:
    path.write_bytes(SOURCE.read_bytes())


def _objects(catalog: Catalog, path: Path) -> None:
    rows = [{**tag._asdict(), "inputs": sorted(tag.inputs)} for tag in catalog.tags]
    path.write_text(json.dumps(rows, separators=(",", ":")), encoding="utf-8")


def _columns(catalog: Catalog, path: Path) -> None:
    path.write_text(form.encode(catalog), encoding="utf-8")


def _deflated(catalog: Catalog, path: Path) -> None:
    path.write_bytes(zlib.compress(form.encode(catalog).encode(), 9))


def _database(catalog: Catalog, path: Path) -> None:
    tags = list(catalog.tags)
    database = sqlite3.connect(path)
    database.execute(f"CREATE TABLE tags ({', '.join(tags[0]._fields)})")
    marks = ", ".join("?" * len(tags[0]))
    rows = [tag._replace(inputs=" ".join(sorted(tag.inputs))) for tag in tags]  # type: ignore[arg-type]
    database.executemany(f"INSERT INTO tags VALUES ({marks})", rows)
    database.execute("CREATE TABLE series (json)")
    rows_of_series = (line.partition("\t")[2] for line in form.encode(catalog).splitlines()[2:])
    database.executemany("INSERT INTO series VALUES (?)", [(row,) for row in rows_of_series])
    database.commit()
    database.execute("VACUUM")
    database.close()


WRITERS: dict[str, Callable[[Catalog, Path], None]] = {
    "source, JSON": _source,
    "an object a tag, JSON": _objects,
    SHIPPED: _columns,
    "columns, JSON, summed": _columns,
    "columns, zlib": _deflated,
    "SQLite": _database,
}


def rows(runs: int = 7, names: tuple[str, ...] = tuple(READERS)) -> list[Row]:
    """Every form, in turn, so that a busy moment hits them alike."""
    catalog = load_base()
    times: dict[str, list[float]] = {name: [] for name in names}
    found = []
    with tempfile.TemporaryDirectory() as directory:
        paths = {name: Path(directory) / str(place) for place, name in enumerate(names)}
        for name, path in paths.items():
            WRITERS[name](catalog, path)
        for _ in range(runs):
            for name, path in paths.items():
                command = [sys.executable, "-c", BEFORE + READERS[name] + AFTER, str(path)]
                done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
                times[name].append(float(done.stdout))
        for name, path in paths.items():
            packed = Path(directory) / "packed.zip"
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(path, "file")
            size = path.stat().st_size
            found.append(Row(name, statistics.median(times[name]), size, packed.stat().st_size))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    print(f"{'form':26}{'ms':>8}{'on disk':>12}{'in a wheel':>12}")  # noqa: T201
    for row in rows(runs):
        print(f"{row.name:26}{row.ms:8.1f}{row.disk:12,}{row.wheel:12,}")  # noqa: T201


if __name__ == "__main__":
    main()
