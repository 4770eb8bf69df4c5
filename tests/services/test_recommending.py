"""Recommendations over the shipped catalog: the traps of its data, what another tool gets wrong, history."""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltui.catalog.loading import load_base
from modeltui.catalog.quality import quality_rows
from modeltui.domain.advice.comparing import compare
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.quality import Basis, Quality
from modeltui.domain.advice.reasons import Ranked
from modeltui.domain.advice.recommendation import LEAST_SHARE
from modeltui.domain.advice.scoring import Candidate, History, Scored, Wish
from modeltui.domain.advice.suitability import share, suitability
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.domain.catalog.series import Catalog
from modeltui.domain.machines.machine import KnownMachine, Machine, Origin
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.serving import Serving
from modeltui.domain.models import Model
from modeltui.domain.names import parse
from modeltui.services.advice import Advice, Circumstance
from modeltui.services.recommending import Recommending
from modeltui.store.measurements import Measurement

SERVING = Serving((0, 33, 0))
MACHINES = ("none+16GB", "8GB+16GB", "24GB+64GB", "2x24GB+64GB", "141GB+512GB")
KINDS = {FitKind.NO: 0, FitKind.CPU: 1, FitKind.SPLIT: 2, FitKind.GPU: 3}


@cache
def catalog() -> Catalog:
    return load_base()


@cache
def quality() -> Quality:
    return Quality(catalog().series, quality_rows())


def recommending(
    hardware: str | Machine,
    installed: Iterable[Model] = (),
    histories: dict[str, History] | None = None,
    **more: object,
) -> Recommending:
    machine = parse_hardware(hardware) if isinstance(hardware, str) else hardware
    circumstance = Circumstance(
        KnownMachine(machine, "this machine"), SERVING, catalog(), installed=tuple(installed)
    )
    return Recommending(Advice(replace(circumstance, **more)), quality(), histories)  # type: ignore[arg-type]


@cache
def of(hardware: str) -> Recommending:
    return recommending(hardware)


def rows(hardware: str, task: Task = Task.GENERAL, **more: object) -> list[Candidate]:
    wish = Wish(task=task, **more)  # type: ignore[arg-type]
    return [row.candidate for row in of(hardware).ranking(wish).rows]


def every_row() -> Iterable[tuple[Task, Candidate]]:
    for hardware in MACHINES:
        for task in Task:
            for priority in Priority:
                for each in rows(hardware, task, priority=priority):
                    yield task, each


def model(name: str, **facts: object) -> Model:
    found = catalog().find(name)
    known: dict[str, object] = {}
    if found is not None:
        tag = found[1]
        known = {"digest": f"{tag.digest}{'0' * 52}", "size": tag.size, "quantization": tag.quantization}
        known["parameter_size"] = tag.parameter_size
    return Model(name, name, parse(name), **{**known, **facts})  # type: ignore[arg-type]


# --- what would mislead a recommender, by its number in the catalog's own account


def test_trap_1_apple_only_tags() -> None:
    """`laguna-s-2.1:nvfp4` would look ideal on an 80 GB card, and cannot be pulled there."""
    apple = re.compile(r"mlx|nvfp4|mxfp8|-coding-|-int[48]$")
    assert not [each.name for _, each in every_row() if apple.search(each.tag.tag) or each.tag.is_apple_only]
    assert not [each for each in rows("80GB+256GB", Task.CODING) if "nvfp4" in each.name]


def test_trap_2_generations_go_by_release_not_by_the_last_push() -> None:
    found = catalog().series["llama3.1"]
    tag = found.tags[0]
    changed = replace(found, updated="2026-11-20", as_of="2026-11-20")
    assert quality().level(changed, tag, Task.GENERAL) == quality().level(found, tag, Task.GENERAL)


def test_trap_3_pulls_are_no_quality() -> None:
    """llama3.1 is pulled most and llama2 21st: both stand behind what is newer and hardly pulled."""
    for hardware in MACHINES:
        first = [each.series.name for each in rows(hardware)[:10] if each.series]
        assert "llama3.1" not in first and "llama2" not in first


def test_trap_4_chips_of_a_series_are_no_facts_of_a_tag() -> None:
    seeing = {each.name for each in rows("8GB+16GB", Task.VISION)}
    assert seeing
    assert not seeing & {"gemma3:1b", "gemma3:270m"}
    assert all("image" in each.tag.inputs for task, each in every_row() if task is Task.VISION)


