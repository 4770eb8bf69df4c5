"""Fits and speeds that a well-known tool was seen to get wrong (2.6 in its study), done right by number."""

from dataclasses import replace

import pytest

from modeltui.catalog.loading import load_base
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.advice.verdict import Verdict
from modeltui.domain.catalog.series import Catalog
from modeltui.domain.machines.machine import KnownMachine
from modeltui.domain.machines.typedhardware import parse_hardware
from modeltui.domain.memory.serving import KvType, Serving
from modeltui.domain.models import LoadedModel
from modeltui.services.advice import Advice, Circumstance

GB = 10**9
GIB = 1 << 30
SERVING = Serving((0, 32, 0))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_base()


def verdict(
    catalog: Catalog, hardware: str, name: str, context: int = 8192, serving: Serving = SERVING
) -> Verdict:
    found = catalog.find(name)
    assert found is not None, name
    known = KnownMachine(parse_hardware(hardware), "simulated")
    return Advice(Circumstance(known, serving, catalog)).verdict_of_tag(found[1], context)


def test_2_a_smaller_card_never_scores_higher(catalog: Catalog) -> None:
    """gemma-3-27b: 81.6 on 8 GB, 75.5 on 24 GB there."""
    scores = [verdict(catalog, f"{gib}GB+64GB", "gemma3:27b").fit.score or 0 for gib in (8, 12, 16, 24, 48)]
    assert scores == sorted(scores) and scores[0] < scores[3] - 20


def test_3_a_split_adds_vram_and_ram_and_gains_by_more_vram(catalog: Catalog) -> None:
    """Llama 3.3 70B: 1.6 tokens/s and 51 of 57.6 GB with 8 GB of VRAM and with 24 GB alike there."""
    small, large = (verdict(catalog, f"{gib}GB+64GB", "llama3.3:70b") for gib in (8, 24))
    assert small.placement is not None and large.placement is not None
    assert small.fit.kind is large.fit.kind is FitKind.SPLIT
    assert large.placement.layers_on_gpu > 2 * small.placement.layers_on_gpu
    assert large.speed.tokens and small.speed.tokens and large.speed.tokens > 1.4 * small.speed.tokens
    for each in (small, large):
        assert each.placement is not None
        assert each.placement.vram + each.placement.ram > 42.5 * GB, "never less than the file"


def test_3_vram_and_ram_together_hold_what_neither_holds_alone(catalog: Catalog) -> None:
    both = verdict(catalog, "24GB+32GB", "llama3.3:70b")
    assert both.fit.kind is FitKind.SPLIT
    assert verdict(catalog, "none+32GB", "llama3.3:70b").fit.kind is FitKind.NO


def test_4_memory_is_that_of_the_file_that_is_shown(catalog: Catalog) -> None:
    """Qwen3-30B-A3B: Q5_K_M of 20.8 GB on disk and 15.6 GB in memory there; 1,575 mixtures alike."""
    sizes = []
    for quantization in ("q4_K_M", "q8_0", "fp16"):
        found = verdict(catalog, "80GB+64GB", f"qwen3:30b-a3b-{quantization}")
        assert found.placement is not None and found.facts is not None
        used = found.placement.vram + found.placement.ram
        assert used > found.facts.file > 18 * GB
        sizes.append(found.facts.file)
    assert sizes == sorted(sizes)
    mixtures = [tag for tag in catalog.tags if tag.active_parameters and tag.size and not tag.is_cloud]
    assert len(mixtures) > 300
    known = KnownMachine(parse_hardware("24GB+512GB"), "simulated")
    advice = Advice(Circumstance(known, SERVING, catalog))
    for tag in mixtures:
        placement = advice.verdict_of_tag(tag, 4096).placement
        if placement is not None and placement.kind is not FitKind.NO:
            assert placement.vram + placement.ram >= (tag.size or 0), tag.name


def test_5_a_mixture_that_does_not_fit_is_not_called_good(catalog: Catalog) -> None:
    """gpt-oss-20b on 8 GB: "MoE Good, 1.99 of 8 GB" with a usable context of 0 there."""
    found = verdict(catalog, "8GB+32GB", "gpt-oss:20b")
    assert found.fit.kind is FitKind.SPLIT and found.placement is not None
    assert found.placement.vram + found.placement.ram >= 13.5 * GB
    assert found.largest_context is None, "at no context does it lie wholly on the GPU"
    assert found.facts is not None and found.facts.quantization == "MXFP4"


