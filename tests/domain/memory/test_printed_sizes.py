"""What servers say that a model takes, against what was recorded and read off them."""

import json
from pathlib import Path
from typing import Any

import pytest

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.machines.machine import Backend, Card
from modeltui.domain.memory import eras
from modeltui.domain.memory.architecture import Architecture, Facts
from modeltui.domain.memory.costs import costs_of
from modeltui.domain.memory.eras import Account
from modeltui.domain.memory.estimate import needs, printed
from modeltui.domain.memory.serving import KvType, Serving
from modeltui.domain.memory.shapes import architecture_of_info

RECORDED = Path(__file__).parents[2] / "data" / "recorded"
GB = 10**9
LLAMA_8B = Architecture(
    "llama",
    32,
    embedding=4096,
    heads=32,
    kv_heads=(8,) * 32,
    key_length=128,
    value_length=128,
    vocabulary=128256,
    trained_context=131072,
    has_output=True,
)
GPT_OSS_120B = Architecture(
    "gptoss",
    36,
    embedding=2880,
    heads=64,
    kv_heads=(8,) * 36,
    key_length=64,
    value_length=64,
    vocabulary=201088,
    sliding_window=128,
)


def recorded(version: str, name: str) -> Any:
    return json.loads((RECORDED / version / name).read_text(encoding="utf-8"))["json"]


@pytest.mark.parametrize(("version", "off"), [("0.24.0", 0.02), ("0.33.0-rc2", 0.1)])
def test_a_real_server_without_a_gpu(version: str, off: float) -> None:
    """The tiny model of 2 layers: 724224 bytes on 0.24.0; 0.33 adds its computing, which is fitted on large
    ones.
    """
    shape = architecture_of_info(recorded(version, "show_tools.json")["model_info"])
    files = {each["name"]: each["size"] for each in recorded(version, "tags.json")["models"]}
    loaded = next(
        each for each in recorded(version, "ps_tiny.json")["models"] if each["name"] == "tiny:latest"
    )
    numbers = tuple(int(each) for each in version.split("-")[0].split("."))
    serving = Serving(version=(numbers[0], numbers[1], numbers[2]))
    facts = Facts(files["tiny:latest"], quantization="F16", architecture=shape)
    found = printed(facts, loaded["context_length"], serving, FitKind.CPU)
    assert found == pytest.approx(loaded["size"], rel=off)


@pytest.mark.parametrize(
    ("kind", "embedding", "heads", "tokens", "mib"),
    [
        ("bert", 64, 4, 512, 4.6),
        ("bert", 384, 12, 512, 15.8),
        ("bert", 1024, 16, 512, 26.0),
        ("bert", 768, 12, 512, 19.5),
        ("bert", 768, 12, 2048, 222.0),
        ("nomic-bert", 768, 12, 512, 22.5),
        ("nomic-bert", 768, 12, 2048, 234.0),
        ("nomic-bert", 256, 4, 2048, 78.0),
    ],
)
def test_the_graph_of_an_encoder_is_what_a_real_server_allocated(
    kind: str, embedding: int, heads: int, tokens: int, mib: float
) -> None:
    """Models of random weights on 0.24.0 without a GPU, by the line "compute graph" of its log."""
    shape = Architecture(kind, 2, embedding, heads, (heads, heads), trained_context=2048)
    costs = costs_of(shape, tokens, Serving(version=(0, 24, 0)), 2048, True, False)
    assert costs.ways[0].compute / (1 << 20) == pytest.approx(mib, abs=0.0501)


@pytest.mark.parametrize(
    ("file", "kind", "embedding", "heads", "tokens", "size"),
    [
        (283_044, "bert", 64, 4, 256, 1_664_768),
        (283_044, "bert", 64, 4, 512, 5_138_176),
        (37_907_328, "nomic-bert", 768, 12, 2048, 283_388_928),
        (2_676_608, "nomic-bert", 256, 4, 2048, 84_501_504),
    ],
)
def test_an_encoder_on_a_real_server_without_a_gpu(
    file: int, kind: str, embedding: int, heads: int, tokens: int, size: int
) -> None:
    """`size` of /api/ps on 0.24.0; their embedding of 77 tokens is taken for the output once more."""
    shape = Architecture(kind, 2, embedding, heads, vocabulary=77, trained_context=2048)
    facts = Facts(file, quantization="F16", is_embedding=True, architecture=shape)
    serving = Serving(version=(0, 24, 0))
    assert printed(facts, tokens, serving, FitKind.CPU) == pytest.approx(size, rel=0.005)
    assert printed(facts, tokens, serving, FitKind.GPU) > size


