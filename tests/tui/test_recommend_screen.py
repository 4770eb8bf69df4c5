"""Recommend: the wish and how it is remembered, the ranking, and what the keys do with a row."""

import json
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
from live import Live, live

from modeltui.demo.faults import Fault, Kind
from modeltui.demo.library import Library
from modeltui.domain.advice.reasons import Ranked
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.tui import ranker
from modeltui.tui.ranker import Answered, Asked
from modeltui.tui.screens.catalogdetails import CatalogDetails
from modeltui.tui.screens.details import DetailsScreen
from modeltui.tui.screens.recommend import RecommendScreen
from modeltui.tui.screens.recommendpages import RecommendPage
from modeltui.tui.widgets.ranktable import RankTable
from modeltui.tui.widgets.wishline import WishLine

HARDWARE = '[servers.demo.hardware]\ngpus = ["rtx 4090"]\nram = "64GB"\n'
NOWHERE = "http://127.0.0.1:9"  # nothing listens there


def screen(shown: Live) -> RecommendScreen:
    found = shown.app.get_screen_stack("recommend")[0]
    assert isinstance(found, RecommendScreen)
    return found


def table(shown: Live) -> RankTable:
    return screen(shown).query_one(RankTable)


def keys(shown: Live) -> str:
    return str(shown.text.splitlines()[-1])


def row(shown: Live) -> Ranked:
    found = screen(shown).row
    assert found is not None
    return found


def asked(shown: Live) -> Asked | None:
    answered = screen(shown).answered
    return answered.asked if answered is not None else None


async def opened(shown: Live) -> tuple[Ranked, ...]:
    """Recommend is on top, and what it shows rests on what the server said."""
    await shown.press("3")
    await settled(shown)
    answered = screen(shown).answered
    assert answered is not None
    return answered.answer.rows


async def settled(shown: Live) -> None:
    """The ranking that is shown is the one that is wanted, and the cursor has been followed."""
    await shown.until(lambda: shown.app.advice is not None)
    await shown.until(lambda: asked(shown) == screen(shown)._wanted() and not screen(shown)._ranks.is_busy)
    await shown.pilot.pause(0.1)


async def go_to(shown: Live, name: str) -> None:
    assert screen(shown).go_to(name)
    await shown.until(lambda: row(shown).name == name)
    await shown.pilot.pause(0.1)


def written(shown: Live) -> dict[str, Any]:
    """What settings.toml says of Recommend."""
    file = shown.paths.settings_file
    content = tomllib.loads(file.read_text()) if file.exists() else {}
    found: dict[str, Any] = content.get("recommend", {})
    return found


