"""How many entries a vocabulary has, by what `/api/show` names or a catalog row is of."""

import pytest

from modeltui.domain.memory.kinds import rules_of
from modeltui.domain.memory.vocabularies import vocabulary_of_info, vocabulary_of_row


@pytest.mark.parametrize(
    ("kind", "model", "pre", "width", "entries"),
    [
        ("llama", "gpt2", "llama-bpe", 4096, 128256),
        ("llama", "llama", None, 4096, 32000),
        ("llama", "gpt2", "of-tomorrow", 4096, 131072),
        ("qwen2", "gpt2", "qwen2", 1536, 151936),
        ("qwen2", "gpt2", "qwen2", 5120, 152064),
        ("qwen35", "gpt2", "qwen35", 5120, 248320),
        ("gptoss", "gpt2", "gpt-4o", 2880, 201088),
        ("phi3", "gpt2", "gpt-4o", 3072, 200064),
        ("granite", "gpt2", "dbrx", 2560, 100352),
        ("glm4moe", "gpt2", "glm4", 4096, 151552),
        ("deepseek2", "gpt2", "deepseek-llm", 2048, 102400),
        ("deepseek2", "gpt2", "deepseek-v3", 7168, 129280),
        ("bert", "bert", None, 768, 30522),
        ("bert", "t5", None, 1024, 250002),
        ("of-tomorrow", None, None, None, None),
    ],
)
def test_by_the_tokenizer(
    kind: str, model: str | None, pre: str | None, width: int | None, entries: int | None
) -> None:
    info = {"tokenizer.ggml.model": model, "tokenizer.ggml.pre": pre, "tokenizer.ggml.tokens": None}
    assert vocabulary_of_info(info, rules_of(kind), width) == entries


def test_tokens_that_are_told_count_first() -> None:
    info = {"tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.tokens": ["a", "b", "c"]}
    assert vocabulary_of_info(info, rules_of("llama"), 4096) == 3


@pytest.mark.parametrize(
    ("kind", "series", "entries"),
    [
        ("llama", "llama2", 32000),
        ("llama", "llama3.3", 128256),
        ("llama", "mistral", 32768),
        ("llama", "mistral-nemo", 131072),
        ("granite", "granite4", 100352),
        ("granite", "granite3.3", 49159),
        ("deepseek2", "deepseek-coder-v2", 102400),
        ("deepseek2", "deepseek-r1", 129280),
    ],
)
def test_by_the_series(kind: str, series: str, entries: int) -> None:
    assert vocabulary_of_row(kind, series, 4096, rules_of(kind)) == entries
