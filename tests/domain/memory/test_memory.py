"""The estimate of memory against numbers that were read off servers, and where models are laid."""

from dataclasses import replace

import pytest

from modeltui.catalog.loading import load_base
from modeltui.domain.advice.fit import FitKind
from modeltui.domain.catalog.facts import facts_of
from modeltui.domain.catalog.series import Catalog
from modeltui.domain.machines.machine import Backend, Card, Machine
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.estimate import default_context, largest_context, needs, place, printed
from modeltui.domain.memory.serving import KvType, Serving

GB = 10**9
GIB = 1 << 30
NEW = Serving(version=(0, 32, 0))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_base(None)


def facts(catalog: Catalog, name: str) -> Facts:
    found = catalog.find(name)
    assert found is not None, name
    known = facts_of(*found)
    assert known is not None, name
    return known


def machine(*gib: float, ram: float = 64, unified: bool = False, backend: Backend = Backend.CUDA) -> Machine:
    cards = tuple(Card("card", int(each * GIB), int(each * GIB), backend=backend) for each in gib)
    return Machine(cards, int(ram * GIB), int(ram * GIB), is_unified=unified)


# The nine rows of the reference's section 8: (name, context, version, flash attention, the server's number
# in GB with what its rounding allows, the file in GB, what we say is really used). gollama was off by +21,
# +13, +81, +41, +84, 0, +131, +8, +8 % on them, llmfit by -2, -15, -6, +1, -3, -10, +59, -6, 0.
NINE = [
    ("llama3.1:8b", 8192, (0, 24, 0), False, (6.25, 6.35), 4.92, 6.82),
    ("hermes3:8b", 16384, (0, 11, 6), False, (8.373, 8.373), 4.66, 8.17),
    ("llama3.1:8b", 131072, (0, 32, 0), None, (22, 23), 4.92, 22.99),
    ("qwen3:8b", 16384, (0, 32, 0), None, (7.403, 7.403), 5.23, 7.81),
    ("qwen3:0.6b-q8_0", 40960, (0, 32, 15), None, (5.55, 5.65), 0.83, 5.93),
    ("deepseek-coder-v2:16b-lite-instruct-q5_K_M", 8192, (0, 32, 0), False, (14.32, 14.32), 12.0, 14.65),
    ("qwen3.5:27b", 65536, (0, 32, 0), None, (20, 21), 17.0, 22.81),
    ("gemma3:27b", 8192, (0, 7, 0), False, (21.55, 21.65), 17.4, 20.82),
    ("qwen2.5:32b", 4096, (0, 24, 0), None, (20, 21), 19.85, 21.12),
]


@pytest.mark.parametrize(("name", "context", "version", "flash", "server", "file", "ours"), NINE)
def test_the_nine_rows(
    catalog: Catalog,
    name: str,
    context: int,
    version: tuple[int, int, int],
    flash: bool | None,
    server: tuple[float, float],
    file: float,
    ours: float,
) -> None:
    known = replace(facts(catalog, name), trained_context=None)
    found = needs(known, context, Serving(version=version, flash_attention=flash))
    assert known.file / GB == pytest.approx(file, rel=0.01)
    low, high = server
    assert low * 0.98 <= found.printed / GB <= high * 1.02
    assert found.total / GB == pytest.approx(ours, rel=0.01)
    assert found.low <= found.total <= found.high
    assert found.total + found.embedding_in_ram >= known.file


def test_parts_add_up_to_what_is_used(catalog: Catalog) -> None:
    for name in ("llama3.1:8b", "gemma3:27b", "qwen3.5:27b", "llava:7b", "nomic-embed-text:latest"):
        found = needs(facts(catalog, name), 8192, NEW)
        parts = (found.weights, found.kv, found.state, found.compute, found.projector, found.overhead)
        assert sum(parts) == found.total, name


def test_the_wrong_number_of_a_server_is_kept_apart(catalog: Catalog) -> None:
    """gemma4:31b at 262144: 0.30 prints 22-23 GB and overwrites one of two caches; 0.24 printed about 45."""
    found = needs(facts(catalog, "gemma4:31b"), 262144, NEW)
    assert 22 * GB <= found.printed <= 24 * GB
    assert found.total > 40 * GB


def test_kv_types_have_their_real_bytes(catalog: Catalog) -> None:
    """The sweep of llama3.2:3b at 4096 in the reference: 448, 238 and 126 MiB for both K and V."""
    known = facts(catalog, "llama3.2:3b")
    sizes = [needs(known, 4096, replace(NEW, kv_type=kind)).kv for kind in KvType]
    assert sizes == [448 << 20, 238 << 20, 126 << 20]


