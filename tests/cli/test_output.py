"""Human output on every kind of stream: width, colour, ASCII, pipes that close."""

import itertools
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import OWN_SEQUENCES, Home, Ran, Stage, Terminal, argv, cell_width, harmful

from modeltui.cli.output import Output
from modeltui.demo.library import DemoModel
from modeltui.domain.transfers import State

Cli = Callable[..., Ran]

LONG = DemoModel("hf.co/someone-with-a-long-name/A-Very-Long-Model-Name-Indeed-GGUF:Q4_K_M", "long")
LISTS: list[tuple[str, ...]] = [
    ("ls",),
    ("ps",),
    ("show", "qwen3:8b"),
    ("queue",),
    ("activity",),
    ("config",),
]


@pytest.fixture
def busy(cli: Cli, stage: Stage) -> Stage:
    """A server with something in every list, a name longer than any terminal, and a Chinese one."""
    stage.behind.call(lambda: stage.library.install(stage.library.publish(LONG).name, LONG))
    chinese = next(iter(stage.library.installed.values()))
    foreign = object.__new__(type(chinese.name))
    for part, words in zip(
        ("host", "namespace", "model", "tag"), ("例え.jp", "模型", "大模型" * 8, "最新"), strict=True
    ):
        object.__setattr__(foreign, part, words)
    stage.behind.call(lambda: stage.library.write_manifest(foreign, chinese.model, chinese.manifest))
    for command in (("switch", "qwen3:8b"), ("load", LONG.name), ("pull", "tiny-demo"), ("pull", "nope:1")):
        cli(*command)
    return stage


class TestWidth:
    def test_no_line_is_wider_than_the_terminal(self, screen: Cli, busy: Stage) -> None:
        for columns in (120, 80, 60, 44):
            for command in LISTS:
                ran = screen(*command, columns=columns)
                assert ran.code == 0
                lines = OWN_SEQUENCES.sub("", ran.out).splitlines()
                table = lines[:-1] if command[0] in ("ls", "ps") else lines  # the line below is talk
                assert max(map(cell_width, table)) <= columns, (command, columns)

    def test_colour_does_not_move_a_column(self, screen: Cli, busy: Stage) -> None:
        coloured = screen("ls", columns=160).out
        plain = screen("ls", columns=160, NO_COLOR="1").out
        assert "\x1b[32mgpu" in coloured
        assert OWN_SEQUENCES.sub("", coloured) == plain
        header, *lines = plain.splitlines()[:-1]
        end = header.index("MODIFIED") + len("MODIFIED")
        assert {cell_width(line) for line in lines} == {end}

    def test_names_are_shortened_in_their_path(self, screen: Cli, busy: Stage) -> None:
        wide = [screen("ls", columns=columns).out for columns in range(100, 150, 4)]
        assert any("hf.co/…/Mistral-7B-Instruct-v0.3-GGUF:Q4_K_M" in out for out in wide)
        for columns in (80, 60, 44):
            assert "…:Q4_K_M" in screen("ls", columns=columns).out

    def test_columns_are_given_up_by_worth(self, screen: Cli, busy: Stage) -> None:
        titles = [
            screen("ls", columns=columns, NO_COLOR="1").out.splitlines()[0].split()
            for columns in (160, 120, 80, 60, 44)
        ]
        assert all(set(narrow) <= set(wide) for wide, narrow in itertools.pairwise(titles))
        assert titles[0] == [
            "NAME",
            "PARAMS",
            "QUANT",
            "SIZE",
            "CONTEXT",
            "STATE",
            "TOK/S",
            "FIT",
            "LOAD",
            "TYPE",
            "MODIFIED",
        ]
        assert titles[-1] == ["NAME", "SIZE", "STATE"]

    def test_piped_nothing_is_cut(self, cli: Cli, busy: Stage) -> None:
        assert LONG.name in cli("ls").out
        assert "…" not in cli("ls").out

    def test_a_person_gets_a_line_below_the_table(self, screen: Cli, busy: Stage) -> None:
        assert screen("ls").out.splitlines()[-1].endswith("on demo · current qwen3:8b")


