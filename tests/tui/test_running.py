"""Running: what is in memory and where, the hardware under it, and what the keys do with a runner."""

from dataclasses import replace
from pathlib import Path

from live import Live, live

from modeltui.demo.faults import Fault, Kind
from modeltui.domain.machines.hardware import VramVerdict
from modeltui.domain.models import LoadedModel
from modeltui.domain.names import from_listed
from modeltui.domain.server import Keep, KeepAlive
from modeltui.services.loading import Loading
from modeltui.services.monitoring import RunningNow
from modeltui.tui.screens.details import DetailsScreen
from modeltui.tui.screens.models import ModelsScreen
from modeltui.tui.widgets.runningtable import RunningTable

SMALL, EMBED, BIG = "llama3.2:3b", "nomic-embed-text:latest", "qwen3.5:27b"


def table(shown: Live) -> RunningTable:
    found: RunningTable = shown.app.get_screen_stack("running")[0].query_one(RunningTable)
    return found


def keys(shown: Live) -> str:
    return str(shown.text.splitlines()[-1])


def loaded(shown: Live, name: str) -> LoadedModel | None:
    entry = shown.app.models.entry(name)
    return entry.loaded if entry else None


async def load(shown: Live, *names: str, keep: KeepAlive = Keep.SERVER_DEFAULT) -> None:
    """What another program loads."""
    services = shown.app.services
    for name in names:
        await Loading(services, await services.active()).load(name, keep)


async def on_running(shown: Live, *names: str) -> None:
    """Running is on top and shows these models, in this order of their loads."""
    await load(shown, *names)
    shown.app.refresh_soon()
    await shown.press("5")
    await shown.until(lambda: {row.runner.sent for row in now_of(shown).rows} == set(names))
    await shown.sees("KEPT" if names else "Nothing is loaded.", *names)


def now_of(shown: Live) -> RunningNow:
    return shown.app.running_now or RunningNow(0, (), VramVerdict.NO_HARDWARE_KNOWN, None, "")


async def go_to(shown: Live, name: str) -> None:
    assert table(shown).go_to(name)
    await shown.until(lambda: table(shown).cursor_key == name)
    await shown.pilot.pause()


async def still(shown: Live) -> None:
    """Nothing asks the server any more: what is shown is what a test assigns."""
    await shown.app.stop_workers()