def test_a_quantized_cache_needs_flash_attention(catalog: Catalog) -> None:
    known = facts(catalog, "llama3.2:3b")
    asked = replace(NEW, kv_type=KvType.Q8_0, flash_attention=False)
    assert needs(known, 4096, asked).kv == needs(known, 4096, NEW).kv
    assert any("needs flash attention" in each for each in needs(known, 4096, asked).assumptions)


@pytest.mark.parametrize(
    ("version", "compute", "is_on"),
    [
        ((0, 32, 0), (5, 2), False),
        ((0, 32, 0), (6, 1), True),
        ((0, 31, 1), (6, 1), False),
        ((0, 24, 0), (6, 1), True),
        ((0, 24, 0), (7, 2), False),
    ],
)
def test_old_cards_have_no_flash_attention(
    catalog: Catalog, version: tuple[int, int, int], compute: tuple[int, int], is_on: bool
) -> None:
    known = facts(catalog, "qwen3:8b")
    old, new = (Card("card", 24 * GIB, 24 * GIB, compute=each) for each in (compute, (8, 6)))
    taken, usual = (needs(known, 32768, Serving(version=version), (card,)).compute for card in (old, new))
    assert (taken == usual) is is_on
    assert is_on or taken > 2 * usual


def test_llama_server_leaves_a_gib_of_each_card_free(catalog: Catalog) -> None:
    """fit_params_target of llama.cpp: 1024 MiB; earlier servers left 457 for what a driver takes."""
    known = facts(catalog, "llama3.1:8b")
    for serving, margin in ((NEW, 1024 << 20), (Serving(version=(0, 24, 0)), 157 << 20)):
        least = needs(known, 4096, serving).total + margin
        kinds = [
            place(known, 4096, serving, Machine((Card("card", 24 * GIB, free),), 64 * GIB, 64 * GIB)).kind
            for free in (least - 1, least)
        ]
        assert kinds == [FitKind.SPLIT, FitKind.GPU]


def test_what_sees_works_within_the_margin(catalog: Catalog) -> None:
    """The server asks for the projector and 1 GiB, not for the margin once more (mmprojFitTargetMiB)."""
    known = facts(catalog, "gemma3:4b")
    found = needs(known, 4096, NEW)
    assert found.projector > 1 << 30
    card = Card("card", 24 * GIB, found.total)
    assert place(known, 4096, NEW, Machine((card,), 64 * GIB, 64 * GIB)).kind is FitKind.GPU


def test_every_parallel_request_has_its_cache(catalog: Catalog) -> None:
    """gemma3:12b-it-q8_0 at 40000 on 0.9.0: 19, 24 and 37 GB for 1, 2 and 5 at once."""
    known = facts(catalog, "gemma3:12b-it-q8_0")
    served = [Serving(version=(0, 9, 0), num_parallel=many, flash_attention=False) for many in (1, 2, 5)]
    sizes = [printed(known, 40000, each) / GB for each in served]
    for size, expected in zip(sizes, (19.5, 24.5, 37.5), strict=True):
        assert size == pytest.approx(expected, rel=0.04)


def test_some_models_take_one_request_at_once(catalog: Catalog) -> None:
    known = facts(catalog, "qwen3.5:27b")
    found = needs(known, 8192, replace(NEW, num_parallel=4))
    assert found.kv == needs(known, 8192, NEW).kv
    assert any("one request at once, whatever" in each for each in found.assumptions)


def test_a_mixture_needs_all_its_experts(catalog: Catalog) -> None:
    """qwen3:30b on 24 GB: another tool said 15.6 GB beside a file of 20.8; gpt-oss:20b on 8 GB: 1.99 GB."""
    known = facts(catalog, "qwen3:30b")
    placed = place(known, 8192, NEW, machine(24))
    assert placed.kind is FitKind.GPU
    assert placed.vram + placed.ram >= known.file
    assert placed.gpu_bytes_read < known.file // 4
    small = facts(catalog, "gpt-oss:20b")
    split = place(small, 8192, NEW, machine(8))
    assert split.kind is FitKind.SPLIT
    assert split.vram <= 8 * GIB and split.vram + split.ram >= small.file


def test_a_split_is_counted_by_layers(catalog: Catalog) -> None:
    known = facts(catalog, "llama3.3:70b")
    eight, twenty_four = (place(known, 8192, NEW, machine(each)) for each in (8, 24))
    assert eight.kind is twenty_four.kind is FitKind.SPLIT
    assert 0 < eight.layers_on_gpu < twenty_four.layers_on_gpu < eight.layers == 81
    assert eight.headroom < twenty_four.headroom < 0
    assert eight.ram > twenty_four.ram
    assert eight.gpu_bytes_read < twenty_four.gpu_bytes_read


