"""The catalog that is shipped: made from its sources, merged and corrected, and every trap of them a rule.

The traps are those that would mislead a recommender; which one a test is about stands in its name.
"""

import csv
import json
import re

import build_catalog
import pytest
from catalogs import shipped

from modeltui.catalog import form, quality
from modeltui.domain.catalog.facts import facts_of
from modeltui.domain.catalog.purposes import ROLES, type_of
from modeltui.domain.catalog.series import Series, Tag
from modeltui.domain.models import ModelType

BILLION = 10**9


def found(name: str) -> tuple[Series, Tag]:
    both: tuple[Series, Tag] | None = shipped().find(name)
    assert both is not None, name
    return both


def tag_of(name: str) -> Tag:
    return found(name)[1]


def test_the_shipped_files_are_what_the_sources_make() -> None:
    """Else: python tests/catalog/build_catalog.py."""
    for name, text in (
        ("library.json", form.encode(build_catalog.catalog())),
        ("quality.json", quality.encode(build_catalog.quality_rows())),
    ):
        assert (build_catalog.SHIPPED / name).read_text(encoding="utf-8") == text, name


def test_what_is_shipped_is_whole() -> None:
    """It is read without being summed: that it has the right sum is only looked at here."""
    content = (build_catalog.SHIPPED / "library.json").read_bytes()
    assert form.decode(content, trusted=False) == shipped()


def test_all_of_the_library_is_there() -> None:
    source = json.loads((build_catalog.SOURCES / "catalog.json").read_text(encoding="utf-8"))
    assert list(shipped().series) == [model["name"] for model in source["models"]]
    assert [tag.name for tag in shipped().tags] == [
        f"{model['name']}:{tag['tag']}" for model in source["models"] for tag in model["tags"]
    ]
    assert (len(shipped().series), sum(1 for _ in shipped().tags)) == (235, 7312)
    assert shipped().as_of == "2026-08-21T22:59:52Z"
    assert next(iter(shipped().series)) == "llama3.1", "the most pulled first"


def test_every_series_has_its_row_of_facts() -> None:
    for series in shipped().series.values():
        assert series.role in ROLES, series.name
        assert series.license, series.name
        assert series.commercial in ("yes", "conditions", "no", "unknown"), series.name
        assert re.fullmatch(r"\d{4}-\d{2}", series.released or ""), series.name
        assert re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", series.updated or ""), series.name
        assert series.default is not None and series.default.tag == series.default_tag, series.name
        for other in (*series.succeeds, *series.succeeded_by):
            assert other in shipped().series, (series.name, other)
        if series.is_retired:
            assert series.succeeded_by, series.name


def test_numbers_are_numbers_and_unknown_is_none() -> None:
    for tag in shipped().tags:
        for number in (
            tag.size,
            tag.weights,
            tag.projector,
            tag.parameters,
            tag.active_parameters,
            tag.context,
        ):
            assert number is None or (type(number) is int and number > 0), tag
        assert tag.is_size_exact == (tag.weights is not None), tag
        if tag.active_parameters and tag.parameters:
            assert tag.active_parameters <= tag.parameters, tag
        assert tag.size is not None or tag.is_cloud, tag


@pytest.mark.parametrize(
    ("name", "license", "commercial"),
    [
        ("minimax-m2.7", "MiniMax non-commercial licence (MIT-style)", "no"),
        ("qwen2.5vl", "Apache-2.0 (3b: Qwen Research, 72b: Qwen License)", "conditions"),
        ("qwen2-math", "Apache-2.0 (72b: Tongyi Qianwen)", "conditions"),
        ("mistral-small", "22b: Mistral Research License; 24b: Apache-2.0", "conditions"),
    ],
)
def test_corrected_licences(name: str, license: str, commercial: str) -> None:  # noqa: A002
    series = shipped().series[name]
    assert (series.license, series.commercial) == (license, commercial)


def test_corrected_active_parameters() -> None:
    assert tag_of("lfm2.5:8b").active_parameters == 1_500_000_000
    assert tag_of("nemotron-3.5-lightning").active_parameters == 3_600_000_000


def test_what_replaced_the_names_that_left() -> None:
    for name, retired in shipped().retired.items():
        assert name not in shipped().series
        assert retired.last_seen
        assert set(retired.replaced_by) <= set(shipped().series), name
    assert len(shipped().retired) == 12
    assert shipped().retired["glm-4.6"].replaced_by == ("glm-5.2",)


