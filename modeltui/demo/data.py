"""The made-up models of the demonstration: what is installed at the start and what can be pulled."""

from dataclasses import replace

from modeltui.demo.library import DemoModel, Library

_CHAT = "{{- range .Messages }}<|{{ .Role }}|>\n{{ .Content }}<|end|>\n{{- end }}<|assistant|>\n"
_TOOLS = "{{- if .Tools }}# Tools\n{{ .Tools }}\n{{- end }}" + _CHAT
_MIT = "MIT License\n\nCopyright (c) the demonstration\n\nPermission is hereby granted, free of charge, ..."
_APACHE = "Apache License\nVersion 2.0, January 2004\nhttp://www.apache.org/licenses/\n\nTERMS ..."
_TOOL_USER = ("completion", "tools", "thinking")
_SEES = ("completion", "vision")
_DAY = 24.0

_LLAMA_3B = DemoModel(
    "llama3.2:3b",
    "llama3.2 3b q4",
    2_019_377_376,
    "llama",
    3_212_749_888,
    "Q4_K_M",
    131_072,
    3072,
    28,
    24,
    8,
    head_length=128,
    vocabulary=128_256,
    capabilities=("completion", "tools"),
    template=_TOOLS,
    licence="LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\nLlama 3.2 Version Release Date: September 25, 2024\n...",
    params={"stop": ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]},
    hours=40 * _DAY,
)
_QWEN_8B = DemoModel(
    "qwen3:8b",
    "qwen3 8b q4",
    5_225_374_432,
    "qwen3",
    8_190_735_360,
    "Q4_K_M",
    40_960,
    4096,
    36,
    32,
    8,
    head_length=128,
    vocabulary=151_936,
    capabilities=_TOOL_USER,
    template=_TOOLS,
    licence=_APACHE,
    params={"repeat_penalty": 1, "stop": ["<|im_start|>", "<|im_end|>"], "temperature": 0.6, "top_k": 20},
    hours=12 * _DAY,
)
_QWEN_27B = replace(
    _QWEN_8B,
    name="qwen3.5:27b",
    weights="qwen3.5 27b q4",
    size=17_420_416_000,
    parameters=27_782_000_000,
    context=262_144,
    embedding=5120,
    blocks=64,
    heads=40,
    capabilities=(*_TOOL_USER, "vision"),
    projector=931_145_984,
    hours=3 * _DAY,
)
_GEMMA_12B = DemoModel(
    "gemma3:12b",
    "gemma3 12b q4",
    7_300_575_648,
    "gemma3",
    12_187_325_040,
    "Q4_K_M",
    131_072,
    3840,
    48,
    16,
    8,
    head_length=256,
    sliding_window=1024,
    vocabulary=262_208,
    capabilities=_SEES,
    template=_CHAT,
    licence="Gemma Terms of Use\n\nLast modified: February 21, 2024\n...",
    params={"stop": ["<end_of_turn>"], "temperature": 1, "top_k": 64, "top_p": 0.95},
    projector=854_200_224,
    hours=20 * _DAY,
)
_EMBEDDER = DemoModel(
    "nomic-embed-text:latest",
    "nomic embed text f16",
    274_290_656,
    "bert",
    136_727_040,
    "F16",
    2048,
    768,
    12,
    12,
    12,
    vocabulary=30_522,
    capabilities=("embedding",),
    licence=_APACHE,
    params={"num_ctx": 8192},
    hours=90 * _DAY,
)
_CODER = replace(
    _QWEN_8B,
    name="qwen2.5-coder:7b",
    weights="qwen2.5 coder 7b q4",
    size=4_683_073_184,
    architecture="qwen2",
    parameters=7_615_616_512,
    context=32_768,
    embedding=3584,
    blocks=28,
    heads=28,
    heads_kv=4,
    capabilities=("completion", "tools", "insert"),
    hours=60 * _DAY,
)
_OSS_20B = DemoModel(
    "gpt-oss:20b",
    "gpt-oss 20b mxfp4",
    13_780_154_624,
    "gptoss",
    20_914_757_184,
    "MXFP4",
    131_072,
    2880,
    24,
    64,
    8,
    head_length=64,
    sliding_window=128,
    experts=32,
    vocabulary=201_088,
    capabilities=_TOOL_USER,
    template=_TOOLS,
    licence=_APACHE,
    params={"temperature": 1},
    hours=5 * _DAY,
)
_HF_MISTRAL = DemoModel(
    "hf.co/bartowski/Mistral-7B-Instruct-v0.3-GGUF:Q4_K_M",
    "mistral 7b v0.3 q4",
    4_372_812_000,
    "llama",
    7_248_023_552,
    "unknown",
    32_768,
    4096,
    32,
    32,
    8,
    vocabulary=32_768,
    template="[INST] {{ .Prompt }} [/INST]",
    params={"stop": ["[INST]", "[/INST]"]},
    hours=30 * _DAY,
)
_CLOUD = DemoModel(
    "gpt-oss:120b-cloud",
    size=0,
    architecture="gptoss",
    parameters=116_829_156_672,
    quantization="MXFP4",
    context=131_072,
    embedding=2880,
    capabilities=_TOOL_USER,
    remote_host="https://ollama.com:443",
    remote_model="gpt-oss:120b",
    hours=8 * _DAY,
)
_DAMAGED = replace(
    _LLAMA_3B,
    name="phi4-mini:3.8b",
    weights="phi4 mini q4",
    size=2_491_876_672,
    architecture="phi3",
    parameters=3_836_021_856,
    embedding=3072,
    blocks=32,
    licence=_MIT,
    hours=15 * _DAY,
)
_TINY = DemoModel("tiny-demo:latest", "tiny demo f16", 2_000_000, parameters=1_000_000, quantization="F16")