@pytest.mark.parametrize(
    ("file", "embedding", "feed_forward", "vocabulary", "tied", "tokens", "size"),
    [
        (194_575_840, 1024, 3072, 32000, False, 4096, 254_826_496),
        (194_575_840, 1024, 3072, 32000, False, 16384, 370_169_856),
        (129_039_808, 1024, 3072, 32000, True, 4096, 254_826_496),
        (464_080_352, 2048, 6144, 32000, False, 4096, 551_593_984),
        (464_080_352, 2048, 6144, 32000, False, 16384, 669_034_496),
        (326_223_840, 1024, 3072, 64000, False, 16384, 501_241_856),
    ],
)
def test_qwen3_on_a_real_server_without_a_gpu(
    file: int, embedding: int, feed_forward: int, vocabulary: int, tied: bool, tokens: int, size: int
) -> None:
    """`size` of /api/ps on 0.24.0 for models of random weights and 2 layers, which its own engine runs."""
    widths: dict[str, Any] = {"key_length": 128, "value_length": 128, "feed_forward": feed_forward}
    shape = Architecture(
        "qwen3", 2, embedding, 16, (8, 8), vocabulary=vocabulary, has_output=not tied, **widths
    )
    facts = Facts(file, quantization="F16", architecture=shape)
    assert printed(facts, tokens, Serving(version=(0, 24, 0)), FitKind.CPU) == pytest.approx(size, rel=0.02)


def test_flash_attention_was_not_in_the_estimate() -> None:
    """llama3.1:8b Q8_0 at 80000 on 0.2.8 with flash attention: 23.5 GiB said, 17682 MiB used (nvidia-smi)."""
    facts = Facts(8_540_771_328, quantization="Q8_0", architecture=LLAMA_8B)
    serving = Serving(version=(0, 2, 8), flash_attention=True)
    assert printed(facts, 80000, serving, FitKind.SPLIT) / (1 << 30) == pytest.approx(23.5, abs=0.06)
    assert needs(facts, 80000, serving).total / (1 << 20) == pytest.approx(17682, rel=0.05)


def test_each_further_card_is_charged_a_graph_and_a_minimum() -> None:
    facts = Facts(4_920_753_328, quantization="Q4_K_M", architecture=LLAMA_8B)
    old = Serving(version=(0, 9, 6), flash_attention=False)
    card = Card("", 24 << 30, 24 << 30)
    one, two = (printed(facts, 8192, old, cards=(card,) * count) for count in (1, 2))
    assert two - one > 457 << 20
    metal = Card("", 24 << 30, 24 << 30, backend=Backend.METAL)
    assert printed(facts, 8192, old, cards=(metal,)) - one == (512 - 457) << 20


def test_gpt_oss_by_patch() -> None:
    """The graph of gpt-oss:120b at 8192: its estimate fell with 0.11.3 and 0.11.8, the first time by 13 GB
    on four cards (issue 11702: from 99 to 86).
    """
    facts = Facts(65_369_818_941, quantization="MXFP4", architecture=GPT_OSS_120B)
    sizes = [
        printed(facts, 8192, Serving(version=(0, 11, patch), flash_attention=True), FitKind.SPLIT)
        for patch in (0, 3, 8)
    ]
    assert sizes[0] > sizes[1] > sizes[2]
    assert 4 * (sizes[0] - sizes[1]) / GB == pytest.approx(13, abs=0.5)
    assert sizes[2] / (1 << 30) == pytest.approx(62.4, abs=0.3)


