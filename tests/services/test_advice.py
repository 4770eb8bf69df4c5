"""Verdicts: the best facts there are, measured before estimated, mends that are true, each judged once."""

from dataclasses import replace
from time import perf_counter

import pytest

from modeltui.catalog.loading import load_base
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.tasks import Task
from modeltui.domain.catalog.series import Catalog, Tag
from modeltui.domain.machines.machine import KnownMachine, Origin
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.estimate import place
from modeltui.domain.memory.serving import Serving
from modeltui.domain.models import LoadedModel, Model
from modeltui.domain.names import parse
from modeltui.services.advice import UNKNOWN, Advice, Circumstance
from modeltui.store.measurements import Measurement

GIB = 1 << 30
SERVING = Serving((0, 32, 0))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_base()


def here(hardware: str = "rtx 3090+64GB", origin: Origin = Origin.MEASURED) -> KnownMachine:
    return KnownMachine(
        replace(parse_hardware(hardware), origin=origin, disk_free=500 * 10**9), "this machine"
    )


def tag_of(catalog: Catalog, name: str) -> Tag:
    found = catalog.find(name)
    assert found is not None
    return found[1]


def model(name: str, catalog: Catalog | None = None, **facts: object) -> Model:
    if catalog is not None:
        tag = tag_of(catalog, name)
        known = {"digest": (tag.digest or "") + "0" * 52, "size": tag.size, "quantization": tag.quantization}
        facts = {**known, **facts}
    return Model(name, name, parse(name), **facts)  # type: ignore[arg-type]


def test_a_tag_of_the_catalog(catalog: Catalog) -> None:
    advice = Advice(Circumstance(here(), SERVING, catalog))
    verdict = advice.verdict_of_tag(tag_of(catalog, "qwen3:14b"), 16384, Task.CODING)
    assert verdict.fit.kind is FitKind.GPU and verdict.fit.score == 100
    assert verdict.largest_context == 40960
    assert verdict.speed.tokens and 40 < verdict.speed.tokens < 90
    assert verdict.placement is not None and verdict.placement.needs.total > (
        (verdict.facts and verdict.facts.file) or 0
    )


def test_numbers_and_words_are_of_one_verdict(catalog: Catalog) -> None:
    advice = Advice(Circumstance(here("rtx 3060+32GB"), SERVING, catalog))
    for name in (
        "qwen3:14b",
        "qwen3:30b",
        "llama3.3:70b",
        "nomic-embed-text",
        "gpt-oss:20b",
        "llama3.1:405b",
    ):
        tag = tag_of(catalog, name)
        numbers, verdict = advice.numbers_of_tag(tag, 8192), advice.verdict_of_tag(tag, 8192)
        assert (numbers.kind, numbers.score, numbers.tokens) == (
            verdict.fit.kind,
            verdict.fit.score,
            verdict.speed.tokens,
        )
        assert numbers.points == tuple(part.points for part in verdict.fit.parts)
        assert verdict.placement is not None and numbers.needs == verdict.placement.needs.total


def test_equal_digests_are_judged_once(catalog: Catalog) -> None:
    advice = Advice(Circumstance(here(), SERVING, catalog))
    short, long = tag_of(catalog, "llama3.1:8b"), tag_of(catalog, "llama3.1:8b-instruct-q4_K_M")
    assert short.digest == long.digest
    assert advice.numbers_of_tag(short, 4096) is advice.numbers_of_tag(long, 4096)
    assert advice.verdict_of_tag(short, 4096) is advice.verdict_of_tag(short, 4096)
    assert advice.verdict_of_tag(long, 4096).name == "llama3.1:8b-instruct-q4_K_M"


