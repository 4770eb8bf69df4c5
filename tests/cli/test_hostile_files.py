"""Hostile catalogs, pages, registries, machines and configurations: as harmless as a hostile server."""

import hashlib
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pynvml
import pytest
from commandline import DOCUMENTED, Behind, Home, Ran, Stage, harmful, strings
from hostility import shorten_limits
from libsite import Site, SiteModel, SiteTag
from libsite import serving as serving_site
from replay import Connection, Request, Served, response, serving, stream_head

from modeltui.catalog import form
from modeltui.catalog.loading import REFRESHED, load_base
from modeltui.catalog.ownkeys import SERIES_KEYS, TAG_KEYS
from modeltui.demo.twist import HOSTILE_TEXTS, Twist
from modeltui.domain.catalog.series import catalog_of
from modeltui.registry.manifests import ask

Cli = Callable[..., Ran]

ADVISING = (
    ("check", "qwen3:8b"),
    ("recommend", "--limit", "2", "--explain"),
    ("catalog", "qwen3"),
    ("catalog", "show", "qwen3"),
    ("catalog", "show", "mine:1b"),
    ("switch", "--task", "coding", "--record-only"),
    ("setup", "--yes"),
    ("show", "qwen3:8b"),
    ("ls", "fits"),
    ("ps",),
    ("doctor",),
)
LATER = "2099-01-01T00:00:00Z"


def survives(cli: Cli, *commands: tuple[str, ...], forms: tuple[bool, ...] = (False, True)) -> list[Ran]:
    """Run each, for a person and as JSON: no crash, nothing that steers a terminal, a documented code."""
    rans = []
    for command in commands or ADVISING:
        for as_json in forms:
            ran = cli(*command, *(["--json"] if as_json else []))
            (ran.out + ran.err).encode("utf-8")  # no lone surrogate
            assert harmful(ran.out + ran.err) == set(), (command, ran)
            assert "Traceback" not in ran.err and "a defect of" not in ran.err, (command, ran)
            assert ran.code in DOCUMENTED, (command, ran)
            for line in ran.out.splitlines() if as_json else ():
                # A tab in a note stays one, which a terminal is sent as spaces.
                assert all(harmful(text) <= {"\t"} for text in strings(json.loads(line))), command
            rans.append(ran)
    return rans


@pytest.fixture(autouse=True)
def known(home: Home, stage: Stage) -> None:
    """The demonstration server's hardware is written down."""
    home.configure(stage.url, of_server='[servers.demo.hardware]\ngpus = ["24GB"]\nram = "64GB"')


# --- catalogs


