"""What of an installed model a pull of its name would overwrite, and when updates happen by themselves."""

from dataclasses import replace

import pytest

from modeltui.domain.models import ModelDetails
from modeltui.domain.names import parse
from modeltui.domain.updates import DEFAULT_TEMPLATE, Parts, is_within, own_parts

WEIGHTS = f"sha256:{'a' * 64}"
UPSTREAM = Parts(
    weights=frozenset({WEIGHTS}),
    parameters={"temperature": 1, "stop": ["<a>", "<b>"], "top_k": 20},
    template="{{ .Prompt }}!",
    system="Be brief.",
)
SAME = ModelDetails(
    name=parse("chat:7b"),
    options={"temperature": 1.0, "stop": ["<b>", "<a>"]},
    template="{{ .Prompt }}!",
    system="Be brief.",
    weights=WEIGHTS,
    base_model="other:1b",
    is_made=True,
)


def test_what_is_as_at_the_registry_is_not_its_own() -> None:
    assert own_parts(SAME, UPSTREAM) == ()
    assert own_parts(ModelDetails(), UPSTREAM) == ()  # what the registry's version adds loses nothing
    assert own_parts(ModelDetails(template=DEFAULT_TEMPLATE), replace(UPSTREAM, template=None)) == ()


@pytest.mark.parametrize(
    ("changed", "own"),
    [
        ({"options": {"num_ctx": 4096}}, ("parameter num_ctx",)),
        ({"options": {"temperature": 0.2, "top_k": 20}}, ("parameter temperature",)),
        ({"options": {"stop": "<a>"}}, ("parameter stop",)),
        ({"system": "Be long."}, ("system prompt",)),
        ({"template": "{{ .Other }}"}, ("template",)),
        ({"template": DEFAULT_TEMPLATE}, ("template",)),
        ({"modelfile": "FROM x\nMESSAGE user hello\n"}, ("messages",)),
        ({"adapters": (WEIGHTS,)}, ("adapter",)),
        ({"weights": f"sha256:{'b' * 64}"}, ("weights of other:1b",)),
        ({"weights": f"sha256:{'b' * 64}", "base_model": None}, ("weights of a file",)),
        # From its own name: those are an older version's, and a newer one is what is asked for.
        ({"weights": f"sha256:{'b' * 64}", "base_model": "chat:7b"}, ()),
        (
            {"options": {"num_ctx": 1, "seed": 2}, "system": "Mine."},
            ("parameter num_ctx", "parameter seed", "system prompt"),
        ),
    ],
)
def test_what_is_its_own(changed: dict[str, object], own: tuple[str, ...]) -> None:
    assert own_parts(replace(SAME, **changed), UPSTREAM) == own  # type: ignore[arg-type]


def test_one_value_in_a_list_is_that_value() -> None:
    upstream = replace(UPSTREAM, parameters={"stop": ["<a>"]})
    assert own_parts(replace(SAME, options={"stop": "<a>"}), upstream) == ()


def test_messages_and_adapters_that_the_registry_has_too() -> None:
    installed = replace(SAME, modelfile="MESSAGE user hello", adapters=(WEIGHTS,))
    assert own_parts(installed, replace(UPSTREAM, has_messages=True, has_adapter=True)) == ()


def test_of_what_could_not_be_read_everything_is_its_own() -> None:
    assert own_parts(SAME, Parts()) == (
        *("parameter temperature", "parameter stop", "system prompt", "template", "weights of other:1b"),
    )


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("02:00-05:00", ["02:00", "03:30", "04:59"], ["01:59", "05:00", "00:00", "23:59"]),
        ("22:30-05:00", ["22:30", "23:59", "00:00", "04:59"], ["22:29", "05:00", "12:00"]),
        ("00:00-23:59", ["00:00", "23:58"], ["23:59"]),
        ("12:01-12:00", ["12:01", "00:00", "11:59"], ["12:00"]),
    ],
)
def test_a_window_of_the_day(window: str, inside: list[str], outside: list[str]) -> None:
    def minute(time: str) -> int:
        return int(time[:2]) * 60 + int(time[3:])

    assert all(is_within(window, minute(time)) for time in inside)
    assert not any(is_within(window, minute(time)) for time in outside)
