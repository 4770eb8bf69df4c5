"""Every command, subcommand and option of the parser, and which of them a list of lines leaves out."""

import argparse
import re
from collections.abc import Iterable, Iterator

from modeltui.cli.parser import make_parser

_EVERYWHERE = frozenset({"--help", "--server", "--profile", "--json", "--demo", "--version"})


def commands() -> dict[str, frozenset[str]]:
    """Each command as it is typed, `queue move` and `catalog show` too, with its own options."""
    return dict(_below(make_parser(), ""))


def left_out(lines: Iterable[tuple[str, ...]]) -> set[str]:
    """Which commands, and which of their options, are in none of these command lines."""
    known = commands()
    missing = {*known, *(f"{name} {option}" for name, options in known.items() for option in options)}
    for line in lines:
        two = " ".join(line[:2])
        name = two if two in known else line[0]
        # What follows `catalog show` is an option of `catalog`.
        missing -= {name, *(f"{each} {word}" for each in (name, line[0]) for word in line)}
    return missing


def _below(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The command that a parser is for, and those below it; an alias is no command of its own."""
    if name:
        last = (action.option_strings[-1] for action in parser._actions if action.option_strings)
        yield name, frozenset(last) - _EVERYWHERE
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            first: dict[int, str] = {}
            for word, found in action.choices.items():
                if first.setdefault(id(found), word) == word:
                    yield from _below(found, f"{name} {word}".strip())
        elif action.choices and not action.option_strings:
            yield from ((f"{name} {word}", frozenset()) for word in action.choices)
    # `catalog [WORD...] | show NAME[:TAG] | refresh`: words that its own code takes apart.
    yield from ((f"{name} {word}", frozenset()) for word in re.findall(r"\| ([a-z]+)", parser.usage or ""))
