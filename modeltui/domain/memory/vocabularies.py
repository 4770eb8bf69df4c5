"""Says how many entries a model's vocabulary has where its metadata leaves them out."""

from collections.abc import Mapping

from modeltui.domain.memory.kinds import Kind

# `tokenizer.ggml.pre` names the tokenizer, and so the number of its entries [K].
_TOKENIZERS = {
    **dict.fromkeys(("llama-bpe", "llama3", "smaug-bpe"), 128256),
    **dict.fromkeys(("tekken", "falcon3"), 131072),
    **dict.fromkeys(("glm4", "chatglm-bpe"), 151552),
    **dict.fromkeys(("smollm", "starcoder", "refact"), 49152),
    "deepseek-coder": 32256,
    "deepseek-llm": 102400,
    "deepseek-v3": 129280,
    "kimi-k2": 163840,
    "dbrx": 100352,
    "exaone": 102400,
    "minimax-m2": 200064,
    "llama4": 202048,
    "command-r": 256000,
}
# Most of those that are not named here, as of 2025.
_USUAL_BPE = 131072
_GPT4O = 200064
# Encoders of kind `bert` with XLM-RoBERTa's tokenizer, which GGUF calls t5: bge-m3 and its like [K].
_MULTILINGUAL = 250002

# Vocabularies of llama-shaped series that are not Llama's own [K].
_VOCABULARIES = (
    ("codellama", 32016),
    ("mistral-nemo", 131072),
    ("mistral-small", 131072),
    ("ministral", 131072),
    ("devstral", 131072),
    ("magistral", 131072),
    ("mistral-large", 32768),
    ("codestral", 32768),
    ("mathstral", 32768),
    ("mistral", 32768),
    ("mixtral", 32000),
    ("smollm", 49152),
    ("deepseek-coder", 32256),
    ("deepseek-llm", 102400),
    ("yi", 64000),
    ("dolphin3", 128258),
    ("llava-llama3", 128256),
    ("granite-code", 49152),
    ("granite4", 100352),
    ("stablelm2", 100352),
    ("stable", 50304),
    ("phi4-mini", 200064),
    ("phi4", 100352),
    ("phi3.5", 32064),
    ("falcon3", 131072),
    ("falcon2", 65024),
    ("exaone-deep", 102400),
    ("aya", 256000),
    ("deepseek-v2", 102400),
    ("deepseek-coder-v2", 102400),
    ("kimi", 163840),
    ("glm-5", 154880),
)


def vocabulary_of_info(info: Mapping[str, object], rules: Kind, embedding: int | None) -> int | None:
    """From `/api/show`'s `model_info`, which leaves the tokens themselves out: by the tokenizer's name, else
    the kind's rule; None where neither tells.
    """
    tokens = info.get("tokenizer.ggml.tokens")
    if isinstance(tokens, list) and tokens:
        return len(tokens)
    named = info.get("tokenizer.ggml.pre")
    if isinstance(named, str) and named in _TOKENIZERS:
        return _TOKENIZERS[named]
    if named == "qwen2" and rules.vocabulary in (None, 152064):
        return 152064 if (embedding or 0) >= 3584 else 151936
    if named == "gpt-4o" and rules.vocabulary != 201088:
        return _GPT4O
    if rules.is_encoder and info.get("tokenizer.ggml.model") == "t5":
        return _MULTILINGUAL
    if rules.vocabulary is None and info.get("tokenizer.ggml.model") == "llama":
        return 32000
    if rules.vocabulary is None and info.get("tokenizer.ggml.model") == "gpt2":
        return _USUAL_BPE
    return rules.vocabulary


def vocabulary_of_row(kind: str, series: str, embedding: int | None, rules: Kind) -> int | None:
    """Entries of a row's vocabulary, which rows do not state."""
    width = embedding or 0
    if kind in ("qwen2", "qwen25vl", "qwen2vl"):
        return 152064 if width >= 3584 else 151936
    for start, entries in sorted(_VOCABULARIES, key=lambda pair: -len(pair[0])):
        if series.startswith(start):
            return entries
    if kind == "llama":
        return 128256 if _is_llama3(series) else 32000
    return rules.vocabulary


def _is_llama3(series: str) -> bool:
    return any(
        part in series
        for part in (
            "llama3",
            "llama-3",
            "hermes3",
            "deepseek-r1",
            "tulu3",
            "nemotron",
            "reflection",
            "r1-1776",
            "cogito",
            "firefunction",
        )
    )