def _sized(name: str, like: DemoModel, gigabytes: float, billions: float, hours: float = 50.0) -> DemoModel:
    """Return a model like another, of another size (decimal GB) and number of parameters (billions)."""
    return replace(
        like,
        name=name,
        weights=name,
        size=int(gigabytes * 1_000_000_000),
        parameters=int(billions * 1_000_000_000),
        hours=hours,
    )


def default_library() -> Library:
    """Return a new library: twelve names installed, some 25 at the registry."""
    reviewer = replace(
        _QWEN_8B,
        name="code-reviewer:latest",
        system="You review code. Be brief, name the line, say what would break.",
        params={**(_QWEN_8B.params or {}), "num_ctx": 16_384},
        parent="qwen3:8b",
        hours=2 * _DAY,
    )
    installed = (
        _LLAMA_3B,
        replace(_LLAMA_3B, name="assistant:latest", hours=1.0),
        _QWEN_8B,
        reviewer,
        _QWEN_27B,
        _GEMMA_12B,
        _EMBEDDER,
        _CODER,
        _OSS_20B,
        _HF_MISTRAL,
        _CLOUD,
        _DAMAGED,
    )
    # At the registry gemma3 has a newer template and nomic-embed-text new weights; the rest is as installed.
    newer_gemma = replace(_GEMMA_12B, template=_CHAT + "{{ .Suffix }}", hours=6.0)
    newer_embedder = replace(_EMBEDDER, weights="nomic embed text v1.6 f16", hours=3 * _DAY)
    available = (
        *(replace(model, hours=model.hours + _DAY) for model in (_LLAMA_3B, _QWEN_8B, _QWEN_27B)),
        *(replace(model, hours=model.hours + _DAY) for model in (_CODER, _OSS_20B, _HF_MISTRAL, _DAMAGED)),
        newer_gemma,
        newer_embedder,
        replace(_LLAMA_3B, name="llama3.2:latest"),
        _TINY,
        replace(_EMBEDDER, name="all-minilm:latest", weights="all-minilm", size=307_000_000, context=512),
        _sized("qwen3:0.6b", _QWEN_8B, 0.523, 0.752),
        _sized("qwen3:1.7b", _QWEN_8B, 1.36, 2.03),
        _sized("qwen3:4b", _QWEN_8B, 2.49, 4.02),
        _sized("qwen3:14b", _QWEN_8B, 9.27, 14.77),
        _sized("qwen3:32b", _QWEN_8B, 20.2, 32.76),
        _sized("gemma3:4b", _GEMMA_12B, 3.34, 4.3),
        _sized("gemma3:27b", _GEMMA_12B, 17.4, 27.4),
        _sized("llama3.1:8b", _LLAMA_3B, 4.92, 8.03),
        replace(_sized("llama3.1:latest", _LLAMA_3B, 4.92, 8.03), weights="llama3.1:8b"),
        _sized("llama3.3:70b", _LLAMA_3B, 40.0, 70.55),
        _sized("mistral-small:24b", _LLAMA_3B, 14.33, 23.57),
        _sized("deepseek-r1:8b", _QWEN_8B, 5.23, 8.19),
        _sized("deepseek-r1:32b", _QWEN_8B, 19.85, 32.76),
        _sized("hf.co/unsloth/Qwen3-4B-GGUF:Q8_0", _QWEN_8B, 4.28, 4.02),
    )
    return Library(installed, available, damaged=("phi4-mini:3.8b",))
