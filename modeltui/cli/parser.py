"""The words of the command line: commands, options, aliases and their help."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from modeltui.domain.advice.tasks import Priority, Task
from modeltui.errors import UsageError
from modeltui.text import clean_line

TASKS = tuple(task.value for task in Task)
GENERATING = tuple(task for task in TASKS if task != Task.EMBEDDING)
PRIORITIES = tuple(priority.value for priority in Priority)
EXIT_CODES = """\
exit codes:
  0 done    1 failed    2 usage or configuration    3 answered, and the answer is "no" or "look at this"
  4 server unreachable    5 no such model or server    6 needs a yes    129, 130, 143 ended by a signal
"""


class Parser(argparse.ArgumentParser):
    """Tells a wrong command line as an error like any other."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(clean_line(message), remedy=f"{self.prog} --help")


def make_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser for a command line. Global options are understood before and after the command.

    Of the commands it has the one that `words` name, where they do: to make all takes a tenth of `ls`.
    """
    named = _named(words)
    spare = Parser(add_help=False, conflict_handler="resolve")  # takes the arguments of all others
    parser = Parser(
        prog="modeltui",
        description="Run Ollama models on headless machines from a terminal.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _global_options(parser, top=True)
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    after = Parser(add_help=False)
    _global_options(after, top=False)

    def command(name: str, words: str, *aliases: str) -> argparse.ArgumentParser:
        if named is not None and named not in (name, *aliases):
            return spare
        return commands.add_parser(
            name, aliases=aliases, help=words, description=words, parents=[after], allow_abbrev=False
        )

    listing = command("ls", "list the installed models", "list")
    listing.add_argument(
        "words", nargs="*", metavar="word", help="only those that match: coder, vision, loaded, '<8gb'"
    )
    command("ps", "list the loaded models, and where they really are")
    show = command("show", "show everything about a model")
    show.add_argument("model")
    part = show.add_mutually_exclusive_group()
    for word in ("license", "template", "system", "parameters", "modelfile"):
        part.add_argument(
            f"--{word}", dest="part", action="store_const", const=word, help=f"print only its {word}"
        )
    pull = command("pull", "pull models, one after the other as configured, and wait for them")
    pull.add_argument("models", nargs="*", metavar="model")
    pull.add_argument(
        "--from", dest="file", metavar="FILE", help="also those named in a file, one a line; - is stdin"
    )
    _yes(pull)
    outdated = command("outdated", "ask the registries which installed models have a newer version")
    outdated.add_argument("models", nargs="*", metavar="model", help="all, if none is named")
    upgrade = command("upgrade", "pull the newer versions of installed models, and wait for them")
    upgrade.add_argument("models", nargs="*", metavar="model")
    upgrade.add_argument("--all", action="store_true", help="every model that has a newer version")
    upgrade.add_argument("--auto", action="store_true", help="what updates.auto says, for a timer")
    _yes(upgrade)
    remove = command("rm", "delete models")
    remove.add_argument("models", nargs="+", metavar="model")
    _yes(remove)
    remove.add_argument(
        "--force", action="store_true", help="the second yes, for the current model and for loaded ones"
    )
    for name, words in (("cp", "give a model a second name"), ("mv", "rename a model")):
        copy = command(name, words)
        copy.add_argument("source")
        copy.add_argument("destination")
        _yes(copy)
    command("current", "print the current model")
    switch = command("switch", "make a model the current one: load it, see it loaded, record it")
    switch.add_argument("model", nargs="?", help="auto, or nothing beside --task, is the best installed one")
    switch.add_argument("--task", choices=GENERATING, help="what the best installed one is wanted for")
    switch.add_argument("--record-only", action="store_true", help="record it without loading it")
    switch.add_argument("--release", action="store_true", help="unload the previous current model")
    _keep_alive(switch)
    _yes(switch)
    load = command("load", "load a model into memory; --keep-alive forever pins it")
    load.add_argument("model")
    _keep_alive(load)
    unload = command("unload", "unload models", "stop")
    unload.add_argument("models", nargs="*", metavar="model")
    unload.add_argument("--all", action="store_true", help="unload everything that is loaded")
    command("sync", "compare what is remembered with what the server has, and take it over")
    if (queue := command("queue", "the queue of pulls")) is not spare:
        _queue(queue, after)
    verify = command("verify", "read the server's files on this machine, and compare them with their digests")
    verify.add_argument("models", nargs="*", metavar="model", help="all, if none is named")
    instead = verify.add_mutually_exclusive_group()
    instead.add_argument("--quarantine", action="store_true", help="move corrupt files aside")
    instead.add_argument(
        "--scan", action="store_true", help="look at what the models say of themselves instead, on any server"
    )
    instead.add_argument(
        "--release", metavar="MODEL", help="let a model be loaded that a scan has put into quarantine"
    )
    _yes(verify)
    clean = command("clean", "remove partial downloads and files that no model needs")
    clean.add_argument("--dry-run", action="store_true", help="only list them")
    _yes(clean)
    check = command("check", "whether and how a model would run, how fast, why, and what would mend it")
    check.add_argument("model", help="installed, of the catalog, or any other name")
    _what_if(check)
    _catalog(command("catalog", "what could be pulled, and how it would run here"))
    activity = command("activity", "who did what, when, on which server, with what result")
    activity.add_argument("-n", "--limit", type=int, default=30, help="how many rows (default 30)")
    activity.add_argument("--here", action="store_true", help="only those of the active server")
    config = command("config", "every setting with its value and source")
    config.add_argument("action", nargs="?", choices=("show", "init", "path"), default="show")
    recommending = command("recommend", "the best models for a task on this hardware, ranked, with why")
    recommending.add_argument(
        "words", nargs="*", metavar="word", help="as the options say: 8 balanced, coding, 2x24GB"
    )
    _what_if(recommending)
    recommending.add_argument("--priority", choices=PRIORITIES, help="what counts most")
    recommending.add_argument("-n", "--limit", type=_rows, default=5, help="how many rows (default 5)")
    recommending.add_argument("--explain", action="store_true", help="take each score apart")
    setting_up = command("setup", "the first start: a server that runs, a model that suits it, a current one")
    _what_if(setting_up)
    setting_up.add_argument("--priority", choices=PRIORITIES, help="what counts most")
    _yes(setting_up)
    doctor = command("doctor", "look at server, configuration, database, rights, terminal and GPU")
    doctor.add_argument(
        "--measure-ram",
        action="store_true",
        help="also measure how fast RAM is, and remember it for estimates",
    )
    demo = command("demo", "run a demonstration server in the foreground")
    demo.add_argument("--port", type=int, default=0, help="its port (default: a free one)")
    demo.add_argument("--old", action="store_true", help="speak like Ollama 0.24 instead of 0.33")
    if named is not None and named not in commands.choices:
        return make_parser()  # which says what there is
    return parser


def _named(words: Sequence[str]) -> str | None:
    """The first word behind global options; None where something else comes before it, or none does."""
    rest = iter(words)
    for word in rest:
        if word in ("--server", "--profile"):
            next(rest, None)
        elif not word.startswith(("--server=", "--profile=")) and word not in ("--json", "--demo"):
            return None if word.startswith("-") else word
    return None


def _queue(parser: argparse.ArgumentParser, after: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    numbers = {
        "pause": "pause transfers",
        "resume": "let transfers go on",
        "cancel": "cancel transfers",
        "retry": "try failed transfers again",
    }
    actions.add_parser("ls", aliases=("list",), help="list the queue (as without an action)", parents=[after])
    run = actions.add_parser("run", help="carry the queue out until nothing is left to do", parents=[after])
    run.add_argument("--headless", action="store_true", help="show nothing, and write runner.log instead")
    run.add_argument(
        "--ahead",
        action="store_true",
        help="with --headless: wait some seconds for what is queued in a moment",
    )
    actions.add_parser(
        "unit", help="print a systemd user unit that carries the queue on after a reboot", parents=[after]
    )
    for name, words in numbers.items():
        action = actions.add_parser(name, help=words, description=words, parents=[after])
        every = "those to act on" if name == "cancel" else "all, if none is given"
        action.add_argument("numbers", nargs="*", type=int, metavar="number", help=every)
        if name == "cancel":
            action.add_argument("--all", action="store_true", help="all that are open")
            _yes(action)
    move = actions.add_parser("move", help="put a transfer at another place", parents=[after])
    move.add_argument("number", type=int)
    move.add_argument("place", type=_place, help="1 is the first; or first, last, up, down")
    words = "how many pulls run at once on the server; without a number what holds now"
    most = actions.add_parser("per-server", help=words, description=words, parents=[after])
    most.add_argument("count", nargs="?", type=_at_once, help="1 to 4, or default for what is configured")
    clear = actions.add_parser("clear", help="forget finished transfers", parents=[after])
    clear.add_argument(
        "numbers", nargs="*", type=int, metavar="number", help="all finished, if none is given"
    )


def _catalog(parser: argparse.ArgumentParser) -> None:
    parser.usage = "modeltui catalog [WORD...] | show NAME[:TAG] | refresh  [options]"
    parser.add_argument(
        "words",
        nargs="*",
        metavar="word",
        help="only those that match: llama, vision, tools, q4, '<8gb', 'vram<8', '>7b', fits, installed, "
        "type:code, purpose:speed, license:apache; or: show NAME, refresh",
    )
    parser.add_argument(
        "--sort", choices=("popularity", "size", "date", "fit"), default="popularity", help="in which order"
    )
    parser.add_argument(
        "-n", "--limit", type=_count, help="how many rows, 0 for all (default 40, with --json all)"
    )
    parser.add_argument("--lookup", action="store_true", help="with show: ask the registry about that tag")
    _machine(parser)


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 2**31:
        return int(text)
    raise argparse.ArgumentTypeError(f"“{text}” is no number of rows: say 0 or more")


def _place(text: str) -> int | str:
    """A place in the queue: a number from 1 on, or a word."""
    if text in ("first", "last", "up", "down"):
        return text
    if text.isascii() and text.isdigit() and 0 < int(text) < 2**31:
        return int(text)
    raise argparse.ArgumentTypeError(f"“{text}” is no place: say a number from 1 on, first, last, up or down")


def _at_once(text: str) -> int | str:
    """So many pulls at once, or a word for what is configured."""
    if text == "default":
        return text
    if text in ("1", "2", "3", "4"):
        return int(text)
    raise argparse.ArgumentTypeError(f"“{text}” pulls at once: say 1, 2, 3 or 4, or default")


def _global_options(parser: argparse.ArgumentParser, *, top: bool) -> None:
    """The same options twice: behind the command they must not reset what was said before it."""
    unset = None if top else argparse.SUPPRESS
    off = False if top else argparse.SUPPRESS
    parser.add_argument("--server", metavar="NAME", default=unset, help="a configured server, or an address")
    parser.add_argument("--profile", metavar="NAME", default=unset, help="a profile of the configuration")
    parser.add_argument("--json", action="store_true", default=off, help="answer as JSON")
    parser.add_argument(
        "--demo", action="store_true", default=off, help="work on an embedded demonstration server"
    )


def _rows(text: str) -> int:
    """A number of rows."""
    if text.isascii() and text.isdigit() and 0 < int(text) < 10_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"“{text}” is no number of rows: say one from 1 on")


def _what_if(parser: argparse.ArgumentParser) -> None:
    """What a judgement of models rests on beside the server's own machine."""
    parser.add_argument("--context", metavar="TOKENS", help="16k or 16384 (default: as the server would)")
    parser.add_argument("--task", choices=TASKS, help="what it is wanted for")
    _machine(parser)


def _machine(parser: argparse.ArgumentParser) -> None:
    """Another machine to judge models for than the server's own."""
    parser.add_argument("--vram", metavar="GIB", help="as if the machine had a card of so many GiB")
    parser.add_argument("--hardware", metavar="CARDS[+RAM]", help="as if: 2x24GB, rtx 4090+64GB, none+16GB")


def _yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-y", "--yes", action="store_true", help="answer the question with yes")


def _keep_alive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep-alive", default="default", metavar="TIME", help="30m, 2h, forever or default")