def test_what_is_unknown_is_said(catalog: Catalog) -> None:
    blind = Advice(Circumstance(KnownMachine(None, "unknown", "it is elsewhere"), SERVING, catalog))
    verdict = blind.verdict_of_tag(tag_of(catalog, "qwen3:14b"))
    assert (verdict.fit.kind, verdict.fit.score) == (FitKind.UNKNOWN, None)
    assert "it is elsewhere" in verdict.fit.parts[0].why
    assert blind.numbers_of_tag(tag_of(catalog, "qwen3:14b")) is UNKNOWN
    seeing = Advice(Circumstance(here(), SERVING, catalog))
    cloud = seeing.verdict_of_tag(tag_of(catalog, "gpt-oss:120b-cloud"))
    assert cloud.fit.parts[0].why == "it runs in the cloud"
    other = seeing.verdict_of_facts("hf.co/a/b:Q4_K_M", None)
    assert (other.fit.kind, other.fit.parts[0].why) == (FitKind.UNKNOWN, "its size is unknown")


def test_an_installed_model_is_judged_by_what_the_server_said_of_it(catalog: Catalog) -> None:
    info = {
        "general.architecture": "llama",
        "general.parameter_count": 8_030_000_000,
        "llama.block_count": 32,
        "llama.embedding_length": 4096,
        "llama.attention.head_count": 32,
        "llama.attention.head_count_kv": 8,
        "llama.context_length": 65536,
        "llama.vocab_size": 128256,
    }
    mine = model("mine:latest", digest="a" * 64, size=4_900_000_000, parameter_size="8.0B")
    bare = Advice(Circumstance(here(), SERVING, catalog, (mine,)))
    told = Advice(Circumstance(here(), SERVING, catalog, (mine,), shapes={"a" * 64: info}))
    assert bare.verdict_of_model(mine, 8192).facts is not None
    facts, guess = told.verdict_of_model(mine, 8192).facts, bare.verdict_of_model(mine, 8192).facts
    assert facts is not None and guess is not None
    assert facts.source == "the server's own facts of it" and facts.trained_context == 65536
    assert guess.source == "its size alone" and guess.architecture is None
    sure, wide = told.verdict_of_model(mine, 8192).placement, bare.verdict_of_model(mine, 8192).placement
    assert sure is not None and wide is not None
    assert wide.needs.high - wide.needs.low > sure.needs.high - sure.needs.low


def test_an_installed_model_of_the_catalog_is_known_by_digest_or_else_by_size(catalog: Catalog) -> None:
    advice = Advice(Circumstance(here(), SERVING, catalog))
    known = model("llama3.1:8b", catalog)
    found = advice.subjects.facts_of_model(known)
    assert found is not None and found.architecture is not None and found.is_size_exact
    another = replace(known, digest="f" * 64)
    assert advice.subjects.tag_of(another) is None, "somebody else's model under that name"
    unlisted = replace(known, digest=None)
    assert advice.subjects.tag_of(unlisted) == tag_of(catalog, "llama3.1:8b")
    assert advice.subjects.tag_of(replace(unlisted, size=9 * 10**9)) is None


def test_a_copy_has_the_facts_of_its_original_in_any_order(catalog: Catalog) -> None:
    listed = model("llama3.1:8b", catalog)
    copy = replace(listed, sent="current:latest", shown="current:latest", name=parse("current:latest"))
    for order in ((copy, listed), (listed, copy)):
        advice = Advice(Circumstance(here(), SERVING, catalog, order))
        facts = [advice.subjects.facts_of_model(each) for each in order]
        assert facts[0] is not None and facts[0].architecture is not None and facts[0] == facts[1]
        assert [advice.subjects.tag_of(each) for each in order] == [tag_of(catalog, "llama3.1:8b")] * 2


def test_another_build_of_a_name_and_size_has_its_shape(catalog: Catalog) -> None:
    advice = Advice(Circumstance(here(), SERVING, catalog))
    listed = model("llama3.1:8b", catalog)
    older = replace(listed, digest="f" * 64, size=int((listed.size or 0) * 1.01), context=8192)
    known, found = advice.subjects.facts_of_model(listed), advice.subjects.facts_of_model(older)
    assert known is not None and found is not None
    assert (found.architecture, found.file, found.trained_context) == (known.architecture, older.size, 8192)
    assert "another build" in found.source
    larger = advice.subjects.facts_of_model(replace(older, digest="e" * 64, size=9 * 10**9))
    assert larger is not None and larger.source == "its size alone"