def own_catalogs() -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of files that are no catalogs, or bad ones."""
    yield b"page.toml", b"<!DOCTYPE html><html>\x1b[2J</html>"
    yield b"nul.toml", bytes(1000)
    yield b"latin.toml", b"[series.mine]\nlicense = '\xff\xfe'"
    yield b"deep.toml", b"a = " + b"[" * 50_000
    yield b"deep2.toml", b"a." * 500 + b"b = 1"
    yield b"\x1b]0;owned\x07.toml", b"nonsense = 1"
    yield b"\xff\xfe.toml", b"[series.mine]\ncolour = 1"
    yield b"l" * 250 + b".toml", b"[series.mine]\ncolour = 1"
    texts = [json.dumps(text.replace("\ud800", "\ufffd")) for text in HOSTILE_TEXTS]
    values = ("1", "-1.5", "inf", "nan", "true", "[]", "[[1]]", "{}", "1979-05-27", *texts)
    for turn in range(0, len(values), 3):
        for table, keys in (("[series.qwen3]", SERIES_KEYS), ('[series.mine.tags."1b"]', TAG_KEYS)):
            pairs = zip((*keys, "tags", "colour"), (values[turn:] + values[:turn]) * 3, strict=False)
            lines = "\n".join(f"{key} = {value}" for key, value in pairs)
            yield f"wrong{turn}{len(keys)}.toml".encode(), f"{table}\n{lines}\n".encode()
        yield f"table{turn}.toml".encode(), f"series = {values[turn]}".encode()
    names = (f"[series.{text}]\n[series.mine.tags.{text}]\n" for text in texts)
    yield b"names.toml", "".join(dict.fromkeys(names)).encode()
    yield b"far.toml", f"[series.mine.tags.1b]\nsize = {10**18}\ncontext = {1 << 30}\n".encode()


def test_catalogs_of_ones_own(cli: Cli, home: Home) -> None:
    directory = home.paths.config / "catalog.d"
    directory.mkdir(parents=True)
    for name, content in own_catalogs():
        (directory / os.fsdecode(name)).write_bytes(content)
    os.mkfifo(directory / "pipe.toml")
    (directory / "loop.toml").symlink_to(directory / "loop.toml")
    rans = survives(cli)
    assert {ran.code for ran in rans} <= {0, 3}
    assert "more problems: modeltui doctor" in rans[0].err


def refreshed(home: Home, text: str) -> None:
    home.paths.cache.mkdir(parents=True, exist_ok=True)
    (home.paths.cache / REFRESHED).write_text(text, "utf-8", "surrogatepass")


def vouched(lines: list[str]) -> str:
    """A refreshed catalog with this content, whose first line vouches for it."""
    head = json.loads(form.encode(catalog_of([], LATER)).partition("\n")[0])
    body = "\n".join(lines)
    head["sha256"] = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{json.dumps(head)}\n{body}\n"


def genuine(*names: str) -> list[str]:
    series = load_base(None).series
    return form.encode(catalog_of([series[name] for name in names], LATER)).splitlines()[1:]


def test_a_refreshed_catalog_that_is_damaged(cli: Cli, home: Home) -> None:
    text = vouched(genuine("qwen3", "llama3.1"))
    for broken in (
        *("", "<html>\x1b[2J</html>", "[" * 100_000, "\x00" * 100, text[: len(text) // 2]),
        *(text.replace("qwen3", "qwen4"), "{}\n{}\n"),
        *(text.replace('"form": ', '"form": "x'), text.replace('"sha256": "', '"sha256": "\x1b')),
    ):
        refreshed(home, broken)
        (ran,) = survives(cli, ("catalog", "qwen3:8b"), forms=(True,))
        assert "the bundled catalog is used" in ran.err and len(ran.json) > 2, broken[:40]


@pytest.mark.parametrize("manner", ["hostile", "wrong_types"])
def test_a_refreshed_catalog_that_lies(cli: Cli, home: Home, manner: str) -> None:
    """Whoever can write there can vouch for it, too: what it says is foreign all the same."""
    twist = getattr(Twist(), manner)
    lines = []
    for line in genuine("qwen3", "llama3.1"):
        name, tab, row = line.rpartition("\t")
        value = json.loads(row)
        lines.append(name + tab + json.dumps(twist(value), ensure_ascii=False))
    refreshed(home, vouched(lines))
    assert all("the bundled catalog is used" in ran.err for ran in survives(cli, forms=(False,))[:4])


# --- the library's site


@pytest.fixture
def site(behind: Behind, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr("modeltui.registry.library.PAUSE_S", 0.0)
    site, stack = Site(), AsyncExitStack()
    behind.do(stack.enter_async_context(serving_site(site)))
    configured = home.paths.config_file.read_text("utf-8")
    home.write_config(f'{configured}\n[registries."ollama.com"]\nbase_url = "{site.url}"\n')
    yield site
    behind.do(stack.aclose())


def test_pages_that_lie(cli: Cli, site: Site) -> None:
    """What they say is kept and shown, cleaned; names that are none are passed over."""
    plain = [text.replace("\ud800", "&#xd800;") for text in HOSTILE_TEXTS]
    for number, text in enumerate(plain):
        tags = [SiteTag("8b", "0123456789ab", text, text, text), SiteTag(text, "ba9876543210")]
        model = SiteModel(f"odd{number}", tags, text, (text,), (text,), text, text, text, 1)
        site.models += [model, SiteModel(text, tags)]
    site.models[0].pulls, site.models[0].tags[0].size = "9" * 400, "9" * 400 + "GB"
    site.models[0].tags[0].context = "9" * 400 + "K"
    site.models[0].updated = "9999 years ago"
    assert [ran.code for ran in survives(cli, ("catalog", "refresh"))] == [3, 3]
    rans = survives(cli, ("catalog", "odd"), ("catalog", "show", "odd1"), ("catalog", "show", "odd0:8b"))
    assert len(rans[1].json) > 5
    survives(cli, forms=(True,))


def test_what_is_no_page(cli: Cli, home: Home, site: Site) -> None:
    for page in ("", "\x00" * 100, "<a href='/library/" * 20_000, "<" * 100_000, "\x1b[2J", "<!--" * 50_000):
        site.pages["/library"] = page
        assert [ran.code for ran in survives(cli, ("catalog", "refresh"))] == [1, 1]
        assert not (home.paths.cache / REFRESHED).exists()


# --- registries

Answer = Callable[[Request, Connection], Any]
ASKING = (
    ("catalog", "show", "qwen3:8b", "--lookup"),
    ("outdated",),
    ("show", "qwen3:8b"),
)
BLOB: dict[str, object] = {
    "mediaType": "application/vnd.ollama.image.model",
    "digest": f"sha256:{'a' * 64}",
    "size": 1000,
}
MANIFESTS: tuple[object, ...] = (
    *(None, {"layers": [None, 5, "x"]}, {"layers": [BLOB], "config": None}),
    {"layers": [BLOB] * 1000, "config": BLOB},
    *({"layers": [{**BLOB, "size": size}], "config": BLOB} for size in (-1, 10**30, True)),
    *({"layers": [{**BLOB, "digest": text}], "config": BLOB} for text in HOSTILE_TEXTS[:2]),
    *({"layers": [{**BLOB, "mediaType": text}], "config": BLOB} for text in HOSTILE_TEXTS[:5]),
)


@pytest.fixture
def registry(
    behind: Behind, home: Home, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Answer]]:
    """A registry that answers as the last of the list does, for every name and for the library's site."""
    shorten_limits(monkeypatch)
    monkeypatch.setattr(
        ask, "__kwdefaults__", {**(ask.__kwdefaults__ or {}), "limit_s": 0.3, "largest": 200_000}
    )
    answers: list[Answer] = []

    async def answer(request: Request, connection: Connection) -> None:
        await answers[-1](request, connection)

    context = serving(answer)

    async def begin() -> Served:
        return await context.__aenter__()

    async def end() -> None:
        await context.__aexit__(None, None, None)

    served = behind.do(begin())
    text = home.paths.config_file.read_text("utf-8")
    home.write_config(text.replace(f'base_url = "{stage.url}"', f'base_url = "{served.url}"'))
    yield answers
    behind.do(end())