def test_trap_5_missing_and_misleading_chips() -> None:
    names = {each.series.name for _, each in every_row() if each.series}
    assert not names & {"glm-ocr", "deepseek-ocr", "translategemma"}
    assert "ornith-1.5" in names  # has no chips for tools and thinking, and is a coder all the same


def test_trap_6_a_mixture_without_its_active_size_is_not_read_as_dense() -> None:
    for name in ("ornith-1.5:35b", "nemotron3:33b", "dolphin-mixtral:8x7b", "deepseek-v2:16b"):
        found = catalog().find(name)
        assert found is not None
        assert found[1].active_parameters, name
        assert found[1].active_parameters < (found[1].parameters or 0) / 2


def test_trap_7_sizes_that_do_not_follow_parameters() -> None:
    """gemma4:latest is the E4B at 9.6 GB: larger on disk than the 12B, and weaker."""
    series = catalog().series["gemma4"]
    small, large = series.tag("e4b"), series.tag("12b")
    assert small is not None and large is not None
    assert (small.size or 0) > (large.size or 0)
    for task in (Task.GENERAL, Task.CODING, Task.REASONING):
        assert quality().level(series, small, task).value < quality().level(series, large, task).value


def test_trap_8_no_architecture_row_is_still_judged() -> None:
    assert "qwen3.8:27b" in [each.name for each in rows("24GB+64GB", Task.CODING)]


def test_trap_9_unknown_quantization_is_not_full_precision() -> None:
    series = catalog().series["gemma3"]
    trained, full = series.tag("27b-it-qat"), series.tag("27b-it-fp16")
    assert trained is not None and full is not None and trained.quantization is None
    by_tag = {name: row.candidate for name, row in _scores(of("141GB+512GB").ranking(Wish()).fitting).items()}
    assert by_tag["gemma3:27b-it-qat"].value < quality().level(series, full, Task.GENERAL).value


def test_trap_10_base_models_are_for_no_chat() -> None:
    assert not [each.name for task, each in every_row() if each.tag.is_base]
    embedding = {each.series.name for each in rows("8GB+16GB", Task.EMBEDDING) if each.series}
    assert "paraphrase-multilingual" in embedding  # `-base-` in its tag, and no base model


def test_trap_11_contexts_are_taken_by_tag_and_say_nothing_of_quality() -> None:
    found = catalog().find("command-r7b")
    assert found is not None and (found[1].context or 0) < 16_384
    assert found[1].name not in [each.name for each in rows("8GB+16GB")]
    assert "command-r7b" in [each.series.name for each in rows("8GB+16GB", context=4096) if each.series]


def test_trap_12_the_default_tag_is_no_recommendation() -> None:
    """granite4.1 defaults to its smallest size, several series to a cloud tag."""
    (granite,) = [
        each for each in rows("24GB+64GB") if each.series and each.series.name == "granite4.1"
    ] or pytest.fail("not listed")
    assert granite.name.startswith("granite4.1:30b")
    assert not [each.name for _, each in every_row() if each.tag.is_cloud]


def test_trap_13_never_a_general_recommendation() -> None:
    narrow = {"safety", "ocr", "translation", "function-calling", "base", "other"}
    for task, each in every_row():
        assert each.series is not None
        assert each.series.role not in narrow, each.name
        assert (each.series.role == "embedding") is (task is Task.EMBEDDING), each.name
        assert "reward" not in each.name


# --- what another tool gets wrong, by its number in the study of it


def test_llmfit_1_nothing_slow_at_the_top_of_a_machine_without_a_gpu() -> None:
    for task in (Task.REASONING, Task.CODING):
        first = rows("none+24GB", task, priority=Priority.QUALITY)[:5]
        assert first
        assert all((each.tokens or 0) >= 5 for each in first)


def test_llmfit_2_a_smaller_gpu_never_scores_higher() -> None:
    small, large = (_scores(of(hardware).ranking(Wish()).fitting) for hardware in ("8GB+64GB", "24GB+64GB"))
    assert _lost(small, large, Task.GENERAL) == []