def test_what_is_installed_needs_no_disk(catalog: Catalog) -> None:
    full = KnownMachine(replace(here().machine or parse_hardware("8GB"), disk_free=0), "this machine")
    tag = tag_of(catalog, "llama3.1:8b")
    missing = Advice(Circumstance(full, SERVING, catalog)).verdict_of_tag(tag)
    there = Advice(Circumstance(full, SERVING, catalog, (model("llama3.1:8b", catalog),))).verdict_of_tag(tag)
    assert missing.fit.parts[5].points == 0 and missing.fit.parts[5].mend == "free 4.92 GB on its disk"
    assert there.fit.parts[5].points == 5


def rows(catalog: Catalog, name: str, *tokens: float, **facts: object) -> tuple[Measurement, ...]:
    digest = model(name, catalog).digest or ""
    return tuple(
        Measurement(number, digest, name, tokens=each, **facts)  # type: ignore[arg-type]
        for number, each in enumerate(tokens)
    )


def test_measured_here_wins_and_is_marked(catalog: Catalog) -> None:
    measured = rows(catalog, "qwen3:14b", 51.0, 55.0, 53.0, context=16384, vram_share=1.0)
    advice = Advice(Circumstance(here(), SERVING, catalog, measurements=measured))
    tag = tag_of(catalog, "qwen3:14b")
    speed = advice.verdict_of_tag(tag, 16384).speed
    assert (speed.tokens, speed.low, speed.high, speed.is_measured) == (53.0, 51.0, 55.0, True)
    assert speed.basis == "measured here, 3 times"
    assert advice.numbers_of_tag(tag, 16384).is_measured
    elsewhere = advice.verdict_of_tag(tag, 8192).speed
    assert elsewhere.is_measured and elsewhere.basis.endswith("at a context of 16k")
    assert not advice.verdict_of_tag(tag_of(catalog, "qwen3:8b"), 8192).speed.is_measured


def test_what_was_measured_elsewhere_in_memory_does_not_count(catalog: Catalog) -> None:
    split = rows(catalog, "qwen3:14b", 9.0, context=40960, vram_share=0.6)
    advice = Advice(Circumstance(here(), SERVING, catalog, measurements=split))
    assert not advice.verdict_of_tag(tag_of(catalog, "qwen3:14b"), 8192).speed.is_measured


def test_a_measured_slow_model_falls(catalog: Catalog) -> None:
    tag = tag_of(catalog, "qwen3:14b")
    plain = Advice(Circumstance(here(), SERVING, catalog)).numbers_of_tag(tag, 8192)
    slow = Advice(
        Circumstance(here(), SERVING, catalog, measurements=rows(catalog, "qwen3:14b", 3.0, context=8192))
    ).numbers_of_tag(tag, 8192)
    assert plain.score is not None and slow.score is not None and slow.score < plain.score - 15


def test_measurements_correct_the_estimates_of_other_models(catalog: Catalog) -> None:
    installed = (model("qwen3:14b", catalog),)
    tag = tag_of(catalog, "qwen3:8b")
    plain = Advice(Circumstance(here(), SERVING, catalog, installed)).verdict_of_tag(tag, 8192)
    estimate = Advice(Circumstance(here(), SERVING, catalog)).numbers_of_tag(
        tag_of(catalog, "qwen3:14b"), 8192
    )
    assert estimate.tokens and plain.speed.tokens
    half = rows(catalog, "qwen3:14b", estimate.tokens / 2, context=8192, vram_share=1.0)
    advice = Advice(Circumstance(here(), SERVING, catalog, installed, measurements=half))
    assert advice.calibration is not None and advice.calibration.factor == pytest.approx(0.5)
    corrected = advice.verdict_of_tag(tag, 8192).speed
    assert corrected.tokens == pytest.approx(plain.speed.tokens / 2) and not corrected.is_measured
    assert "corrected by 1 model measured here" in corrected.basis
    what_if = Advice(
        Circumstance(here(origin=Origin.SIMULATED), SERVING, catalog, installed, measurements=half)
    )
    assert what_if.calibration is None, "a made-up machine was never measured"
    assert not what_if.verdict_of_tag(tag_of(catalog, "qwen3:14b"), 8192).speed.is_measured