class TestColour:
    @pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}], ids=str)
    def test_none_where_it_is_not_wanted(self, screen: Cli, busy: Stage, environ: dict[str, str]) -> None:
        for command in [*LISTS, ("doctor",), ("show", "nope")]:
            assert "\x1b" not in screen(*command, **environ).out

    def test_an_empty_no_color_means_nothing(self, screen: Cli, stage: Stage) -> None:
        assert "\x1b[2m" in screen("ls", NO_COLOR="").out

    def test_piped_there_is_no_escape_at_all(
        self, cli: Cli, home: Home, busy: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TERM", "xterm-256color")
        for command in [*LISTS, ("doctor",), ("pull", "tiny-demo"), ("show", "nope")]:
            ran = cli(*command)
            assert "\x1b" not in ran.out + ran.err
        ran = home.apart("ls", environ={"TERM": "xterm-256color"})
        assert "\x1b" not in ran.out + ran.err


class TestAscii:
    def test_only_ascii_and_no_crash(self, ascii_cli: Cli, busy: Stage) -> None:
        more = [
            ("switch", "gemma3:12b"),
            ("pull", "gemma3:4b"),
            ("doctor",),
            ("show", "模型"),
            ("unload", "--all"),
        ]
        for command in [*LISTS, *more]:
            ran = ascii_cli(*command)
            assert ran.code in (0, 2, 3), ran
            assert (ran.out + ran.err).isascii()
            assert "defect" not in ran.err
        assert any("大模型" in row["name"] for row in ascii_cli("ls", "--json").json)
        assert "模型" in ascii_cli("show", "模型", "--json").error["message"]

    @pytest.mark.parametrize(
        "environ",
        [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii"}],
        ids=["locale C", "ascii streams"],
    )
    def test_a_real_locale(self, home: Home, busy: Stage, environ: dict[str, str]) -> None:
        ran = home.apart("ls", environ=environ)
        assert (ran.code, ran.err, ran.out.isascii()) == (0, "", True)
        assert "*  qwen3:8b" in ran.out

    def test_glyphs_have_stand_ins(self, home: Home, ascii_cli: Cli, stage: Stage) -> None:
        assert re.fullmatch(
            r"current model: qwen3:8b - loaded in \d+ ms\n", ascii_cli("switch", "qwen3:8b").out
        )
        environ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        with Terminal(home, "pull", "gemma3:4b", environ=environ) as terminal:
            ran = terminal.end()
        assert ran.out.isascii() and "." * 10 in ran.out


class TestPipes:
    @pytest.mark.parametrize("command", [("ls",), ("ls", "--json"), ("config",)], ids=" ".join)
    def test_a_reader_that_has_gone_is_no_news(
        self, home: Home, stage: Stage, command: tuple[str, ...]
    ) -> None:
        process = subprocess.Popen(
            argv(*command),
            env=home.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (1, b"")

    @pytest.mark.parametrize(
        "command", [("ls",), ("ls", "--json"), ("pull", "tiny-demo", "--json")], ids=" ".join
    )
    def test_an_answer_that_cannot_be_written(
        self, home: Home, stage: Stage, command: tuple[str, ...]
    ) -> None:
        with Path("/dev/full").open("w") as full:
            ran = subprocess.run(
                argv(*command),
                env=home.environ,
                stdin=subprocess.DEVNULL,
                stdout=full,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                timeout=20,
                check=False,
            )
        assert ran.returncode == 1
        assert ran.stderr.count("the answer cannot be written: No space left on device") == 1
        assert "defect" not in ran.stderr and "ignored" not in ran.stderr

    def test_a_reader_that_goes_during_a_stream(self, home: Home, stage: Stage) -> None:
        stage.publish(DemoModel("slow-demo", "slow", 40_000_000))
        stage.set_rate(4_000_000)
        process = subprocess.Popen(
            argv("pull", "slow-demo", "--json"),
            env=home.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b'{"number": 1')
        process.stdout.close()
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (1, b"")
        row = home.row("slow-demo:latest")
        assert row is not None and row.transfer.state is State.WAITING

    @pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
    def test_a_stream_that_was_never_there(self, home: Home, stage: Stage, closed: str) -> None:
        ran = subprocess.run(
            ["sh", "-c", f'"$@" {closed}', "sh", *argv("ls")],
            env=home.environ,
            capture_output=True,
            encoding="utf-8",
            timeout=20,
            check=False,
        )
        assert "Traceback" not in ran.stderr
        assert ran.returncode == 0
        assert ("qwen3:8b" in ran.stdout) is (closed != ">&-")


def test_json_is_indented_for_people_and_one_line_for_pipes(screen: Cli, cli: Cli, stage: Stage) -> None:
    assert cli("ls", "--json").out.count("\n") == 1
    ran = screen("ls", "--json")
    assert ran.out.startswith('[\n  {\n    "name": ')
    assert harmful(ran.out) == set()


def test_columns_may_be_told_by_the_environment(screen: Cli, stage: Stage) -> None:
    for columns, told in ((200, "60"), (60, "nonsense"), (60, "0"), (60, "-5")):
        lines = OWN_SEQUENCES.sub("", screen("ls", columns=columns, COLUMNS=told).out).splitlines()
        assert max(map(len, lines)) <= 60


def test_output_never_writes_a_nan(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=True, environ={})
    with pytest.raises(ValueError, match="JSON compliant"):
        out.answer({"rate": float("nan")})
