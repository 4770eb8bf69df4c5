"""The inside of a made-up model as `/api/show` tells it: `model_info`, `projector_info` and `tensors`.

Key sets are those of real GGUF files of each architecture; per-layer arrays are null unless verbose.
"""

from typing import Any

from modeltui.demo.library import DemoModel

_FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_M": 17}
_FILE_TYPES |= {"Q6_K": 18, "MXFP4": 38, "BF16": 32}
_TOKENS = ["<unk>", "<s>", "</s>", "<|end|>", "▁the", "▁model", "\n"]


def head_length(model: DemoModel) -> int:
    """Return the length of one attention head's key and value."""
    return model.head_length or model.embedding // model.heads


def model_info(model: DemoModel, *, verbose: bool) -> dict[str, Any]:
    """Return `model_info`; a cloud model has three keys only."""
    arch = model.architecture
    if model.is_remote:
        return {
            "general.architecture": arch,
            f"{arch}.context_length": model.context,
            f"{arch}.embedding_length": model.embedding,
        }
    own = _bert(model) if arch == "bert" else _decoder(model)
    info: dict[str, Any] = {
        "general.architecture": arch,
        "general.file_type": _FILE_TYPES.get(model.quantization.upper(), 15),
        "general.parameter_count": model.parameters,
    }
    info |= {f"{arch}.{key}": value for key, value in own.items()}
    info |= {f"tokenizer.ggml.{key}": value for key, value in _tokenizer(arch, verbose).items()}
    return dict(sorted(info.items()))


def projector_info(model: DemoModel) -> dict[str, Any]:
    """Return `projector_info` of a vision model."""
    return {
        "clip.has_vision_encoder": True,
        "clip.vision.attention.head_count": 16,
        "clip.vision.block_count": 27,
        "clip.vision.embedding_length": 1152,
        "clip.vision.image_size": 896,
        "clip.vision.patch_size": 14,
        "clip.vision.projection_dim": model.embedding,
        "general.architecture": "clip",
        "general.file_type": 1,
        "general.parameter_count": model.projector // 2,
    }


def tensors(model: DemoModel) -> list[dict[str, Any]]:
    """Return the list of tensors, a long one as real servers send even when not verbose."""
    if model.is_remote:
        return []
    width, inner = model.embedding, model.embedding * 4
    kv_width = model.heads_kv * head_length(model)
    kind = model.quantization.removesuffix("_M").removesuffix("_S")

    def tensor(name: str, *shape: int) -> dict[str, Any]:
        return {"name": name, "type": "F32" if len(shape) == 1 else kind, "shape": list(shape)}

    found = [tensor("token_embd.weight", width, model.vocabulary)]
    found += [tensor("output.weight", width, model.vocabulary), tensor("output_norm.weight", width)]
    for block in range(model.blocks):
        found += [
            tensor(f"blk.{block}.attn_norm.weight", width),
            tensor(f"blk.{block}.ffn_norm.weight", width),
            tensor(f"blk.{block}.attn_q.weight", width, width),
            tensor(f"blk.{block}.attn_k.weight", width, kv_width),
            tensor(f"blk.{block}.attn_v.weight", width, kv_width),
            tensor(f"blk.{block}.attn_output.weight", width, width),
            tensor(f"blk.{block}.ffn_gate.weight", width, inner),
            tensor(f"blk.{block}.ffn_up.weight", width, inner),
            tensor(f"blk.{block}.ffn_down.weight", inner, width),
        ]
    return found


def _bert(model: DemoModel) -> dict[str, Any]:
    return {
        "attention.causal": False,
        "attention.head_count": model.heads,
        "attention.layer_norm_epsilon": 1e-12,
        "block_count": model.blocks,
        "context_length": model.context,
        "embedding_length": model.embedding,
        "feed_forward_length": model.embedding * 4,
        "pooling_type": 1,
    }


def _decoder(model: DemoModel) -> dict[str, Any]:
    info: dict[str, Any] = {
        "attention.head_count": model.heads,
        "attention.head_count_kv": model.heads_kv,
        "attention.layer_norm_rms_epsilon": 1e-05,
        "block_count": model.blocks,
        "context_length": model.context,
        "embedding_length": model.embedding,
        "feed_forward_length": model.embedding * 4,
        "rope.freq_base": 1_000_000 if model.context > 32_768 else 10_000,
    }
    if model.head_length is None:
        info |= {"rope.dimension_count": head_length(model), "vocab_size": model.vocabulary}
    else:
        info |= {"attention.key_length": model.head_length, "attention.value_length": model.head_length}
    if model.sliding_window:
        info["attention.sliding_window"] = model.sliding_window
    if model.experts:
        info |= {"expert_count": model.experts, "expert_used_count": 8}
        info["expert_feed_forward_length"] = model.embedding
    return info


def _tokenizer(arch: str, verbose: bool) -> dict[str, Any]:
    tokens = _TOKENS if verbose else None
    kinds = [3] * len(_TOKENS) if verbose else None
    if arch == "bert":
        return {
            "bos_token_id": 2,
            "eos_token_id": 3,
            "mask_token_id": 4,
            "model": "bert",
            "padding_token_id": 0,
            "seperator_token_id": 3,  # spelled so in real files
            "token_type": kinds,
            "token_type_count": 2,
            "tokens": tokens,
            "unknown_token_id": 1,
        }
    common = {"bos_token_id": 1, "eos_token_id": 2, "token_type": kinds, "tokens": tokens}
    if arch == "llama":
        scores = [0.0] * len(_TOKENS) if verbose else None
        return common | {"model": "llama", "scores": scores, "unknown_token_id": 0}
    merges = ["▁ t", "h e"] if verbose else None
    return common | {"model": "gpt2", "merges": merges, "padding_token_id": 3, "pre": arch}
