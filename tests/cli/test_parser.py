"""Words that the command line does not understand end with 2 and one sentence, as JSON where asked."""

from collections.abc import Callable

import pytest
from commandline import Home, Ran

from modeltui import __version__
from modeltui.cli.main import _COMMANDS
from modeltui.cli.parser import make_parser

Cli = Callable[..., Ran]

COMMANDS = (
    *("outdated", "upgrade"),
    *("ls", "ps", "show", "pull", "rm", "cp", "mv", "current", "switch", "load", "unload", "sync", "queue"),
    *("activity", "config", "doctor", "demo"),
)

WRONG: list[tuple[tuple[str, ...], str]] = [
    ((), "command"),
    (("frobnicate",), "invalid choice: 'frobnicate'"),
    (("--", "json"), "invalid choice"),
    (("--frobnicate", "ls"), "--frobnicate"),
    (("ls", "--frobnicate"), "--frobnicate"),
    (("ps", "extra"), "extra"),
    (("ls", "--server"), "expected one argument"),
    (("ls", "--serv", "x"), "--serv"),
    (("show",), "model"),
    (("show", "a", "--license", "--template"), "not allowed with"),
    (("pull",), "model"),
    (("rm",), "model"),
    (("cp", "one"), "destination"),
    (("mv", "one", "two", "three"), "three"),
    (("switch",), "model"),
    (("switch", "a", "--keep-alive", "soon"), "keep-alive"),
    (("load", "a", "--keep-alive", ""), "keep-alive"),
    (("unload",), "--all"),
    (("queue", "frobnicate"), "frobnicate"),
    (("queue", "move", "1"), "place"),
    (("queue", "pause", "-1"), "-1"),
    (("activity", "-n", "many"), "many"),
    (("activity", "-n", "-3"), "--limit"),
    (("config", "frobnicate"), "frobnicate"),
    (("demo", "--port", "70000"), "--port"),
    (("demo", "--port", "http"), "--port"),
    (("--server", "http://user:pa55word@host", "ls"), "must not hold a user"),
    (("--server", "ftp://host", "ls"), "neither http nor https"),
    (("--server", "a b:1", "ls"), "not a server's address"),
    (("--server", "", "ls"), "server"),
    (("--profile", "none", "ls"), "profile"),
]
IDS = [" ".join(words) or "nothing" for words, _ in WRONG]


@pytest.mark.parametrize(("words", "says"), WRONG, ids=IDS)
def test_usage_is_2(cli: Cli, words: tuple[str, ...], says: str) -> None:
    ran = cli(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("modeltui: ")
    assert says in ran.err
    assert "pa55word" not in ran.err
    assert "usage:" not in ran.err


@pytest.mark.parametrize(("words", "says"), WRONG, ids=IDS)
def test_usage_as_json(cli: Cli, words: tuple[str, ...], says: str) -> None:
    ran = cli("--json", *words)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert ran.out in ("", "[]\n")  # a list of what was done
    assert says in ran.error["message"]


def test_the_remedy_leads_to_the_help_of_that_command(cli: Cli) -> None:
    assert cli("--json", "cp", "one").error["remedy"] == "modeltui cp --help"
    assert cli("--json", "queue", "move", "1").error["remedy"] == "modeltui queue move --help"


def test_help_names_every_command_and_the_exit_codes(cli: Cli) -> None:
    ran = cli("--help")
    assert (ran.code, ran.err) == (0, "")
    assert all(f"    {command} " in ran.out for command in COMMANDS)
    assert "4 server unreachable    5 no such model or server    6 needs a yes" in ran.out


@pytest.mark.parametrize("command", [*COMMANDS, "list", "stop"])
def test_every_command_has_help(cli: Cli, command: str) -> None:
    ran = cli(command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "--json" in ran.out and "--server" in ran.out


@pytest.mark.parametrize("words", [("--version",), ("--json", "--version"), ("--version", "--json")])
def test_version(cli: Cli, words: tuple[str, ...]) -> None:
    ran = cli(*words)
    assert (ran.code, ran.err) == (0, "")
    assert __version__ in ran.out


def test_nothing_is_written_for_a_wrong_word(cli: Cli, home: Home) -> None:
    cli("frobnicate")
    cli("--help")
    assert list(home.root.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [*((name,) for name in sorted(_COMMANDS)), ("queue", "pause"), ("--server", "ls", "--json", "pull")],
    ids=" ".join,
)
def test_a_command_alone_is_the_same_as_among_all(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for parser in (make_parser(), make_parser(words)):
        with pytest.raises(SystemExit):
            parser.parse_args([*words, "--help"])
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert said[0].startswith("usage: modeltui")


@pytest.mark.parametrize(
    "words", [("frobnicate",), ("--demo",), ("--help", "ls"), ("--", "ls")], ids=" ".join
)
def test_every_command_is_there_where_none_is_named(words: tuple[str, ...]) -> None:
    assert make_parser(words).format_help() == make_parser().format_help()
    assert make_parser(("ls",)).format_help() != make_parser().format_help()