def test_manifests_that_lie(cli: Cli, registry: list[Answer]) -> None:
    for manifest in MANIFESTS:
        body = json.dumps(manifest)

        async def answer(request: Request, connection: Connection, body: str = body) -> None:
            more = ("ollama-content-digest: \x85[2J", f"ollama-push-time: {'9' * 11}")
            await connection.send(response(body, 200, "application/json", *more))

        registry.append(answer)
        survives(cli, ASKING[0], forms=(len(registry) % 2 == 0,))
    survives(cli, *ASKING[1:])


@pytest.mark.parametrize(
    "location",
    [
        "",
        "/v2/x",
        "http://169.254.169.254/x",
        "file:///etc/passwd",
        "//[",
        "http://a b/\x85",
        "http://\udc80/",
    ],
)
def test_a_registry_that_leads_elsewhere(cli: Cli, registry: list[Answer], location: str) -> None:
    asked = []

    async def answer(request: Request, connection: Connection) -> None:
        asked.append(request.target)
        raw = response("", 307, None, "Location: @").replace(b"@", location.encode("latin-1", "replace"))
        await connection.send(raw)

    registry.append(answer)
    rans = survives(cli, ASKING[0], ("outdated", "qwen3:8b"))
    assert [ran.code for ran in rans[:2]] == [1, 1]
    assert len(asked) <= 3 * 6


@pytest.mark.parametrize("manner", ["hang", "endless", "page", "deep", "no http"])
def test_a_registry_that_answers_nothing_of_use(cli: Cli, registry: list[Answer], manner: str) -> None:
    async def answer(request: Request, connection: Connection) -> None:
        if manner == "endless":
            await connection.send(stream_head())
            for _ in range(50):
                await connection.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        elif manner == "hang":
            await connection.gone()
        else:
            bodies = {"page": "<html>\x1b[2J</html>", "deep": "[" * 100_000}
            await connection.send(response(bodies[manner]) if manner in bodies else b"\x1b[2J\r\n\r\n")

    registry.append(answer)
    rans = survives(cli, ASKING[0], ("outdated", "qwen3:8b"))
    assert {ran.code for ran in rans[:2]} <= {1, 4}
    assert all(ran.error["code"] in ("garbled", "timed_out", "unreachable") for ran in rans[1:2])


# --- machines


SSH = """@@ system
{system}
@@ nvidia
{rows}
@@ compute
0, {text}
@@ users
{text}, 4242, {text}, {text}
@@ memory
MemTotal:       {number} kB
MemAvailable:   {number} kB
@@ cpu
model name : {text}
@@ cores
{number}
@@ disk
{text} {number} 400000 {number} 40% {text}
@@ unit
ActiveState=active
Environment=OLLAMA_NUM_PARALLEL={text} OLLAMA_KV_CACHE_TYPE={text}
@@ sysctl
machdep.cpu.brand_string: {text}
hw.memsize: {number}
@@ devices
/sys/class /dev/kfd {text}
@@ file /sys/class/drm/card0/device/vendor
0x1002
@@ file /sys/class/drm/card0/device/product_name
{text}
@@ file /sys/class/drm/card0/device/mem_info_vram_total
{number}
@@ file /sys/class/drm/card0/device/{text}
{text}
@@ end
"""