def test_llmfit_3_and_5_a_split_differs_by_vram_and_what_is_shown_is_what_is_placed() -> None:
    fast, slow = (
        _scores(of(hardware).ranking(Wish()).fitting)["gpt-oss:20b"].candidate
        for hardware in ("12GB+32GB", "8GB+32GB")
    )
    assert (fast.tokens or 0) > 1.1 * (slow.tokens or 0)
    assert (fast.needs or 0) > (fast.tag.size or 0) * 0.9


def test_llmfit_6_no_two_bits_to_be_on_the_gpu() -> None:
    assert not [each.name for _, each in every_row() if (each.tag.quantization or "").startswith("Q2")]


def test_llmfit_12_a_fork_does_not_inherit_the_score_of_its_family() -> None:
    found = catalog().series["dolphin3"]
    base = catalog().series["llama3.1"]
    tag, original = found.tags[0], base.tag("8b")
    assert original is not None
    level = quality().level(found, tag, Task.CODING)
    assert level.sources != quality().level(base, original, Task.CODING).sources


# --- the rules


@pytest.mark.parametrize("hardware", MACHINES)
def test_a_retired_series_is_never_above_its_successors(hardware: str) -> None:
    for task in Task:
        ranked = [each.series for each in rows(hardware, task) if each.series]
        names = [each.name for each in ranked]
        for each in ranked:
            if each.is_retired:
                assert not set(each.succeeded_by) & set(names), each.name


@pytest.mark.parametrize("hardware", ["8GB+16GB", "12GB+32GB", "24GB+64GB", "80GB+256GB", "141GB+512GB"])
def test_nothing_that_nobody_measured_stands_first(hardware: str) -> None:
    """With a GPU: without one pace decides, and what is fast there is hardly measured."""
    for task in Task:
        first = rows(hardware, task)[0]
        assert first.level.basis is not Basis.FACTS, (first.name, task)


NEW = ("qwen3.5", "gemma4", "gpt-oss", "qwen3.6", "qwen3.8")
OLD = ("llama2", "vicuna", "mistral", "openchat", "zephyr", "nous-hermes2", "wizardlm2", "orca-mini")


@pytest.mark.parametrize("task", [Task.GENERAL, Task.CODING, Task.REASONING, Task.ANALYSIS, Task.CREATIVE])
def test_new_models_do_not_lose_to_the_days_of_llama_2(task: Task) -> None:
    """Of about the same size: those have far more published rows."""
    for new in NEW:
        series = catalog().series[new]
        for old in OLD:
            before = catalog().series[old]
            for tag in quality().sizes(series).values():
                for other in quality().sizes(before).values():
                    if (other.parameters or 0) <= 2.5 * (tag.parameters or 0):
                        assert (
                            quality().level(series, tag, task).value
                            > quality().level(before, other, task).value
                        ), (tag.name, other.name)


def test_every_task_has_a_list_on_every_machine() -> None:
    for hardware in MACHINES:
        for task in Task:
            found = of(hardware).recommend(Wish(task=task), 3)
            assert len(found.rows) == 3, (hardware, task)
            assert not found.is_slow


def test_a_machine_too_small_for_anything_has_no_rows() -> None:
    found = recommending(Machine((), 10**8, 10**7)).recommend(Wish())
    assert found.rows == () and found.total == 0


def test_a_slow_machine_lists_three_and_marks_them() -> None:
    machine = replace(parse_hardware("none+64GB"), ram_bandwidth=2e8)
    found = recommending(machine).recommend(Wish())
    assert found.is_slow
    assert len(found.rows) == 3
    assert all(row.is_slow and "below the 5 tokens/s" in row.why for row in found.rows)


def test_no_machine_no_ranking() -> None:
    unknown = KnownMachine(None, "", "gpubox is not this machine")
    found = recommending("24GB", machine=unknown).recommend(Wish())
    assert found.rows == () and found.machine.why


def _words(row: Ranked) -> str:
    return " ".join(
        [row.why, *(part.why + part.mend for part in row.parts), *(each.words for each in row.also)]
    )


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("task", Task)
def test_a_row_says_why_in_one_sentence_and_takes_its_whole_score_apart(
    task: Task, priority: Priority
) -> None:
    for row in of("12GB+32GB").recommend(Wish(task, priority), 8).rows:
        assert row.why.endswith(".") and row.why.count(". ") == 0
        assert sum(part.points for part in row.parts) == row.score
        assert sum(part.most for part in row.parts) == 100
        assert re.search(r"(?i)\bnan\b|None", _words(row)) is None
        assert row.suitability.value is not None
        assert (
            row.suitability.source in ("published scores", "the maker's own scores") or row.suitability.source
        )
        for other in row.also:
            assert other.name != row.name
            assert other.fits or "does not fit" in other.words or "slow" in other.words