def test_mends_bring_it_onto_the_gpu(catalog: Catalog) -> None:
    known = here("12GB+64GB")
    assert known.machine is not None
    advice = Advice(Circumstance(known, SERVING, catalog))
    verdict = advice.verdict_of_tag(tag_of(catalog, "qwen2.5:14b-instruct-q8_0"), 16384)
    assert verdict.fit.kind is FitKind.SPLIT
    mend = verdict.fit.parts[0].mend
    name = mend.rpartition("a smaller quantization: ")[2]
    smaller = advice.verdict_of_tag(tag_of(catalog, name), 16384)
    assert name.startswith("qwen2.5:14b-instruct-q") and smaller.fit.kind is FitKind.GPU
    shorter = Advice(Circumstance(here("24GB+64GB"), SERVING, catalog))
    verdict = shorter.verdict_of_tag(tag_of(catalog, "qwen3:32b"), 16384)
    assert "keep the KV cache as q8_0" in verdict.fit.parts[0].mend
    assert verdict.largest_context is not None and verdict.largest_context < 32768
    assert verdict.facts is not None
    assert place(verdict.facts, verdict.largest_context, SERVING, known.machine).kind is not FitKind.NO
    again = shorter.verdict_of_tag(tag_of(catalog, "qwen3:32b"), verdict.largest_context)
    assert again.fit.kind is FitKind.GPU


def test_what_is_loaded_counts_on_this_machine_only(catalog: Catalog) -> None:
    machine = here().machine
    assert machine is not None
    card = replace(machine.cards[0], free=4 * GIB, held=19 * GIB)
    full = replace(machine, cards=(card,))
    loaded = LoadedModel("gemma3:27b", "gemma3:27b", parse("gemma3:27b"), "b" * 64, vram=19 * GIB)
    facts = {"serving": SERVING, "catalog": catalog, "loaded": (loaded,)}
    tag = tag_of(catalog, "qwen3:14b")
    verdict = Advice(Circumstance(KnownMachine(full, "this machine"), **facts)).verdict_of_tag(tag, 8192)  # type: ignore[arg-type]
    assert verdict.fit.kind is FitKind.GPU
    assert verdict.fit.parts[0].mend == "unload gemma3:27b"
    itself = replace(loaded, digest=(tag.digest or "") + "0" * 52)
    facts = {**facts, "loaded": (itself,)}
    verdict = Advice(Circumstance(KnownMachine(full, "this machine"), **facts)).verdict_of_tag(tag, 8192)  # type: ignore[arg-type]
    assert verdict.fit.parts[0].mend == ""


def test_a_server_that_is_too_old_is_a_lost_part(catalog: Catalog) -> None:
    needing = next(
        series
        for series in catalog.series.values()
        if series.requires and series.default and series.default.size
    )
    assert needing.default is not None
    old = Advice(Circumstance(here(), Serving((0, 1, 0)), catalog)).verdict_of_tag(needing.default, 4096)
    assert old.fit.parts[3].points == 0
    assert old.fit.parts[3].mend.startswith("upgrade the server to 0.")


@pytest.mark.parametrize(
    ("name", "version", "least"),
    [
        ("qwen3:8b", (0, 6, 5), "0.6.6"),
        ("gemma4:e4b", (0, 1, 20), "0.20.0"),
        ("gpt-oss:20b", (0, 10, 1), "0.11.0"),
        ("llama3.3:70b", (0, 1, 20), None),
    ],
)
def test_a_server_older_than_an_architecture_does_not_run_it(
    catalog: Catalog, name: str, version: tuple[int, int, int], least: str | None
) -> None:
    """The library's pages name a version for one series in nine only."""
    tag, mine = tag_of(catalog, name), model(name, catalog)
    old = Advice(Circumstance(here(), Serving(version), catalog, (mine,)))
    for fit in (old.verdict_of_tag(tag, 4096).fit, old.verdict_of_model(mine, 4096).fit):
        assert fit.parts[3].mend == (f"upgrade the server to {least}" if least else "")
        assert fit.parts[3].points in ((0,) if least else (4, 8))
    new = Advice(Circumstance(here(), Serving((0, 24, 0)), catalog))
    assert new.numbers_of_tag(tag, 4096).points[3] == 8


