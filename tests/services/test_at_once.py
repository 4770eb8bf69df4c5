"""How many pulls run at once on a server: a wish in the store, which a runner at work obeys."""

from collections.abc import Callable

import pytest
from demo_stage import MB, Opener, Place, until
from queue_stage import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    carry_out,
    put,
    reach,
    row,
    running,
    state,
    watched,
)

from modeltui.config.writer import choose
from modeltui.demo.library import DemoModel, Library
from modeltui.demo.server import DemoServer
from modeltui.domain.names import parse
from modeltui.domain.transfers import CONNECTED, State, Wanted
from modeltui.errors import UsageError
from modeltui.services.pulls import AtOnce, Pulls
from modeltui.services.tree import Services

ENDLESS = MB / 100
MODELS = tuple(DemoModel(f"m{number}:1b", f"m{number}", 500_000) for number in range(5))
NAMES = [model.name for model in MODELS]


def connected(place: Place) -> list[int]:
    rows = place.services.store.queue.open()
    return [each.number for each in rows if each.transfer.state in CONNECTED]


async def test_more_begin_at_once_and_fewer_when_those_under_way_have_ended(open_place: Opener) -> None:
    place = await open_place(available=MODELS, rate=ENDLESS)
    put(place, *NAMES)
    async with running(place.services):
        await until(lambda: connected(place) == [1])
        place.pulls.set_per_server(place.link.id, 3)
        await until(lambda: connected(place) == [1, 2, 3])
        place.pulls.set_per_server(place.link.id, 2)
        place.pulls.ask(1, Wanted.PAUSE)
        await reach(place, State.PAUSED, number=1)
        place.pulls.ask(5, Wanted.PAUSE)
        await reach(place, State.PAUSED, number=5)  # in a later turn: another would have begun before
        assert connected(place) == [2, 3]
        tries = [row(place.services, number).transfer.tries for number in (2, 3)]
        assert tries == [1, 1]  # what was under way went on
        place.pulls.ask(2, Wanted.CANCEL)  # one below what is wished: the next in line begins
        await until(lambda: connected(place) == [3, 4])


async def test_of_fewer_than_run_none_begins_until_so_many_have_ended(open_place: Opener) -> None:
    place = await open_place("[downloads]\nper_server = 3\n", available=MODELS, rate=ENDLESS)
    put(place, *NAMES)
    async with running(place.services):
        await until(lambda: connected(place) == [1, 2, 3])
        place.pulls.set_per_server(place.link.id, 1)
        for number, left in ((1, [2, 3]), (2, [3])):
            place.pulls.ask(number, Wanted.CANCEL)
            await reach(place, State.CANCELLED, number=number)
            # A later wish is heard: a runner that had begun another would have done so before.
            place.pulls.ask(5, Wanted.PAUSE if number == 1 else Wanted.RUN)
            await until(lambda: row(place.services, 5).obeyed == row(place.services, 5).wishes)
            assert connected(place) == left
        place.pulls.ask(3, Wanted.CANCEL)
        await until(lambda: connected(place) == [4])


async def test_it_is_kept_for_the_next_runner(open_place: Opener, another: Callable[..., Services]) -> None:
    place = await open_place(available=MODELS, rate=2 * MB)
    place.pulls.set_per_server(place.link.id, 2)
    put(place, *NAMES)
    async with watched(place) as seen:
        await carry_out(another())
    assert seen.at_once() == 2
    assert {state(place, number) for number in range(1, 6)} == {State.INSTALLED}


async def test_each_server_has_its_own(open_place: Opener) -> None:
    async with DemoServer(
        seed=Library((), MODELS), rate=ENDLESS, small_layer_time=0, verify_rate=1e12
    ) as second:
        place = await open_place(
            f'[servers.box]\nurl = "{second.url}"\nlocal = false\n', available=MODELS, rate=ENDLESS
        )
        config = next(each for each in place.services.config.servers if each.name == "box")
        box = await place.services.links.connect(config)
        put(place, *NAMES[:2])
        for name in NAMES[:2]:
            place.pulls.enqueue(box, parse(name))
        async with running(place.services):
            await until(lambda: connected(place) == [1, 3])
            place.pulls.set_per_server(box.id, 2)
            await until(lambda: connected(place) == [1, 3, 4])
            assert place.pulls.per_server(place.link.id) == AtOnce(None, 1, "default")
            place.pulls.set_per_server(place.link.id, 2)
            await until(lambda: connected(place) == [1, 2, 3, 4])


async def test_a_wish_counts_more_than_an_edit_until_it_is_taken_back(open_place: Opener) -> None:
    place = await open_place(available=MODELS, rate=ENDLESS)
    put(place, *NAMES)
    place.pulls.set_per_server(place.link.id, 1)
    async with running(place.services):
        await until(lambda: connected(place) == [1])
        choose(place.paths, "downloads.per_server", 2)
        place.pulls.set_per_server(place.link.id, 4)
        await until(lambda: connected(place) == [1, 2, 3, 4])
        place.pulls.set_per_server(place.link.id, None)
        for number in (1, 2):
            place.pulls.ask(number, Wanted.CANCEL)
            await reach(place, State.CANCELLED, number=number)
        place.pulls.ask(5, Wanted.PAUSE)
        await reach(place, State.PAUSED, number=5)
        place.pulls.ask(5, Wanted.RUN)
        await until(lambda: row(place.services, 5).obeyed == row(place.services, 5).wishes)
        assert connected(place) == [3, 4]
        place.pulls.ask(3, Wanted.CANCEL)
        await until(lambda: connected(place) == [4, 5])  # two, as the edit says


async def test_what_holds_and_where_it_comes_from(open_place: Opener) -> None:
    place = await open_place("[downloads]\nper_server = 2\n")
    pulls, server_id, file = place.pulls, place.link.id, str(place.paths.config_file)
    assert pulls.per_server(server_id) == AtOnce(None, 2, file)
    found = pulls.set_per_server(server_id, 3)
    assert (found, found.count, found.source) == (AtOnce(3, 2, file), 3, "wish")
    found = pulls.set_per_server(server_id, None)
    assert (found, found.count, found.source) == (AtOnce(None, 2, file), 2, file)
    assert [(action, subject) for action, subject, _ in place.activity] == [
        ("per-server", "3 at once"),
        ("per-server", "as configured, 2 at once"),
    ]


@pytest.mark.parametrize("count", [0, 5, -1])
async def test_a_number_that_is_none(place: Place, count: int) -> None:
    with pytest.raises(UsageError, match="it must be 1 to 4"):
        Pulls(place.services).set_per_server(place.link.id, count)
    assert place.services.store.facts.per_server() == {}
    assert place.activity == []
