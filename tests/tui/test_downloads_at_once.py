"""Downloads: how many pulls run at once, asked with a key, and said where it is not the usual one."""

from pathlib import Path

from queued import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    BIG,
    OTHER,
    THIRD,
    downloads,
    put,
    state,
)

from modeltui.domain.transfers import State
from modeltui.services.pulls import Pulls
from modeltui.tui.screens.dialogs import Question


async def test_a_asks_how_many_at_once_and_more_begin(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        first, second = put(shown, BIG), put(shown, OTHER)
        await shown.until(lambda: state(shown, first) is State.PULLING)
        await shown.sees("a at once")
        await shown.misses("2 at once")
        await shown.press("a")
        await shown.sees(
            "How many pulls at once on demo?", "now  ", "enter esc leave it at 1", "2 two", "4 four"
        )
        await shown.misses("as configured")
        await shown.press("2")
        await shown.sees("2 pulls at once on demo")
        await shown.until(lambda: state(shown, second) is State.PULLING)
        await shown.press("escape")  # what was told gives way to how everything stands
        await shown.sees("2 pulls", "· 2 at once")
        await shown.press("1")
        await shown.misses("2 at once")  # it is said where it can be changed


async def test_enter_leaves_it_and_d_goes_back_to_what_is_configured(tmp_path: Path) -> None:
    async with downloads(tmp_path, config="[downloads]\nper_server = 3\n") as shown:
        app = shown.app
        pulls, server_id = Pulls(app.services), app.services.links.id_of(app.services.config.active)
        await shown.sees("3 at once")
        for key in ("enter", "escape"):
            await shown.press("a")
            await shown.sees("leave it at 3")
            await shown.press(key)
            await shown.misses("leave it at 3")
        assert pulls.per_server(server_id).wished is None
        await shown.press("a")
        await shown.press("4")
        await shown.until(lambda: pulls.per_server(server_id).wished == 4)
        await shown.press("a")
        await shown.sees("d as configured, 3", "leave it at 4")
        await shown.press("d")
        await shown.until(lambda: pulls.per_server(server_id).wished is None)
        await shown.sees("3 pulls at once on demo")
        actions = [(row.action, row.object, row.origin) for row in app.services.store.journal.latest(2)]
        assert actions == [
            ("per-server", "as configured, 3 at once", "screen"),
            ("per-server", "4 at once", "screen"),
        ]


async def test_what_another_program_wishes_is_said(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        for name in (BIG, OTHER, THIRD):
            put(shown, name)
        app = shown.app
        store = app.services.store
        store.facts.set_per_server(app.services.links.id_of(app.services.config.active), 3)
        await shown.sees("· 3 at once")


async def test_the_palette_has_it_and_no_digit_leads_away(tmp_path: Path) -> None:
    async with downloads(tmp_path) as shown:
        await shown.press("ctrl+p")
        await shown.type("at once")
        await shown.sees("at once: how many pulls run at once")
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, Question))
        await shown.press("1")  # the number of another screen, too
        await shown.sees("1 pull at once on demo")
        assert shown.app.current_mode == "downloads"
