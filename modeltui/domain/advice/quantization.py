"""What a quantization costs in quality, and which ones nobody should be advised to take."""

import math

from modeltui.domain.catalog.series import Tag

LEAST_BITS = 3.0  # below it a smaller model is better at the same size: Q2 of any model is never advised


def quantization_loss(quantization: str | None, bits: float | None = None) -> float:
    """What a quantization costs, in doublings (advice/quality.py); by bits a weight where its name is
    unknown.

    Sources: the perplexities in llama.cpp's pull request 1684 (LLaMA 7B against 13B: Q4_K_M 0.07, Q3_K_M 0.3,
    Q2_K 1.2 doublings) and Aider's runs of qwen2.5-coder 32b (fp16 71.4, q4_K_M 66.9, q2_K 61.7), which say
    more against Q4 and Q2: between the two. MXFP4 is what gpt-oss was trained in.
    """
    known = _LOSSES.get((quantization or "").upper())
    if known is not None:
        return known
    if bits is None:  # unknown is not full precision: the library's usual one
        return _LOSSES["Q4_K_M"]
    return next(loss for most, loss in _BY_BITS if bits <= most)


def is_too_coarse(tag: Tag) -> bool:
    """Whether a tag is quantized so far that a smaller model would be the better one."""
    name = (tag.quantization or "").upper()
    if name:
        return name.startswith(("Q2", "IQ2", "IQ1", "Q1", "TQ"))
    bits = bits_of(tag)
    return bits is not None and bits < LEAST_BITS


def bits_of(tag: Tag) -> float | None:
    """Bits a weight by the file's size; None where size or parameters are unknown."""
    size = tag.weights or tag.size
    return size * 8 / tag.parameters if size and tag.parameters else None


_LOSSES = {
    **dict.fromkeys(("F32", "F16", "BF16", "MXFP4"), 0.0),
    "Q8_0": 0.02,
    "INT8": 0.02,
    "MXFP8": 0.02,
    "Q6_K": 0.05,
    "Q5_K_M": 0.1,
    "Q5_K_S": 0.12,
    "Q5_1": 0.12,
    "Q5_0": 0.14,
    "Q4_K_M": 0.2,
    "Q4_K_S": 0.28,
    "NVFP4": 0.25,
    "INT4": 0.3,
    "IQ4_XS": 0.3,
    "Q4_1": 0.35,
    "Q4_0": 0.35,
    "Q3_K_L": 0.6,
    "Q3_K_M": 0.7,
    "Q3_K_S": 1.0,
    "Q2_K": 2.0,
}
_BY_BITS = ((3.0, 2.0), (3.7, 1.0), (4.3, 0.6), (5.2, 0.2), (6.2, 0.1), (7.5, 0.05), (math.inf, 0.02))