def test_several_cards_share_a_model_and_each_pays_its_overhead(catalog: Catalog) -> None:
    known = facts(catalog, "llama3.3:70b")
    placed = place(known, 8192, NEW, machine(24, 24))
    assert placed.kind is FitKind.GPU
    assert all(0 < taken <= 24 * GIB for taken in placed.by_card)
    assert placed.needs.overhead == 2 * place(known, 8192, NEW, machine(24)).needs.overhead
    small = place(facts(catalog, "llama3.1:8b"), 8192, NEW, machine(12, 24))
    assert small.by_card[0] == 0, "one card is enough: the one with more room"
    uneven = place(known, 8192, NEW, machine(24, 2, 24))
    assert uneven.kind is FitKind.GPU and uneven.by_card[1] == 0


def test_no_gpu_and_too_little_ram(catalog: Catalog) -> None:
    known = facts(catalog, "llama3.1:8b")
    assert place(known, 8192, NEW, machine(ram=16)).kind is FitKind.CPU
    tight = place(known, 8192, NEW, machine(ram=4))
    assert tight.kind is FitKind.NO and tight.headroom < 0
    assert place(known, 8192, NEW, machine(4, ram=1)).kind is FitKind.NO


def test_what_is_lacking_is_what_neither_ram_nor_a_card_has_room_for(catalog: Catalog) -> None:
    known = facts(catalog, "qwen3:32b")
    alone, beside = (place(known, 4096, NEW, machine(*cards, ram=4)) for cards in ((), (8,)))
    assert (alone.kind, beside.kind) == (FitKind.NO, FitKind.NO)
    assert 6 * GIB < beside.headroom - alone.headroom < 7 * GIB, "8 GiB but for driver, margin and work"


def test_unified_memory_is_counted_once(catalog: Catalog) -> None:
    known = facts(catalog, "qwen2.5:32b")
    mac = machine(32, ram=24, unified=True, backend=Backend.METAL)
    assert place(known, 4096, NEW, mac).kind is FitKind.GPU
    assert (
        place(known, 4096, NEW, machine(32, ram=18, unified=True, backend=Backend.METAL)).kind is FitKind.NO
    )


def test_what_the_server_itself_holds_is_room(catalog: Catalog) -> None:
    known = facts(catalog, "llama3.1:8b")
    busy = Machine((Card("card", 12 * GIB, 2 * GIB, held=9 * GIB),), 16 * GIB, 16 * GIB)
    taken = Machine((Card("card", 12 * GIB, 2 * GIB),), 16 * GIB, 16 * GIB)
    assert place(known, 8192, NEW, busy).kind is FitKind.GPU
    assert place(known, 8192, NEW, taken).kind is FitKind.SPLIT
    kept = Serving(version=(0, 24, 0), gpu_overhead=6 * GIB)
    assert place(known, 8192, kept, busy).kind is FitKind.SPLIT
    told = place(known, 8192, replace(kept, version=(0, 30, 0)), busy)
    assert told.kind is FitKind.GPU, "not told of it"
    assert any("6.44 GB of GPU overhead move no layers" in each for each in told.needs.assumptions)
    assert not any("overhead" in each for each in place(known, 8192, kept, busy).needs.assumptions)


def test_the_largest_context_is_the_last_that_fits(catalog: Catalog) -> None:
    known = facts(catalog, "llama3.1:8b")
    room = machine(12)
    largest = largest_context(known, NEW, room)
    assert largest is not None and largest % 256 == 0
    assert place(known, largest, NEW, room).kind is FitKind.GPU
    assert place(known, largest + 256, NEW, room).kind is not FitKind.GPU
    assert largest_context(known, NEW, machine(80)) == known.trained_context
    assert largest_context(known, NEW, machine(2)) is None
    on_cpu = largest_context(known, NEW, machine(2), FitKind.CPU)
    assert on_cpu == known.trained_context


@pytest.mark.parametrize(
    ("version", "gib", "expected"),
    [
        ((0, 5, 0), 80, 2048),
        ((0, 6, 6), 80, 2048),
        ((0, 6, 7), 80, 4096),
        ((0, 15, 4), 80, 4096),
        ((0, 15, 5), 80, 131072),
        ((0, 32, 0), 24, 32768),
        ((0, 32, 0), 22, 4096),
        (None, 80, 131072),
    ],
)
def test_default_contexts(
    catalog: Catalog, version: tuple[int, int, int] | None, gib: int, expected: int
) -> None:
    assert default_context(facts(catalog, "llama3.1:8b"), Serving(version=version), machine(gib)) == expected


