"""Measures the command line's budgets beside bare programs of the same run, and prints a table of ratios.

    python tests/benchmarks/measure.py [--runs N]

Process time is user and system time of the whole process. Each pair runs in turn; medians are compared.
All programs run from bytecode, as they do where they are installed: the first run of each writes it.

A pull has a fixed part, however many bytes it moves: the start of the command and of the runner, the look at
what it would bring and at the disk, and the checks after it. That part is named apart, on a model of a few
megabytes; the ratio is that of a small model on a fast line, half a minute at 100 MB/s.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODELTUI = [sys.executable, "-m", "modeltui"]
PULL_BYTES_PER_S = 100_000_000
PULLED = "qwen3:4b"
TINY = "tiny-demo"

BARE_PULL = """
import httpx, json, sys
with httpx.Client(timeout=None, trust_env=False) as client:
    with client.stream("POST", sys.argv[1] + "/api/pull", json={"model": sys.argv[2]}) as answer:
        last = [json.loads(line) for line in answer.iter_lines()][-1]
assert last == {"status": "success"}, last
"""

BARE_LIST = """
import asyncio, httpx, sys
async def main():
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        await asyncio.gather(*(client.get(sys.argv[1] + path) for path in ("/api/tags", "/api/ps")))
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: seconds of ours and of the bare program, and the budget in words and as a check."""

    what: str
    ours: float
    bare: float
    budget: str
    holds: Callable[[float, float, float], bool]

    def is_within(self, slack: float = 1.0) -> bool:
        """Whether the budget, widened by `slack`, holds."""
        return self.holds(self.ours, self.bare, slack)


def process_time(command: list[str], environ: dict[str, str]) -> float:
    """User and system seconds of one run; raises CalledProcessError when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wall_time(command: list[str], environ: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def pairs(
    runs: int,
    ours: list[str],
    bare: list[str],
    environ: dict[str, str],
    measure: Callable[..., float],
    warm_ups: int = 1,
) -> tuple[float, float]:
    """Medians of both, run in turn after the warm-ups."""
    times = [(measure(ours, environ), measure(bare, environ)) for _ in range(warm_ups + runs)][warm_ups:]
    return statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)