def test_what_is_made_for_apple_fits_no_other_machine(catalog: Catalog) -> None:
    theirs = tag_of(catalog, "qwen3.5:27b-nvfp4")
    elsewhere = Advice(Circumstance(here("80GB+128GB"), SERVING, catalog))
    verdict, numbers = elsewhere.verdict_of_tag(theirs), elsewhere.numbers_of_tag(theirs)
    assert (verdict.fit.kind, verdict.fit.score) == (numbers.kind, numbers.score) == (FitKind.NO, 0)
    assert "macOS" in verdict.fit.parts[0].why
    assert verdict.fit.mends == ("take qwen3.5:27b, which runs everywhere",)
    mac = Advice(Circumstance(here("m2 max 64GB"), SERVING, catalog))
    assert mac.verdict_of_tag(theirs).fit.kind is mac.numbers_of_tag(theirs).kind is FitKind.GPU
    mine = model("qwen3.5:27b-nvfp4", catalog)
    runs = Advice(Circumstance(here("80GB+128GB"), SERVING, catalog, (mine,)))
    assert runs.verdict_of_model(mine).fit.kind is FitKind.GPU, "its server took it"


def test_what_other_programs_hold_is_said(catalog: Catalog) -> None:
    machine = here("rtx 3090+64GB").machine
    assert machine is not None
    tag = tag_of(catalog, "qwen3:14b")

    def mends(free: int, held: int = 0) -> tuple[str, ...]:
        card = replace(machine.cards[0], free=free, held=held)
        known = KnownMachine(replace(machine, cards=(card,)), "this machine")
        return Advice(Circumstance(known, SERVING, catalog)).verdict_of_tag(tag, 8192).fit.mends

    assert mends(4 * GIB)[0].startswith("free 21.0 GB that other programs hold on the GPU")
    assert not any("other programs" in each for each in mends(4 * GIB, held=19 * GIB))
    assert not any("other programs" in each for each in mends(machine.cards[0].free))


def test_without_a_gpu_nothing_has_to_go_for_what_fits_beside_it(catalog: Catalog) -> None:
    """Servers on processors with AMX claim VRAM for what lies in RAM, which free RAM leaves out already."""
    loaded = LoadedModel("gemma3:27b", "gemma3:27b", parse("gemma3:27b"), "b" * 64, vram=60 * GIB)
    advice = Advice(Circumstance(here("none+64GB"), SERVING, catalog, loaded=(loaded,)))
    verdict = advice.verdict_of_tag(tag_of(catalog, "qwen3:14b"), 8192)
    assert verdict.fit.kind is FitKind.CPU
    assert not any("unload" in mend for mend in verdict.fit.mends)


def test_without_a_gpu_what_is_loaded_goes_where_ram_is_short(catalog: Catalog) -> None:
    machine = replace(
        parse_hardware("none+16GB"), origin=Origin.MEASURED, ram_free=3 * GIB, ram_held=11 * GIB
    )
    tag = tag_of(catalog, "qwen3:14b")
    loaded = LoadedModel("other:7b", "other:7b", parse("other:7b"), "b" * 64, size=11 * GIB, vram=0)
    known = KnownMachine(machine, "this machine")
    verdict = Advice(Circumstance(known, SERVING, catalog, loaded=(loaded,))).verdict_of_tag(tag, 4096)
    assert verdict.fit.kind is FitKind.CPU
    assert verdict.fit.parts[0].mend == "unload other:7b"
    itself = replace(loaded, digest=(tag.digest or "") + "0" * 52)
    verdict = Advice(Circumstance(known, SERVING, catalog, loaded=(itself,))).verdict_of_tag(tag, 4096)
    assert (verdict.fit.kind, verdict.fit.parts[0].mend) == (FitKind.CPU, "")


def test_a_tag_without_eyes_is_not_for_looking(catalog: Catalog) -> None:
    advice = Advice(Circumstance(here(), SERVING, catalog))
    blind = advice.verdict_of_tag(tag_of(catalog, "gemma3:1b"), 4096, Task.VISION)
    seeing = advice.verdict_of_tag(tag_of(catalog, "gemma3:4b"), 4096, Task.VISION)
    assert (blind.fit.parts[4].points, seeing.fit.parts[4].points) == (0, 10)