async def test_the_rows_stand_in_the_order_of_their_scores_with_why(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        rows = await opened(shown)
        assert len(rows) > 5
        assert [each.score for each in rows] == sorted((each.score for each in rows), reverse=True)
        await shown.sees("t general", "o balanced", "x 16k context", "w RTX 4090 25.8 GB + 68.7 GB RAM")
        line = shown.line(rows[0].name)
        assert str(rows[0].score) in line and "~" in line and "16k of" in line
        assert rows[0].why[:40] in shown.text
        assert "quality" in shown.text and "weights" in shown.text
        installed = next(each for each in rows if each.is_installed)
        assert "installed" in shown.line(f" {installed.name} ")
        assert not any(each.kind.value == "no" for each in rows)


async def test_without_room_the_sentences_give_way_to_the_models(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE, size=(80, 24)) as shown:
        rows = await opened(shown)
        assert rows[0].why[:30] not in shown.text
        shown_rows = [line.split() for line in shown.text.splitlines()[4:16]]
        assert shown_rows[0][0] == "1"
        assert all(str(each.score) in line for each, line in zip(rows, shown_rows, strict=False))
        await shown.pilot.resize_terminal(120, 40)
        await shown.sees(rows[0].why[:30])


async def test_the_wish_follows_its_keys_and_is_remembered(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        general = await opened(shown)
        await shown.press("t")
        await shown.sees("t coding")
        await settled(shown)
        answered = screen(shown).answered
        assert answered is not None and answered.answer.wish.task is Task.CODING
        assert [each.name for each in answered.answer.rows] != [each.name for each in general]
        assert table(shown).cursor_key == answered.answer.rows[0].name
        await shown.press("o")
        await settled(shown)
        await shown.press("x")
        await shown.sees("How much context must fit?")
        await shown.type("no")
        await shown.press("enter")
        await shown.sees("is no context")
        await shown.press("backspace", "backspace")
        await shown.type("32k")
        await shown.press("enter")
        await shown.sees("x 32k context", "o quality", "32k of")
        assert written(shown) == {"task": "coding", "priority": "quality", "context": 32768}
    async with live(tmp_path, config=HARDWARE) as shown:
        await opened(shown)
        assert asked(shown) is not None
        await shown.sees("t coding", "o quality", "x 32k context")


async def test_every_task_and_priority_comes_in_turn(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        await opened(shown)
        seen, ordered = [], []
        for _ in Task:
            await shown.press("t")
            await settled(shown)
            found = asked(shown)
            assert found is not None
            seen.append(found.wish.task)
        for _ in Priority:
            await shown.press("o")
            await settled(shown)
            found = asked(shown)
            assert found is not None
            ordered.append(found.wish.priority)
        assert set(seen) == set(Task) and seen[-1] is Task.GENERAL
        assert set(ordered) == set(Priority)


async def test_the_palette_has_every_task_and_priority(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        await opened(shown)
        for words, said in (("for vision", "t vision"), ("priority: speed", "o speed")):
            await shown.press("ctrl+p")
            await shown.type(words)
            await shown.press("enter")
            await shown.sees(said)
        assert written(shown) == {"task": "vision", "priority": "speed"}


async def test_what_config_toml_sets_lasts_until_the_end(tmp_path: Path) -> None:
    config = f'[recommend]\ntask = "creative"\n{HARDWARE}'
    async with live(tmp_path, config=config) as shown:
        await opened(shown)
        await shown.sees("t creative")
        await shown.press("t")
        await shown.sees("this task lasts until the end", "t general")
        assert written(shown) == {}


async def test_other_hardware_is_simulated_and_said_so(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        await opened(shown)
        await shown.press("w")
        await shown.sees("What if the server had other hardware?")
        await shown.type("rtxx")
        await shown.press("enter")
        await shown.sees("there is no card")
        await shown.press("ctrl+u")
        await shown.type("none")
        await shown.press("plus")
        await shown.type("16GB")
        await shown.press("enter")
        await shown.sees("Simulated: not the server's own machine", "what if: no GPU + 17.2 GB RAM", " RAM ")
        await settled(shown)
        assert all(each.kind.value == "cpu" for each in table_rows(shown))
        assert written(shown) == {}
        await shown.press("w")
        await shown.sees("What if the server had")
        await shown.press("backspace", "enter")
        await shown.misses("Simulated")
        await shown.sees("RTX 4090", "VRAM")


def table_rows(shown: Live) -> tuple[Ranked, ...]:
    answered = screen(shown).answered
    return answered.answer.rows if answered is not None else ()


async def test_unknown_hardware_is_asked_for(tmp_path: Path) -> None:
    async with live(tmp_path) as shown:
        assert await opened(shown) == ()
        await shown.sees(
            "What would run there is not known", "local = false", "ranks for hardware that you type"
        )
        assert not any(word in keys(shown) for word in ("details", "score", "mark", "compare"))
        await shown.press("i", "v", "enter", "space", "y", "g")
        assert len(shown.app.screen_stack) == 1
        await shown.press("w")
        await shown.sees("What if the server had")
        await shown.type("24GB")
        await shown.press("enter")
        await shown.sees("SCORE", "Simulated")
        await settled(shown)
        assert len(table_rows(shown)) > 5


async def test_nothing_fits(tmp_path: Path) -> None:
    config = '[recommend]\ncontext = "1m"\n[servers.demo.hardware]\ngpus = "none"\nram = "2GB"\n'
    async with live(tmp_path, config=config) as shown:
        assert await opened(shown) == ()
        await shown.sees("Nothing for general fits with 1024k of context.", "asks for a shorter context")


async def test_it_works_while_no_server_answers(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE, url=NOWHERE, wait=False) as shown:
        await shown.sees("No Ollama server answers", "Recommend (3) work without a server")
        rows = await opened(shown)
        assert len(rows) > 5
        await shown.sees(rows[0].name, "SCORE")
        assert "s switch" not in keys(shown)
        assert "p pull" in keys(shown)


async def test_p_pulls_exactly_that_tag(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE, seed=Library([])) as shown:
        await opened(shown)
        name = row(shown).name
        await shown.press("p")
        await shown.sees("Pull which model?", name, "to pull, needs")
        await shown.press("enter")
        await shown.sees(f"not know {name}")  # the demonstration's registry has few
        await shown.press("p")
        await shown.until(lambda: [each.transfer.name.short for each in shown.app.transfers] == [name])


async def test_p_pulls_all_that_are_marked(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        rows = await opened(shown)
        await shown.press("space", "space")
        await shown.sees("2 marked: v compares them, p pulls them")
        await shown.press("p")
        await shown.sees(f"{rows[0].name} {rows[1].name}")
        await shown.press("escape", "escape")
        await shown.sees("no marks any more")


async def test_s_switches_to_what_is_installed_alone(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        rows = await opened(shown)
        installed = next(each for each in rows if each.is_installed)
        other = next(each for each in rows if not each.is_installed)
        await go_to(shown, other.name)
        await shown.until(lambda: "s switch" not in keys(shown))
        await go_to(shown, installed.name)
        await shown.until(lambda: "s switch" in keys(shown))
        await shown.press("s")
        await shown.sees(f"Make {installed.name} the current model?")
        await shown.press("n")
        await shown.until(lambda: "current" in shown.line(f" {installed.name} "))
        assert "●" in shown.line(f" {installed.name} ")


async def test_s_pulls_first_where_that_is_configured(tmp_path: Path) -> None:
    config = f"[current]\nauto_pull = true\n{HARDWARE}"
    async with live(tmp_path, config=config) as shown:
        rows = await opened(shown)
        other = next(each for each in rows if not each.is_installed)
        await go_to(shown, other.name)
        await shown.until(lambda: "s switch" in keys(shown))
        await shown.press("s")
        await shown.sees(f"not know {other.name}")
        await shown.press("p")
        await shown.until(lambda: [each.transfer.name.short for each in shown.app.transfers] == [other.name])


async def test_the_whole_score(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        rows = await opened(shown)
        await shown.press("i")
        assert isinstance(shown.app.screen, RecommendPage)
        await shown.sees(
            f"{rows[0].name}  {rows[0].score} of 100", rows[0].parts[0].why[:30], "memory and speed"
        )
        await shown.press("end")
        await shown.sees("the model")
        await shown.pilot.resize_terminal(60, 20)
        await shown.press("home")
        await shown.sees(rows[0].name)
        await shown.press("escape")
        assert len(shown.app.screen_stack) == 1


async def test_models_side_by_side(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        rows = await opened(shown)
        await shown.press("v")  # nothing is marked: the first two
        await shown.sees("2 models side by side", rows[0].name, rows[1].name, "the best of them")
        await shown.press("escape")
        await shown.press("down", "down", "space", "space", "space", "v")
        await shown.sees("3 models side by side", *(each.name.split(":")[0] for each in rows[2:5]))
        assert rows[0].name not in shown.text


async def test_details_the_name_and_another_screen(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        rows = await opened(shown)
        other = next(each for each in rows if not each.is_installed)
        installed = next(each for each in rows if each.is_installed)
        await go_to(shown, other.name)
        await shown.press("y")
        assert shown.app.clipboard == other.name
        await go_to(shown, installed.name)
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, DetailsScreen))
        await shown.press("escape", "g")
        await shown.until(lambda: shown.app.current_mode == "models")
        await shown.press("backspace")
        await shown.until(lambda: shown.app.current_mode == "recommend")
        assert row(shown).name == installed.name


@pytest.mark.parametrize("key", ["backspace", "escape"])
async def test_enter_opens_the_catalog_at_that_tag_and_comes_back(tmp_path: Path, key: str) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        rows = await opened(shown)
        other = next(each for each in reversed(rows) if not each.is_installed)
        await go_to(shown, other.name)
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, CatalogDetails))
        series, _, tag = other.name.partition(":")
        await shown.sees(f" {series}  ", "score  ")  # judged, too
        details = shown.app.screen
        assert isinstance(details, CatalogDetails) and details.row is not None
        assert tag in ("", *details.row.offer.tags)
        await shown.press(key)
        assert shown.app.screen is screen(shown)
        assert row(shown).name == other.name


async def test_what_the_catalog_says_is_of_the_real_machine(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        await opened(shown)
        await shown.press("w")
        await shown.sees("What if the server had")
        await shown.type("12GB")
        await shown.press("enter")
        await shown.sees("Simulated")
        await settled(shown)
        other = next(each for each in table_rows(shown) if not each.is_installed)
        await go_to(shown, other.name)
        await shown.press("enter")
        await shown.sees("judged for the server's own machine, not for 12GB")
        await shown.sees("RTX 4090")


async def test_a_visit_ranks_once_and_a_return_not_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    gate.is_open.set()
    async with live(tmp_path, config=HARDWARE) as shown:
        await shown.until(lambda: shown.app.advice is not None)
        first = shown.app.advice
        await opened(shown)
        # All of the catalog has the verdicts made anew: on the same grounds they are no other question.
        await shown.until(lambda: shown.app.advice is not first)
        await settled(shown)
        assert gate.made == [Task.GENERAL]
        await shown.press("1", "3")
        await settled(shown)
        assert gate.made == [Task.GENERAL]
        assert shown.server is not None
        shown.server.faults.add(
            Fault(Kind.STATUS, "/api/tags", times=None, value=[200, json.dumps({"models": []})])
        )
        shown.app.refresh_soon()  # something did change
        await shown.until(lambda: len(gate.made) == 2)
        await settled(shown)
        assert not any(each.is_installed for each in table_rows(shown))


async def test_help_explains_the_columns(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        await opened(shown)
        await shown.press("question_mark")
        await shown.sees("UNDER THE CURSOR", "SCORE", "How good a choice it is")


async def test_the_mouse_does_what_the_keys_do(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        rows = await opened(shown)
        lines = shown.text.splitlines()
        sentence = next(at for at, line in enumerate(lines) if rows[1].why[:25] in line and at > 5)
        await shown.pilot.click(offset=(10, sentence))
        await shown.until(lambda: row(shown).name == rows[1].name)
        await shown.pilot.click(offset=(10, sentence), times=2)
        await shown.until(lambda: len(shown.app.screen_stack) == 2)
        await shown.press("escape")
        await shown.pilot.click(WishLine, offset=(lines[2].index("t general"), 0))
        await shown.sees("t coding")


class Gate:
    """Holds the ranking's thread until it is opened; what it does is the real thing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_open = threading.Event()
        self.began = threading.Event()
        self.made: list[Task] = []
        real = ranker._rank

        def held(recommending: Any, wanted: Asked) -> Answered:
            self.began.set()
            assert self.is_open.wait(60)
            self.made.append(wanted.wish.task)
            return real(recommending, wanted)

        monkeypatch.setattr(ranker, "_rank", held)


async def test_the_old_list_stays_dim_and_the_last_wish_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        rows = await opened(shown)
        gate = Gate(monkeypatch)
        await shown.press("t")
        await shown.until(gate.began.is_set)
        await shown.press("t", "t")
        await shown.until(lambda: table(shown).is_dim)
        await shown.sees("t analysis", rows[0].name)  # keys are answered meanwhile
        gate.is_open.set()
        await settled(shown)
        assert gate.made == [Task.CODING, Task.ANALYSIS]
        assert not table(shown).is_dim
        found = asked(shown)
        assert found is not None and found.wish.task is Task.ANALYSIS


async def test_a_ranking_that_was_cut_off_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live(tmp_path, config=HARDWARE) as shown:
        await opened(shown)
        gate = Gate(monkeypatch)
        await shown.press("t")
        await shown.until(gate.began.is_set)
        for worker in [each for each in shown.app.workers if each.group == "advice"]:
            worker.cancel()
        await shown.until(lambda: not screen(shown)._ranks.is_busy)
        gate.is_open.set()
        shown.app.tell("something else")
        await settled(shown)
        found = asked(shown)
        assert found is not None and found.wish.task is Task.CODING


async def test_an_empty_server_is_offered_what_suits_it(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE, seed=Library([])) as shown:
        await shown.sees("No model is installed on demo.", "which suits it", "to pull, needs")
        await shown.sees("recommends others")
        line = shown.line("which suits it")
        name = line.split("pulls ")[1].split(",")[0]
        await shown.press("p")
        await shown.sees("Pull which model?", f"{name}  ")
        await shown.press("escape")
        await opened(shown)
        assert row(shown).name == name


async def test_an_empty_server_of_unknown_hardware_is_offered_nothing(tmp_path: Path) -> None:
    async with live(tmp_path, seed=Library([])) as shown:
        await shown.until(lambda: shown.app.advice is not None)
        await shown.sees("No model is installed on demo.", "type or paste its name", "recommends some")
        await shown.press("p")
        await shown.sees("Pull which model?", "hf.co/user/repo")


async def test_another_server_has_another_ranking(tmp_path: Path) -> None:
    async with live(tmp_path, config=HARDWARE, url=NOWHERE, wait=False) as shown:
        await shown.sees("D")
        await opened(shown)
        await shown.press("D")
        await shown.until(lambda: shown.app.stage.is_demo and shown.app.connection.is_online)
        await shown.press("3")
        await settled(shown)
        await shown.sees("made-up GPU")