# --- the traps --------------------------------------------------------------------------------------


def test_trap_1_apple_only_tags() -> None:
    apple = [tag for tag in shipped().tags if tag.is_apple_only]
    assert len(apple) == 93
    assert {tag.name for tag in apple} >= {
        "laguna-s-2.1:nvfp4",  # would look ideal on a card of 80 GB
        "qwen3.6:27b-mlx",
        "gemma4:31b-coding-mtp-bf16",
        "qwen3.5:27b-coding-bf16",
        "north-mini-code-1.0:mlx-bf16",
    }
    digests = {tag.digest for tag in apple}
    assert all(tag.is_apple_only for tag in shipped().tags if tag.digest in digests)
    assert not any(series.default and series.default.is_apple_only for series in shipped().series.values())
    assert not tag_of("qwen3-coder-next").is_apple_only, "coder is not coding"
    assert not tag_of("gpt-oss").is_apple_only, "MXFP4 is not MXFP8"


def test_trap_2_ages_are_not_release_dates() -> None:
    """`released` is the maker's month; the page's own age of the last push is kept apart from it."""
    series = shipped().series["llama3.1"]
    assert series.released == "2024-07"
    assert series.updated != series.released
    assert shipped().series["qwen3.5"].succeeds == ("qwen3", "qwen3-vl", "qwen3-next")
    assert shipped().series["qwen3"].succeeded_by == ("qwen3.5",)


def test_trap_3_pulls_run_against_generations() -> None:
    """Kept as what it is, a counter with a rank of its own; nothing may take it for quality."""
    ranks = {name: series.rank for name, series in shipped().series.items()}
    assert (ranks["llama3.1"], ranks["llama2"]) == (1, 21)
    assert (ranks["qwen3.6"] or 0) > (ranks["llama2"] or 0)
    assert shipped().series["llama2"].is_retired


def test_trap_4_chips_of_a_series_are_no_facts_of_a_tag() -> None:
    assert "vision" in shipped().series["gemma3"].capabilities
    assert "image" in tag_of("gemma3:4b").inputs
    for name in ("gemma3:1b", "gemma3:270m", "gemma3:270m-it-qat"):
        assert tag_of(name).inputs == {"text"}


def test_trap_5_missing_and_misleading_capabilities() -> None:
    assert shipped().series["ornith-1.5"].capabilities >= {"tools", "thinking", "vision"}
    for name in ("glm-ocr", "translategemma"):
        assert type_of(*found(name)) is ModelType.OTHER, name
    for name in ("qwq", "phi4-reasoning", "exaone-deep"):
        assert "thinking" not in shipped().series[name].capabilities, "the chip is missing"
        assert type_of(*found(name)) is ModelType.REASONING, "the role is not"


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("ornith:35b", 3),
        ("ornith-1.5:397b", 17),
        ("nemotron3:33b", 3),
        ("dolphin-mixtral:8x7b", 12.9),
        ("dolphin-mixtral:8x22b", 39.1),
        ("deepseek-v2:236b", 21),
        ("deepseek-v2:16b", 2.4),
        ("granite3.1-moe:3b", 0.8),
        ("granite3-moe:3b", 0.8),
        ("zephyr:141b", 39.1),
        ("gpt-oss:120b", 5.1),
    ],
)
def test_trap_6_active_parameters(name: str, billions: float) -> None:
    assert tag_of(name).active_parameters == round(billions * BILLION)


def test_trap_6_no_dense_tag_has_any_and_no_mixture_has_none() -> None:
    with (build_catalog.SOURCES / "series.csv").open(encoding="utf-8", newline="") as file:
        mixtures = {
            (row["series"], part.partition(":")[0].upper())
            for row in csv.DictReader(file)
            for part in row["active_parameters_b"].split(";")
            if part
        }
    effective = {("gemma4", "E2B"), ("gemma4", "E4B"), ("gemma3n", "E2B"), ("gemma3n", "E4B")}
    for tag in shipped().tags:
        is_mixture = (tag.series, tag.parameter_size) in mixtures | effective
        if not tag.is_cloud:
            assert (tag.active_parameters is not None) == is_mixture, tag.name
    assert len(mixtures) > 60


