"""Which GGUF architecture a row of the catalog is, and its vocabulary: rows name the Hugging Face type
instead.
"""

from collections.abc import Mapping

from modeltui.domain.kinds import Kind

# Hugging Face `model_type` to `general.architecture`, as convert_hf_to_gguf.py and Ollama's convert/ name
# them [C].
_KINDS = {
    "mistral": "llama",
    "mixtral": "llama",
    "llava_mistral": "llama",
    "llava_next": "llama",
    "llava": "llama",
    "qwen2_5_vl": "qwen25vl",
    "qwen3_moe": "qwen3moe",
    "qwen3_vl": "qwen3vl",
    "qwen3_vl_moe": "qwen3vlmoe",
    "qwen3_next": "qwen3next",
    "qwen3_5": "qwen35",
    "qwen3_5_moe": "qwen35moe",
    "gemma3_text": "gemma3",
    "gpt_oss": "gptoss",
    "phi4": "phi3",
    "phi": "phi2",
    "cohere": "command-r",
    "glm": "chatglm",
    "glm4_moe_lite": "glm4moelite",
    "glm_moe_dsa": "deepseek2",
    "granitemoehybrid": "granitehybrid",
    "deepseek_v2": "deepseek2",
    "deepseek_v3": "deepseek2",
    "deepseek_vl_v2": "deepseekocr",
    "kimi_k2": "deepseek2",
    "kimi_k25": "deepseek2",
    "solar": "solar",
    "xlm-roberta": "xlmroberta",
    "nomic_bert": "nomic-bert",
    "lfm2_moe": "lfm2moe",
    "nemotron_h": "nemotron_h_moe",
    "minimax_m2": "minimax-m2",
    "minicpmv": "qwen3",
    "olmo3": "olmo3",
}

# Series whose rows carry no type, or one of another packing, by the start of their name [K].
_SERIES = (
    ("embeddinggemma", "gemma-embedding"),
    ("gemma4", "gemma4"),
    ("gemma3n", "gemma3n"),
    ("llama4", "llama4"),
    ("laguna", "laguna"),
    ("deepseek-v2", "deepseek2"),
    ("paraphrase-multilingual", "xlmroberta"),
    ("bge-m3", "xlmroberta"),
    ("snowflake-arctic-embed", "bert"),
    ("qwen", "qwen2"),
)

# Series that Ollama packs as mistral3 (with its vision part), and the earlier text-only one as llama [K].
_MISTRAL3 = ("mistral-small3.1", "mistral-small3.2", "ministral-3", "devstral-small-2")

# Granite 4 without Mamba layers, under the same type: 350m, 1b and micro, by width [K].
_DENSE_GRANITE = (1024, 2048, 2560)

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


def kind_of_row(row: Mapping[str, object], series: str) -> str:
    """`general.architecture` of the library's files for a row; `` where neither type nor series tells."""
    named = row.get("model_type")
    if series.startswith("embeddinggemma"):
        return "gemma-embedding"
    if named in ("mistral3", "ministral3", "mistral"):
        return "mistral3" if series.startswith(_MISTRAL3) else "llama"
    if named == "phi" and series.startswith("phi4"):
        return "phi3"
    if named == "granitemoehybrid" and row.get("embedding_length") in _DENSE_GRANITE:
        return "granite"
    if isinstance(named, str) and named:
        return _KINDS.get(named, named)
    for start, kind in _SERIES:
        if series.startswith(start):
            return kind
    return ""


def row_vocabulary(kind: str, series: str, embedding: int | None, rules: Kind) -> int | None:
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