def test_on_an_old_server_what_came_long_after_it_is_no_row() -> None:
    """Nothing says what falcon3 needs, which is llama-shaped, nor north-mini-code, whose shape is unknown."""
    old, wish = recommending("24GB+64GB", serving=Serving((0, 1, 20))), Wish(Task.CODING)
    ranking = old.ranking(wish)
    released = {
        row.candidate.name: row.candidate.series.released or ""
        for row in ranking.rows
        if row.candidate.series
    }
    assert released and max(released.values()) <= "2024-08", released
    late = {each.series.name for each in ranking.beyond if each.series and each.is_too_new}
    assert {"falcon3", "north-mini-code-1.0"} <= late
    assert any(
        candidate.name.startswith("north-mini-code-1.0") for candidate in rows("24GB+64GB", Task.CODING)
    )
    mine = recommending("24GB+64GB", [model("falcon3:7b")], serving=Serving((0, 1, 20)))
    assert "falcon3:7b" in {row.candidate.name for row in mine.ranking(wish).fitting}, "its server took it"


def test_the_same_twice_is_the_same() -> None:
    one, two = (recommending("24GB+64GB").recommend(Wish(Task.CODING)) for _ in range(2))
    assert [(row.name, row.score, row.why) for row in one.rows] == [
        (row.name, row.score, row.why) for row in two.rows
    ]


def test_rows_side_by_side() -> None:
    found = of("24GB+64GB").recommend(Wish(Task.CODING), 3).rows
    lines = {line.label: line for line in compare(found)}
    assert lines["score"].values == tuple(str(row.score) for row in found)
    assert all(len(line.values) == 3 for line in lines.values())
    best = lines["tokens/s"].best
    assert best is not None
    assert found[best].tokens == max(row.tokens or 0 for row in found)
    assert lines["license"].best is None
    assert compare(()) != ()


def _scores(found: Iterable[Scored]) -> dict[str, Scored]:
    return {row.candidate.name: row for row in found}


def _lost(before: dict[str, Scored], after: dict[str, Scored], task: Task) -> list[object]:
    """Who is scored lower or fits worse; the retired and the weak are not scored where others do."""
    lost: list[object] = []
    for name, row in before.items():
        mine, now = row.candidate, after.get(name)
        assert mine.series is not None
        if now is None:
            if not mine.series.is_retired and share(mine.level.value, task) >= LEAST_SHARE:
                lost.append(name)
        elif now.score < row.score or KINDS[now.candidate.kind] < KINDS[mine.kind]:
            lost.append((name, row.points, now.points))
    return lost


@settings(max_examples=25, deadline=None)
@given(
    vram=st.integers(1, 100),
    more=st.integers(1, 60),
    ram=st.sampled_from([8, 16, 32, 128]),
    cards=st.integers(1, 3),
    wish=st.builds(
        Wish,
        task=st.sampled_from(Task),
        priority=st.sampled_from(Priority),
        context=st.sampled_from([4096, 16_384, 65_536]),
    ),
)
def test_more_vram_of_the_same_kind_never_lowers_a_score_or_a_fit(
    vram: int, more: int, ram: int, cards: int, wish: Wish
) -> None:
    for smaller, larger in (
        (f"{vram}GB@500GB/s+{ram}GB", f"{vram + more}GB@500GB/s+{ram}GB"),
        (f"{cards}x12GB@360GB/s+{ram}GB", f"{cards + 1}x12GB@360GB/s+{ram}GB"),
    ):
        before = _scores(recommending(smaller).ranking(wish).fitting)
        after = _scores(recommending(larger).ranking(wish).fitting)
        assert _lost(before, after, wish.task) == [], (smaller, larger)


# --- this server's own models