@contextmanager
def demonstration(root: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A demonstration server in a process of its own, and an environment that leads to it."""
    environ = {**os.environ, "HOME": str(root)}
    unwanted = ("MODELTUI_", "OLLAMA_", "PYTHONDONTWRITEBYTECODE")
    for key in [key for key in environ if key.startswith(unwanted)]:
        del environ[key]
    environ["PYTHONPYCACHEPREFIX"] = str(root / "bytecode")
    code = (
        "import asyncio, sys\n"
        "from modeltui.demo.server import DemoServer\n"
        "async def main():\n"
        f"    async with DemoServer(rate={PULL_BYTES_PER_S}, small_layer_time=0.0) as server:\n"
        "        print(server.url, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environ)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    places = {f"MODELTUI_{word}_DIR": str(root / word.lower()) for word in ("CONFIG", "STATE", "CACHE")}
    (root / "config").mkdir(mode=0o700)
    registry = f'[registries."registry.ollama.ai"]\nbase_url = "{url}"\n'
    (root / "config" / "config.toml").write_text(registry, encoding="utf-8")
    try:
        yield url, {**environ, **places, "OLLAMA_HOST": url}
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def delete(url: str, name: str) -> None:
    """Take a pulled model away again, so that the next pull moves its bytes anew."""
    import httpx

    httpx.request("DELETE", f"{url}/api/delete", json={"model": name}, trust_env=False)


def measure_pull(
    url: str, environ: dict[str, str], pulled: str, runs: int, warm_ups: int
) -> tuple[float, float]:
    """Wall seconds of the same pull by modeltui and by a bare client, start of the processes included."""

    def gone(command: list[str], environ: dict[str, str]) -> float:
        try:
            return wall_time(command, environ)
        finally:
            delete(url, pulled)

    ours, bare = [*MODELTUI, "pull", pulled], [sys.executable, "-c", BARE_PULL, url, pulled]
    return pairs(runs, ours, bare, environ, gone, warm_ups)


def measure_parsing() -> tuple[float, float]:
    """Seconds to turn a list of 500 models into domain objects, and to decode its JSON alone.

    In a process of its own: a test run that traces coverage slows our lines down and leaves `json` alone.
    """
    here = Path(__file__)
    code = f"import sys; sys.path.insert(0, {str(here.parent)!r}); import measure; measure.parse()"
    environ = {key: value for key, value in os.environ.items() if not key.startswith("COV_CORE_")}
    answer = subprocess.run([sys.executable, "-c", code], env=environ, check=True, capture_output=True)
    ours, bare = json.loads(answer.stdout)
    return ours, bare


def parse(models: int = 500, runs: int = 9) -> None:
    """Print the medians that `measure_parsing` asks for."""
    from modeltui.ollama import wire

    recorded = Path(__file__).parents[1] / "data" / "recorded" / "0.33.0-rc2" / "tags.json"
    one = json.loads(recorded.read_text(encoding="utf-8"))["json"]["models"][0]
    body = json.dumps({"models": [{**one, "name": f"m{n}:7b", "model": f"m{n}:7b"} for n in range(models)]})
    ours, bare = [], []
    for _ in range(runs):
        began = time.perf_counter()
        decoded = json.loads(body)
        middle = time.perf_counter()
        assert len(wire.models(decoded)) == models
        bare.append(middle - began)
        ours.append(time.perf_counter() - began)
    print(json.dumps([statistics.median(ours), statistics.median(bare)]))  # noqa: T201


def rows(runs: int, pulled: str = PULLED) -> list[Row]:
    """All measurements; takes about three minutes with nine runs."""
    python = sys.executable
    with tempfile.TemporaryDirectory() as place, demonstration(Path(place)) as (url, environ):
        version = pairs(runs, [*MODELTUI, "--version"], [python, "-c", "pass"], environ, process_time)
        ls = [*MODELTUI, "ls", "--json"]
        listing = pairs(runs, ls, [python, "-c", "import httpx"], environ, process_time)
        listed = pairs(runs, ls, [python, "-c", BARE_LIST, url], environ, process_time)
        fixed = measure_pull(url, environ, TINY, runs, 1)
        pull = measure_pull(url, environ, pulled, max(1, runs // 4), 0)
    parsing = measure_parsing()
    return [
        Row(
            "--version beside `python -c pass`", *version, "<= 40 ms over", lambda a, b, k: a - b <= 0.04 * k
        ),
        Row("ls --json beside `import httpx`", *listing, "<= 1.6 x", lambda a, b, k: a <= 1.6 * k * b),
        Row("ls --json beside two bare async GETs", *listed, "(no budget)", lambda a, b, k: True),
        Row("500 models parsed beside json.loads", *parsing, "<= 10 ms", lambda a, b, k: a <= 0.01 * k),
        Row(f"pull of {TINY}: the fixed part of a pull", *fixed, "(no budget)", lambda a, b, k: True),
        Row(f"pull of {pulled} beside a bare client", *pull, "<= 1.02 x", lambda a, b, k: a <= 1.02 * k * b),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=9)
    measured = rows(parser.parse_args().runs)
    print(f"{'what':40} {'ours':>9} {'bare':>9} {'ratio':>6}  {'budget':14} holds")  # noqa: T201
    for row in measured:
        holds = "yes" if row.is_within() else "NO"
        print(  # noqa: T201
            f"{row.what:40} {row.ours * 1000:6.0f} ms {row.bare * 1000:6.0f} ms"
            f" {row.ours / row.bare:6.2f}  {row.budget:14} {holds}"
        )


if __name__ == "__main__":
    main()
