"""What a command that watches pulls says of those that somebody cleared from the history meanwhile."""

from collections.abc import Callable

import pytest
from commandline import Home, Ran, Stage, until

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel
from modeltui.store.store import Store

Cli = Callable[..., Ran]
QUICK, SLOW = "tiny-demo:latest", "slow-demo:latest"


def clear(home: Home) -> None:
    """Forget what has ended, from another process."""
    store = Store.open(home.paths.database)
    until(lambda: store.queue.remove([1]))
    store.close()


@pytest.mark.parametrize(
    ("trouble", "code", "told"),
    [(None, 0, "tiny-demo:latest installed"), ("unauthorized", 1, "tiny-demo:latest: failed")],
)
def test_history_that_is_cleared_ends_no_pull(
    home: Home, stage: Stage, trouble: str | None, code: int, told: str
) -> None:
    stage.publish(DemoModel(SLOW, "slow", 40_000_000))
    if trouble is not None:
        stage.trouble(Kind.STREAM_ERROR, "/api/pull", name=QUICK, value=trouble)
    with home.spawn("pull", QUICK, SLOW) as pull:
        stage.set_rate(20_000_000)
        clear(home)
        ran = pull.end(60)
    assert ran.code == code
    assert told in ran.out + ran.err
    assert "slow-demo:latest installed" in ran.out