def test_what_its_series_is_not_made_for_is_no_task_of_it(catalog: Catalog) -> None:
    advice = Advice(Circumstance(here(), SERVING, catalog))
    for name, task, points in (
        ("llama-guard3:8b", Task.GENERAL, 0),
        ("codellama:7b-code", Task.GENERAL, 0),
        ("codellama:7b-code", Task.CODING, 10),
        ("llama3.1:8b", Task.GENERAL, 10),
    ):
        verdict = advice.verdict_of_tag(tag_of(catalog, name), 4096, task)
        assert verdict.fit.parts[4].points == points, name
        assert advice.numbers_of_tag(tag_of(catalog, name), 4096, task).score == verdict.fit.score


def test_every_tag_of_the_catalog_is_judged(catalog: Catalog) -> None:
    advice = Advice(Circumstance(here("8GB+16GB"), SERVING, catalog))
    kinds = set()
    for tag in catalog.tags:
        numbers = advice.numbers_of_tag(tag, 16384)
        kinds.add(numbers.kind)
        assert numbers.score is None or 0 <= numbers.score <= 100
        assert numbers.tokens is None or 0 < numbers.tokens < 100_000
        assert (numbers.score == 0) == (numbers.kind is FitKind.NO)
    assert kinds >= {FitKind.GPU, FitKind.SPLIT, FitKind.NO, FitKind.UNKNOWN}


def test_a_verdict_takes_less_than_5_ms(catalog: Catalog) -> None:
    advice = Advice(Circumstance(here("12GB+64GB"), SERVING, catalog))
    tags = [tag for series in catalog.series.values() for tag in series.tags[:1] if tag.size]
    took = []
    for tag in tags:
        began = perf_counter()
        advice.verdict_of_tag(tag, 16384)
        took.append(perf_counter() - began)
    assert sorted(took)[len(took) // 2] < 0.005


def test_what_came_long_after_a_server_is_told_where_nothing_says_what_it_needs(catalog: Catalog) -> None:
    tag, mine = tag_of(catalog, "falcon3:7b"), model("falcon3:7b", catalog)
    old = Advice(Circumstance(here(), Serving((0, 1, 20)), catalog))
    part = old.verdict_of_tag(tag, 4096).fit.parts[3]
    assert part.why == "which server it needs is unknown; it came out long after 0.1.20"
    assert part.points == old.numbers_of_tag(tag, 4096).points[3] == 4
    assert old.numbers_of_tag(tag, 4096).is_younger
    there = Advice(Circumstance(here(), Serving((0, 1, 20)), catalog, (mine,)))
    assert not there.numbers_of_model(mine, 4096).is_younger, "its server took it"
    for version in ((0, 5, 4), (0, 24, 0), None):
        assert not Advice(Circumstance(here(), Serving(version), catalog)).numbers_of_tag(tag).is_younger


def test_what_is_used_is_vram_alone_for_what_lies_on_the_gpu(catalog: Catalog) -> None:
    tag = tag_of(catalog, "gemma4:e4b-it-qat")
    for hardware in ("24GB+64GB", "4GB+64GB", "none+64GB"):
        advice = Advice(Circumstance(here(hardware), SERVING, catalog))
        placed, numbers = advice.verdict_of_tag(tag, 8192).placement, advice.numbers_of_tag(tag, 8192)
        assert placed is not None and placed.ram
        on_gpu = placed.vram if numbers.kind is FitKind.GPU else placed.vram + placed.ram
        assert numbers.used == on_gpu


def test_the_disk_is_named(catalog: Catalog) -> None:
    machine = replace(parse_hardware("8GB"), disk_free=500 * 10**9, disk="/home/me", origin=Origin.MEASURED)
    advice = Advice(Circumstance(KnownMachine(machine, "this machine"), SERVING, catalog))
    part = advice.verdict_of_tag(tag_of(catalog, "qwen3:8b"), 8192).fit.parts[5]
    assert part.why.endswith("500 GB are free on the disk of /home/me")
    assert parse_hardware("24GB", machine).disk == "/home/me"