def test_what_is_installed_is_listed_by_its_name_and_marked() -> None:
    mine = model("qwen3.5:9b")
    found = recommending("8GB+16GB", [mine]).recommend(Wish())
    (row,) = [row for row in found.rows if row.name == "qwen3.5:9b"]
    assert row.is_installed
    assert "qwen3.5:9b" not in {row.name for row in found.rows if not row.is_installed}


def test_the_pick_among_the_installed_says_which_and_why() -> None:
    mine = [model(name) for name in ("llama3.2:3b", "qwen2.5-coder:7b", "nomic-embed-text:v1.5", "gemma3:4b")]
    here = recommending("8GB+16GB", mine)
    coder = here.best_installed(Wish(Task.CODING))
    assert coder is not None and coder.name == "qwen2.5-coder:7b" and coder.why
    seeing = here.best_installed(Wish(Task.VISION))
    assert seeing is not None and seeing.name == "gemma3:4b"
    embedding = here.best_installed(Wish(Task.EMBEDDING))
    assert embedding is not None and embedding.name == "nomic-embed-text:v1.5"
    assert recommending("8GB+16GB").best_installed(Wish()) is None


def test_the_pick_on_an_unknown_machine_is_by_quality() -> None:
    mine = [model("llama3.2:3b"), model("gemma4:12b")]
    unknown = KnownMachine(None, "", "elsewhere")
    best = recommending("8GB", mine, machine=unknown).best_installed(Wish())
    assert best is not None and best.name == "gemma4:12b"


def test_a_model_that_no_catalog_knows_has_no_evidence_and_can_be_picked() -> None:
    mine = model("me/mine:latest", size=5 * 10**9, digest="ab" * 32, parameter_size="8B")
    here = recommending("8GB+16GB", [mine])
    best = here.best_installed(Wish(context=4096))
    assert best is not None and best.name == "me/mine:latest"
    assert best.suitability.source == "no evidence"
    assert {each.source for each in here.suitabilities_of_model(mine)} == {"no evidence"}


def test_another_build_of_a_library_name_is_still_of_its_series() -> None:
    mine = model("qwen3:8b", digest="cd" * 32)
    best = recommending("8GB+16GB", [mine]).best_installed(Wish())
    assert best is not None and best.candidate.series is not None
    assert best.candidate.series.name == "qwen3"


def test_a_measured_slow_model_falls() -> None:
    mine = [model("qwen3.5:9b"), model("ministral-3:8b")]
    machine = KnownMachine(replace(parse_hardware("8GB+16GB"), origin=Origin.MEASURED), "this machine")
    digest = mine[0].digest
    assert digest is not None
    slow = Measurement(digest=digest, name="qwen3.5:9b", context=16_384, at=1, tokens=6.0)
    usual = slow._replace(digest=mine[1].digest or "", name="ministral-3:8b", tokens=35.0)
    seen = (slow, usual)
    before = recommending("8GB+16GB", mine, machine=machine).best_installed(Wish())
    after = recommending("8GB+16GB", mine, machine=machine, measurements=seen).best_installed(Wish())
    assert before is not None and after is not None
    assert before.name == "qwen3.5:9b"
    assert after.name != before.name
    ranking = recommending("8GB+16GB", mine, machine=machine, measurements=seen).ranking(Wish())
    fallen = _scores(ranking.fitting)["qwen3.5:9b"]
    assert fallen.candidate.is_measured and fallen.candidate.tokens == 6
    assert fallen.score < before.score


def test_failures_here_lower_a_score() -> None:
    mine = [model("qwen3.5:9b")]
    well, badly = (
        recommending("8GB+16GB", mine, {"qwen3.5:9b": history}).best_installed(Wish())
        for history in (History(5), History(5, 5))
    )
    assert well is not None and badly is not None
    assert well.score > badly.score
    assert "worked 0 of 5 times here" in [part.why for part in badly.parts]


def test_suitability_for_every_task() -> None:
    found = catalog().find("qwen2.5-coder:7b")
    assert found is not None
    each = {one.task: one for one in of("8GB+16GB").suitabilities(found[1])}
    assert set(each) == set(Task)
    assert (each[Task.CODING].value or 0) > (each[Task.CREATIVE].value or 0)
    assert each[Task.VISION].value == 0
    assert each[Task.CODING].source == "published scores"
    assert suitability(quality(), *found, Task.CODING) == each[Task.CODING]