async def test_where_what_runs_lies_and_how_long_it_stays(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await load(shown, EMBED, keep=Keep.FOREVER)
        await load(shown, SMALL)
        shown.app.refresh_soon()
        await shown.until(lambda: loaded(shown, SMALL) is not None)
        await shown.press("5")
        await shown.sees("VRAM and RAM by the server's account: the configuration says local = false")
        await shown.sees("MODEL", SMALL, EMBED)
        assert "for ever" in shown.line(EMBED)
        assert "gpu" in shown.line(SMALL)
        assert "5 min" in shown.line(SMALL)
        await go_to(shown, SMALL)
        await shown.sees("3.2B · ", "last load", "serves also assistant:latest")


async def test_what_does_not_fit_is_split(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown, BIG)
        assert "split  5 % cpu" in shown.line(BIG)
        assert "25.8 GB" in shown.line(BIG)
        assert "1.47 GB" in shown.line(BIG)


async def test_nothing_is_loaded_and_l_loads_the_current_model(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.sees("z undoes that")
        await on_running(shown)
        await shown.sees("loads the current model assistant:latest", "shows all models")
        assert "l load" in keys(shown)
        assert not any(word in keys(shown) for word in ("switch", "delete", "pin", "copy", "unload"))
        await shown.press("s", "u", "d", "n", "e", "c", "R", "enter")
        assert len(shown.app.screen_stack) == 1
        await shown.press("l")
        await shown.until(lambda: len(now_of(shown).rows) == 1)
        await shown.sees("assistant:latest", "loaded in")
        assert "l load" not in keys(shown)


async def test_nothing_is_loaded_and_no_model_is_current(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.sees("z undoes that")
        await shown.press("z")
        await shown.until(lambda: shown.app.models.current is None)
        await on_running(shown)
        await shown.sees("shows all models")
        assert "loads the current model" not in shown.text
        assert "l load" not in keys(shown)


async def test_unload(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown, SMALL, EMBED)
        await go_to(shown, EMBED)
        await shown.press("u")
        await shown.sees(f"{EMBED} unloaded")
        await shown.until(lambda: [row.runner.sent for row in now_of(shown).rows] == [SMALL])
        assert table(shown).cursor_key == SMALL


async def test_pin_and_keep_alive(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown, SMALL)
        await shown.until(lambda: "n pin" in keys(shown))
        await shown.press("n")
        await shown.until(lambda: "for ever" in shown.line("gpu"))
        await shown.until(lambda: "n pin" not in keys(shown))
        await shown.press("e")
        await shown.sees(f"How long does {SMALL} stay loaded")
        await shown.press("enter")
        await shown.until(lambda: "30 min" in shown.line("gpu"))
        await shown.until(lambda: "n pin" in keys(shown))


async def test_switch_to_what_runs(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.sees("z undoes that")
        await on_running(shown, SMALL, "qwen3:8b")
        await go_to(shown, "qwen3:8b")
        await shown.press("s")
        await shown.sees("current model: qwen3:8b")
        services = shown.app.services
        current = services.store.facts.current((await services.active()).id)
        assert current is not None
        assert current.name.short == "qwen3:8b"


async def test_the_current_model_is_marked_and_not_switched_to(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await shown.until(lambda: shown.app.models.current is not None)
        await on_running(shown, EMBED, SMALL)
        await shown.until(lambda: "●" in shown.line(SMALL))  # assistant:latest stands on its weights
        await go_to(shown, EMBED)
        assert "s switch" in keys(shown)
        await go_to(shown, SMALL)
        await shown.until(lambda: "u unload" in keys(shown))


async def test_copy_rename_and_delete_ask(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown, EMBED)
        for key, words in (
            ("c", f"Copy {EMBED} to which name?"),
            ("R", f"Rename {EMBED} to which name?"),
            ("p", "Pull which model?"),
            ("d", f"Delete {EMBED} from demo?"),
        ):
            await shown.press(key)
            await shown.sees(words)
            await shown.press("escape")
            await shown.misses(words)
        assert [row.runner.sent for row in now_of(shown).rows] == [EMBED]


async def test_details_another_screen_and_the_name(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown, SMALL, EMBED)
        await go_to(shown, EMBED)
        await shown.press("y")
        assert shown.app.clipboard == EMBED
        await shown.press("enter")
        assert isinstance(shown.app.screen, DetailsScreen)
        await shown.press("escape")
        await shown.press("g")
        await shown.until(lambda: isinstance(shown.app.screen, ModelsScreen))
        await shown.press("backspace")
        await shown.until(lambda: shown.app.current_mode == "running")
        assert table(shown).cursor_key == EMBED
        row = shown.text.splitlines().index(shown.line(EMBED))
        await shown.pilot.click(offset=(5, row), times=2)
        await shown.until(lambda: isinstance(shown.app.screen, DetailsScreen))


async def test_the_screen_goes_to_the_runner_of_a_sibling(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown, EMBED, SMALL)
        await shown.press("home", "1")
        await shown.until(lambda: shown.app.current_mode == "models")
        screen = shown.app.screen
        assert isinstance(screen, ModelsScreen)
        await shown.until(lambda: loaded(shown, "assistant:latest") is not None)
        assert screen.go_to("assistant:latest")
        await shown.press("g")
        await shown.until(lambda: shown.app.current_mode == "running")
        await shown.until(lambda: table(shown).cursor_key == SMALL)


async def test_what_was_deleted_while_loaded_offers_nothing(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await load(shown, EMBED)
        link = await shown.app.services.active()
        name = from_listed(EMBED)
        assert name is not None
        await link.api.delete(name)
        shown.app.refresh_soon()
        await shown.until(lambda: shown.app.models.entry(EMBED) is None)
        await shown.press("5")
        await shown.sees(f"{EMBED} deleted: it leaves memory when its keep-alive ends")
        assert shown.line("KEPT")
        assert "!" in shown.line("gpu")
        await shown.until(lambda: "u unload" not in keys(shown))
        assert not any(word in keys(shown) for word in ("details", "switch", "pin", "delete", "copy"))
        await shown.press("u", "enter", "d", "y")
        assert len(shown.app.screen_stack) == 1


async def test_a_lost_server_dims_the_rows_and_says_their_age(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        await on_running(shown, SMALL)
        await shown.server.stop()
        await shown.press("r")
        await shown.until(lambda: not shown.app.connection.is_online)
        await shown.sees("seen just now · r asks again", SMALL)
        assert table(shown).is_dim
        await shown.until(lambda: "u unload" not in keys(shown))
        now = shown.app.running_now
        assert now is not None
        shown.app.running_now = replace(now, at=now.at - 180_000)
        await shown.sees("seen 3 min ago")
        shown.app.running_now = None
        await shown.sees("No Ollama server answers")


async def test_what_was_predicted_does_not_change_because_the_server_is_away(tmp_path: Path) -> None:
    """How it counts memory depends on its version, which it had said."""
    async with live(tmp_path, version="0.24.0") as shown:
        assert shown.server is not None
        await on_running(shown, SMALL)
        await shown.until(lambda: shown.app.advice is not None)
        before = shown.app.advice
        await shown.server.stop()
        await shown.press("r")
        await shown.until(lambda: not shown.app.connection.is_online and shown.app.advice is not before)
        assert shown.app.advice is not None
        assert shown.app.advice.advice.circumstance.serving.version == (0, 24, 0)


async def test_a_failing_question_is_said(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert shown.server is not None
        shown.server.faults.add(Fault(Kind.STATUS, "/api/ps", times=None, value=[500, "no GPU any more"]))
        await shown.press("5")
        await shown.sees("no GPU any more")


async def test_a_server_that_is_too_old_is_said(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown)
        await still(shown)
        shown.app.connection = replace(shown.app.connection, version="0.1.37")
        await shown.sees("cannot say what is loaded: Ollama can since 0.1.38", "shows all models")
        shown.app.connection = replace(shown.app.connection, version="0.1.38")
        await shown.sees("Nothing is loaded.")


async def test_before_the_first_answer(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        await on_running(shown)
        await still(shown)
        shown.app.running_now = None
        await shown.sees(f"Asking {shown.app.connection.url} what is loaded.")
