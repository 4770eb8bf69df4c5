"""Ends that a command has told are not told again by a screen that is opened later."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from commandline import Home, Ran, Stage

from modeltui.domain.names import parse
from modeltui.domain.transfers import State
from modeltui.store.store import Store


def untold(home: Home) -> list[str]:
    store = Store.open(home.paths.database)
    try:
        return [end.words for end in store.ends.untold()]
    finally:
        store.close()


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_what_pull_has_told(more: tuple[str, ...], cli: Callable[..., Ran], home: Home, stage: Stage) -> None:
    assert cli("pull", "tiny-demo", *more).code == 0
    assert cli("pull", "nowhere:1b", *more).code == 5
    assert untold(home) == []


def test_what_nobody_was_told_and_a_cancel_that_somebody_wished(
    cli: Callable[..., Ran], home: Home, stage: Stage
) -> None:
    store = Store.open(home.paths.database)
    server = store.facts.server_id(stage.url, "demo")
    for name in ("a:1b", "b:1b"):
        store.queue.enqueue(server, parse(name), 1)
    row = store.queue.get(1)
    assert row is not None
    store.queue.save(1, replace(row.transfer, state=State.FAILED, detail="no such model", ended=2))
    store.close()
    assert cli("queue", "cancel", "2").code == 0
    assert cli("queue").code == 0
    assert untold(home) == ["a:1b: failed: no such model"]