@pytest.mark.parametrize(
    ("kind", "version", "account"),
    [
        ("llama", (0, 12, 10), Account.ESTIMATE),
        ("llama", (0, 12, 11), Account.RUNNER),
        ("llama", (0, 24, 0), Account.RUNNER),
        ("llama", (0, 30, 0), Account.LOGS),
        ("gemma3", (0, 11, 10), Account.ESTIMATE),
        ("gemma3", (0, 11, 11), Account.ENGINE),
        ("gpt-oss", (0, 11, 11), Account.ENGINE),
        ("qwen3", (0, 11, 11), Account.ESTIMATE),
        ("qwen3", (0, 12, 0), Account.ENGINE),
        ("mistral3", (0, 11, 11), Account.ENGINE),
        ("nomic-bert", (0, 13, 0), Account.RUNNER),
        ("nomic-bert", (0, 13, 1), Account.ENGINE),
        ("lfm2", (0, 14, 3), Account.ENGINE),
        ("qwen35moe", (0, 17, 0), Account.RUNNER),
        ("qwen35moe", (0, 17, 1), Account.ENGINE),
        ("laguna", (0, 22, 0), Account.ENGINE),
        ("of-tomorrow", (1, 0, 0), Account.LOGS),
    ],
)
def test_who_counts(kind: str, version: tuple[int, int, int], account: Account) -> None:
    assert eras.account_of(kind, version) is account


@pytest.mark.parametrize(
    ("kind", "version", "asked", "is_on"),
    [
        ("llama", (0, 9, 0), None, False),
        ("llama", (0, 9, 0), True, True),
        ("llama", (0, 13, 3), None, False),
        ("llama", (0, 13, 4), None, True),
        ("qwen3", (0, 12, 3), None, False),
        ("qwen3", (0, 12, 4), None, True),
        ("qwen3", (0, 12, 7), False, False),
        ("mistral3", (0, 13, 2), None, True),
        ("gemma4", (0, 20, 3), None, False),
        ("gemma4", (0, 20, 4), None, True),
        ("gemma2", (0, 11, 10), True, True),
        ("gemma2", (0, 24, 0), True, False),
        ("qwen35", (0, 24, 0), None, True),
        ("qwen35", (0, 24, 0), False, False),
        ("llama", (0, 32, 0), False, False),
    ],
)
def test_flash_attention(kind: str, version: tuple[int, int, int], asked: bool | None, is_on: bool) -> None:
    assert eras.flash_attention(kind, version, asked, 128, 128, False) is is_on


def test_flash_attention_wants_equal_heads_and_no_embeddings() -> None:
    assert not eras.flash_attention("deepseek2", (0, 32, 0), None, 192, 128, False)
    assert not eras.flash_attention("qwen3", (0, 24, 0), None, 128, 128, True)
    assert eras.flash_attention("qwen3next", (0, 24, 0), None, 256, 128, False)


def test_the_old_runner_keeps_files_that_the_engine_refuses() -> None:
    """A projector of its own: `split vision models aren't supported` (NewLlamaServer, 0.24.0)."""
    shape = Architecture("gemma3", 34, embedding=2560, heads=8, kv_heads=(4,) * 34, key_length=256)
    serving = Serving(version=(0, 12, 10))
    whole, apart = (
        needs(Facts(4 * GB, architecture=shape, projector=projector), 32768, serving)
        for projector in (None, GB)
    )
    assert apart.kv > 3 * whole.kv, "no windows there"


def test_a_cache_was_never_quantized_before_0_5() -> None:
    facts = Facts(4_920_753_328, quantization="Q4_K_M", architecture=LLAMA_8B)
    asked = [
        needs(facts, 8192, Serving(version=each, kv_type=KvType.Q8_0, flash_attention=True)).kv
        for each in ((0, 4, 7), (0, 5, 0))
    ]
    assert asked == [1 << 30, (1 << 30) * 17 // 32]


@pytest.mark.parametrize(
    ("version", "many"),
    [(None, 1), ((0, 1, 48), 1), ((0, 3, 14), 4), ((0, 6, 7), 2), ((0, 9, 6), 2), ((0, 10, 0), 1)],
)
def test_requests_at_once_by_default(version: tuple[int, int, int] | None, many: int) -> None:
    assert eras.default_parallel(version) == many


def test_the_runner_quantizes_its_cache_only_when_flash_attention_is_asked_for() -> None:
    facts = Facts(4_920_753_328, quantization="Q4_K_M", architecture=LLAMA_8B)
    sizes = [
        needs(facts, 8192, Serving(version=(0, 24, 0), kv_type=KvType.Q8_0, flash_attention=asked)).kv
        for asked in (None, True)
    ]
    assert sizes[0] == 1 << 30 and sizes[1] == (1 << 30) * 17 // 32