def test_another_machine_that_lies(
    cli: Cli, home: Home, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `ssh` brings back is foreign text like any other."""
    home.configure(stage.url, of_server='ssh = "gpubox"')
    answer, program = tmp_path / "answer", tmp_path / "ssh"
    program.write_text(f"#!/bin/sh\ncat {answer}; cat {answer} >&2\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    rans: list[Ran] = []
    for number, text in enumerate(HOSTILE_TEXTS):
        count = ("65536", "-5", "9" * 15, "9" * 400)[number % 4]
        fields = [str(number), text, text, *([count] * 6), text, text, text]
        said = SSH.format(
            text=text, number=count, rows=", ".join(fields), system=("Linux", "Darwin", text)[number % 3]
        )
        answer.write_bytes(said.encode("utf-8", "surrogatepass"))
        rans += survives(cli, ADVISING[number % len(ADVISING)], *ADVISING[:2], forms=(number % 2 == 0,))
    assert any("·[2J·[31mred·[0m" in ran.out for ran in rans)
    for said in ("", "\x1b[2J\u202e", "x" * 300_000):
        answer.write_text(said, "utf-8")
        assert survives(cli, ("check", "qwen3:8b"))[0].code == 3


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stand-in driver of the tests of hardware."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "hardware"))
    found = importlib.import_module("stand_in_nvml")
    yield found
    sys.modules.pop("stand_in_nvml", None)


def test_cards_here_that_lie(
    cli: Cli, home: Home, stage: Stage, stand_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.configure(stage.url)
    home.write_config(home.paths.config_file.read_text("utf-8").replace("local = false", "local = true"))
    names = [text.encode("utf-8", "surrogatepass")[:90] for text in HOSTILE_TEXTS]
    rans: list[Ran] = []
    for number, name in enumerate([*names, b"\xff\xfe\x1b[2J", b""]):
        total = (24 << 30, 0, (1 << 64) - 1)[number % 3]
        card = stand_in.Card(name, name, total, used=0, reserved=0, users=((1, total),))
        library = stand_in.Library(card, card, processes={1: name})
        monkeypatch.setattr(pynvml, "CDLL", lambda _, library=library: library)
        monkeypatch.setattr(pynvml, "nvmlLib", None)
        monkeypatch.setattr(pynvml, "_nvmlLib_refcount", 0)
        monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
        rans += survives(cli, ADVISING[number % len(ADVISING)], ("doctor",), forms=(number % 2 == 0,))
    assert any("·[2J·[31mred·[0m" in ran.out for ran in rans)


def test_hardware_written_down_that_is_none(cli: Cli, home: Home, stage: Stage) -> None:
    for text in HOSTILE_TEXTS:
        word = json.dumps(text.replace("\ud800", "\ufffd"))
        for key in ("gpus", "ram", "ram_bandwidth", "cores", "unified"):
            home.configure(stage.url, of_server=f"[servers.demo.hardware]\n{key} = {word}")
            assert {ran.code for ran in survives(cli, ADVISING[0], forms=(False,))} == {2}


# --- configurations


def test_configurations_that_lie(cli: Cli, home: Home, stage: Stage) -> None:
    """Whoever hands one on: what it says is shown cleaned, and a name that cannot be shown is refused."""
    server = f'[servers.demo]\nurl = "{stage.url}"\n'
    for number, text in enumerate(HOSTILE_TEXTS):
        word = json.dumps(text.replace("\ud800", "\ufffd"))
        for written in (
            f'server = "demo"\ntheme = {word}\nkeys = {{ {word} = {word} }}\n{word} = 1\n'
            f"{server}ssh = {word}\n[current]\nalias = {word}\nhook = {word}\n"
            f"[tui.columns]\nmodels = [{word}]\n",
            f"{server}[servers.{word}]\nurl = {word}\n[registries.{word}]\nbase_url = {word}\n",
            f'server = {word}\n[servers.{word}]\nurl = "{stage.url}"\n',
        ):
            home.write_config(written)
            survives(cli, (("config",), ("doctor",), ("ls",), ("queue", "unit"))[number % 4])
    for deep in ("a = " + "[" * 50_000, "a." * 3000 + "b = 1", "\x00", "<html>"):
        home.write_config(deep)
        assert survives(cli, ("config",))[0].code in (0, 2)