def test_trap_7_sizes_that_do_not_follow_parameters() -> None:
    small, large = tag_of("gemma4"), tag_of("gemma4:12b")
    assert (small.size or 0) > (large.size or 0)
    assert (small.parameters or 0) < (large.parameters or 0)
    assert tag_of("gemma3n:e4b").parameters == 6_870_000_000, "the whole file, not what is read"
    assert tag_of("gemma3n:e4b").active_parameters == 4_000_000_000


@pytest.mark.parametrize(
    "name", ["qwen3.8", "muse-glimmer", "ornith", "ornith-1.5", "devstral-2", "nemotron3", "ministral-3:8b"]
)
def test_trap_8_without_an_architecture_the_estimate_falls_back(name: str) -> None:
    facts = facts_of(*found(name))
    assert facts is not None
    assert facts.architecture is None
    assert "not in the catalog" in facts.source
    assert facts.file == tag_of(name).size


def test_trap_9_unknown_quantization_stays_unknown() -> None:
    for name in ("gemma3:4b-it-qat", "ornith-1.5:9b", "granite4:micro", "nemotron3:33b"):
        assert tag_of(name).quantization is None
    assert sum(tag.quantization is None and not tag.is_cloud for tag in shipped().tags) == 32


def test_trap_10_base_models() -> None:
    for name in (
        "llama3.1:8b-text-q4_0",
        "qwen2.5-coder:7b-base",
        "codellama:7b-code",
        "codellama:7b-python",
        "codellama:code",  # a short tag with the digest of 7b-code
        "codegemma:2b",
        "starcoder:1b",
        "starcoder2",
        "meditron",
        "falcon2",
        "yarn-llama2",
        "stable-code:3b-code",
    ):
        assert tag_of(name).is_base, name
    for name in (
        "paraphrase-multilingual:278m-mpnet-base-v2-fp16",
        "codellama",
        "codellama:7b-instruct",
        "wizardcoder:7b-python",
        "phind-codellama:34b-python",
        "starcoder2:15b-instruct",
        "granite-code:3b",
        "nomic-embed-text",
        "smollm2",
        "samantha-mistral",  # whose `text` tags are the very same model
        "samantha-mistral:7b-text",
    ):
        assert not tag_of(name).is_base, name


def test_trap_10_no_flag_of_the_source_is_lost() -> None:
    source = json.loads((build_catalog.SOURCES / "catalog.json").read_text(encoding="utf-8"))
    for model in source["models"]:
        for tag in model["tags"]:
            if tag.get("base_model") and model["name"] not in ("paraphrase-multilingual", "samantha-mistral"):
                assert tag_of(f"{model['name']}:{tag['tag']}").is_base, (model["name"], tag["tag"])


def test_trap_11_contexts_are_the_files_own() -> None:
    for name, tokens in (("command-a", 16384), ("command-r7b", 8192), ("deepseek-v2.5", 4096)):
        series, tag = found(name)
        assert tag.context == tokens
        assert any("far below" in note for note in series.notes), name
    assert {tag.context for tag in shipped().series["llava"].tags} == {4096, 32768}


def test_trap_12_default_tags() -> None:
    assert tag_of("granite4.1").tag == "3b"
    assert tag_of("ornith-1.5").tag == "9b"
    assert tag_of("qwen3:4b").digest == tag_of("qwen3:4b-thinking").digest
    cloud = [
        series.name for series in shipped().series.values() if series.default and series.default.is_cloud
    ]
    assert len(cloud) == 11
    assert all(each.is_cloud for name in cloud for each in shipped().series[name].tags)


def test_trap_13_what_is_never_a_general_recommendation() -> None:
    for name in ("llama-guard3", "shieldgemma", "glm-ocr", "translategemma", "nexusraven", "functiongemma"):
        assert type_of(*found(name)) is ModelType.OTHER, name
    for name in ("bge-m3", "qwen3-embedding", "all-minilm"):
        assert type_of(*found(name)) is ModelType.EMBEDDING, name


# --- shapes -----------------------------------------------------------------------------------------


def test_every_row_of_an_architecture_is_there() -> None:
    source = json.loads((build_catalog.SOURCES / "catalog.json").read_text(encoding="utf-8"))
    rows = sum(len(model["architectures"]) for model in source["models"])
    assert rows == 327
    assert sum(len([s for s in each.shapes if not s.only_for]) for each in shipped().series.values()) == rows