def test_default_contexts_that_are_set_or_floored(catalog: Catalog) -> None:
    known = facts(catalog, "llama3.1:8b")
    assert default_context(known, replace(NEW, default_context=8192), machine(80)) == 8192
    assert default_context(known, replace(NEW, gpu_overhead=2 * GIB), machine(24)) == 4096
    assert default_context(known, NEW, machine()) == 4096
    assert default_context(facts(catalog, "gpt-oss:20b"), Serving(version=(0, 11, 8)), machine(24)) == 8192
    assert default_context(facts(catalog, "all-minilm:latest"), NEW, machine(80)) == 512


def test_a_context_above_the_models_own_is_cut_as_the_server_does(catalog: Catalog) -> None:
    """tinyllama on 0.10 and later: 2048 tokens whatever is asked; 0.9.0 to 0.9.2 did not cut."""
    known = facts(catalog, "tinyllama:1.1b")
    assert needs(known, 32768, NEW).context == 2048
    assert needs(known, 4096, Serving(version=(0, 9, 0))).context == 4096


def test_a_model_of_which_only_the_size_is_known_says_so() -> None:
    known = Facts(9 * GB, is_size_exact=False)
    found = needs(known, 8192, Serving())
    assert found.low < found.total * 0.93 and found.high > found.total * 1.2
    words = " ".join(found.assumptions)
    assert "guessed from its size" in words and "two digits" in words and "version is not known" in words


def test_gemmas_embeddings_for_every_layer(catalog: Catalog) -> None:
    """Ollama keeps them at 16 bit, and a card takes them: it recommends 12 GB of VRAM for gemma4 (e4b).
    Google's own quantized files have them in Q6_K, which CUDA cannot look up: they stay in RAM. A token
    reads a row of them.
    """
    for name, effective in (("gemma4:e4b", 4.5e9), ("gemma4:e2b", 2.3e9), ("gemma3n:e4b", 4e9)):
        own = facts(catalog, name)
        placed = place(own, 8192, NEW, machine(24))
        assert placed.needs.weights > 0.8 * own.file - placed.needs.projector, name
        bits = 8 * placed.gpu_bytes_read / effective
        assert 4.3 < bits < 7, (name, bits)
    assert 8.5 * GB < needs(facts(catalog, "gemma4:e4b"), 8192, NEW).total < 12 * GB
    for name, effective in (("gemma4:e4b-it-qat", 4.5e9), ("gemma4:e2b-it-qat", 2.3e9)):
        placed = place(facts(catalog, name), 8192, NEW, machine(24))
        assert 4 < 8 * placed.needs.weights / effective < 6.5, name
        assert placed.needs.embedding_in_ram > 1.8 * GB
        assert placed.gpu_bytes_read == placed.needs.weights


def test_what_images_cost(catalog: Catalog) -> None:
    """qwen2.5vl:7b at 8192 on 0.30: its author saw 8.4 GB used, 5.9 printed."""
    found = needs(facts(catalog, "qwen2.5vl:7b"), 8192, NEW)
    assert found.low < 8.4 * GB < found.high * 1.03
    assert found.printed < found.total - 2 * GB
    assert any("images" in each for each in found.assumptions)


def test_absurd_shapes_have_a_number() -> None:
    shapes = (
        Architecture("", 0),
        Architecture("of-tomorrow", 10**9, embedding=1, heads=10**6),
        Architecture("llama", 1, embedding=10**12, heads=1, kv_heads=(10**6,), key_length=10**6),
        Architecture("gemma3", 3, kv_heads=(1,)),
    )
    rooms = (machine(0), machine(0, 0, ram=0), Machine((Card("", -5, -7),), -1, -1))
    for each in shapes:
        for context in (0, -1, 10**30):
            for room in rooms:
                placed = place(Facts(10 * GB, architecture=each), context, NEW, room)
                assert placed.kind in (FitKind.CPU, FitKind.NO)
    assert place(Facts(0), 4096, NEW, machine(24)).kind is FitKind.GPU


def test_ram_that_the_server_would_give_back_is_room(catalog: Catalog) -> None:
    """Without a GPU a server keeps weights in memory of its own, which must not count against them."""
    known, bare = facts(catalog, "llama3.1:8b"), Machine((), 16 * GIB, 4 * GIB)
    assert place(known, 4096, NEW, bare).kind is FitKind.NO
    assert place(known, 4096, NEW, replace(bare, ram_held=6 * GIB)).kind is FitKind.CPU
    assert place(known, 4096, NEW, replace(bare, ram_held=60 * GIB)).headroom <= 16 * GIB