def test_6_a_useful_quantization_in_part_beats_a_coarse_one_on_the_gpu(catalog: Catalog) -> None:
    """Qwen2.5-14B on 8 GB: Q2_K was taken there rather than Q4 of which a part lies in RAM.

    Here both are judged as they are: the fit says which lies where, the recommendation weighs quality.
    """
    q4 = verdict(catalog, "8GB+32GB", "qwen2.5:14b-instruct-q4_K_M", 4096)
    q2 = verdict(catalog, "8GB+32GB", "qwen2.5:14b-instruct-q2_K", 4096)
    assert (q4.fit.kind, q2.fit.kind) == (FitKind.SPLIT, FitKind.GPU)
    assert q4.speed.tokens is not None and q4.speed.tokens > 5, "still usable"
    assert q4.placement is not None and q4.placement.layers_on_gpu / q4.placement.layers > 0.6


def test_7_free_vram_counts_and_what_else_is_loaded(catalog: Catalog) -> None:
    """Total VRAM was taken there, whatever else was loaded."""
    machine = parse_hardware("rtx 3090+64GB")
    card = machine.cards[0]
    found = catalog.find("qwen3:14b")
    assert found is not None

    def judged(free: int, held: int, loaded: tuple[LoadedModel, ...] = ()) -> Verdict:
        taken = replace(machine, cards=(replace(card, free=free, held=held),))
        known = KnownMachine(replace(taken, origin=taken.origin.MEASURED), "this machine")
        return Advice(Circumstance(known, SERVING, catalog, loaded=loaded)).verdict_of_tag(found[1], 8192)

    others = LoadedModel("a:1b", "a:1b", digest="f" * 64, vram=18 * GIB)
    assert judged(23 * GIB, 0).fit.kind is FitKind.GPU
    assert judged(5 * GIB, 0).fit.kind is FitKind.SPLIT, "another program holds the rest"
    beside = judged(5 * GIB, 18 * GIB, (others,))
    assert beside.fit.kind is FitKind.GPU, "this server's own models give way"
    assert beside.fit.mends == ("unload a:1b",)


def test_7_parallel_requests_and_the_kv_type_count(catalog: Catalog) -> None:
    needs = {
        serving: each.placement.needs.total
        for serving in (
            SERVING,
            replace(SERVING, num_parallel=4),
            replace(SERVING, kv_type=KvType.Q8_0),
        )
        if (each := verdict(catalog, "48GB+64GB", "qwen3:14b", 16384, serving)).placement is not None
    }
    plain, parallel, halved = needs.values()
    assert parallel > plain + 2 * GB
    assert halved < plain - 1 * GB


@pytest.mark.parametrize(
    ("name", "context", "all_layers", "most"),
    [
        ("gemma3:27b", 131072, 2 * 62 * 16 * 128 * 2 * 131072, 0.25),  # 52 of 62 layers see a window
        ("qwen3.5:27b", 65536, 2 * 64 * 4 * 256 * 2 * 65536, 0.26),  # 16 of 64 keep a cache
        ("glm-4.7-flash:latest", 65536, 2 * 47 * 20 * 256 * 2 * 65536, 0.12),  # a latent vector, not 20 heads
    ],
)
def test_8_not_every_layer_keeps_every_token(
    catalog: Catalog, name: str, context: int, all_layers: int, most: float
) -> None:
    """The cache was counted for all layers and heads there: windows, hybrids and latent attention too."""
    found = verdict(catalog, "80GB+64GB", name, context)
    assert found.placement is not None
    assert 0 < found.placement.needs.kv <= most * all_layers


def test_9_speed_and_memory_count_the_bytes_of_one_file(catalog: Catalog) -> None:
    """Two tables of bytes a weight differed there (Q4 0.5 and 0.58, Q2 0.25 and 0.37)."""
    paces = []
    for quantization in ("q2_K", "q4_K_M", "q8_0"):
        found = verdict(catalog, "rtx 4090+64GB", f"llama3.1:8b-instruct-{quantization}")
        assert found.placement is not None and found.facts is not None
        assert found.placement.gpu_bytes_read == pytest.approx(found.placement.needs.weights, rel=0.01)
        assert found.placement.needs.weights > 0.9 * found.facts.file
        paces.append(found.speed.tokens or 0)
    assert paces == sorted(paces, reverse=True)


def test_11_the_default_context_goes_by_version_and_by_vram(catalog: Catalog) -> None:
    """8192 was taken as Ollama's default there, on any machine."""
    found = catalog.find("qwen3:30b")
    assert found is not None

    def default(hardware: str, version: tuple[int, int, int]) -> int:
        known = KnownMachine(parse_hardware(hardware), "simulated")
        return Advice(Circumstance(known, Serving(version), catalog)).verdict_of_tag(found[1]).context

    assert default("8GB+64GB", (0, 32, 0)) == 4096
    assert default("24GB+64GB", (0, 32, 0)) == 32768
    assert default("2x24GB+64GB", (0, 32, 0)) == 262144
    assert default("2x24GB+64GB", (0, 12, 0)) == 4096
    assert default("24GB+64GB", (0, 5, 0)) == 2048
