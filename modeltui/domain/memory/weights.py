"""How a model's file divides: token embedding, output, vision tensors, layers; bits by quantization."""

from dataclasses import dataclass
from functools import lru_cache

from modeltui.domain.memory.architecture import Architecture, Facts, Vision
from modeltui.domain.memory.kinds import plain, rules_of

# Metadata of a GGUF, mostly the tokenizer: about 48 bytes an entry [F, 18 rows with exact sizes].
_TOKENIZER_BYTES = 48

# Bits an element of the token embedding, by the file's quantization (ggml block sizes) [C]; the start of a
# name decides.
_BITS = (
    ("Q2_K", 2.625),
    ("Q3_K", 3.4375),
    ("Q4_1", 5.0),
    ("Q4", 4.5),
    ("Q5_1", 6.0),
    ("Q5", 5.5),
    ("Q6", 6.5625),
    ("Q8", 8.5),
    ("IQ1", 2.625),
    ("IQ2", 2.625),
    ("IQ3", 3.4375),
    ("IQ4_XS", 4.25),
    ("IQ4", 4.5),
    ("F32", 32.0),
    ("F16", 16.0),
    ("FP16", 16.0),
    ("BF16", 16.0),
    ("MXFP4", 16.0),
)
_TIED_BITS = 6.5625
_OUTPUT_BITS = 6.5625

# Bytes of vision (and audio) tensors that lie within the weights' file, at 16 bit (published towers [K],
# checked on rows of llama-server, which does not count them): kind to (least width of the text model,
# bytes).
_TOWERS: dict[str, tuple[tuple[int, int], ...]] = {
    "gemma3": ((2000, 835_000_000),),
    "gemma4": ((2700, 1_150_000_000), (0, 950_000_000)),
    "gemma3n": (),
    "mistral3": ((0, 880_000_000),),
    "qwen25vl": ((0, 1_350_000_000),),
    "qwen3vl": ((2049, 1_150_000_000), (0, 820_000_000)),
    "qwen3vlmoe": ((0, 1_150_000_000),),
    "qwen35": ((3000, 920_000_000), (2049, 670_000_000), (0, 200_000_000)),
    "qwen35moe": ((0, 900_000_000),),
    "llama4": ((0, 1_750_000_000),),
    "mllama": ((0, 1_750_000_000),),
    "deepseekocr": ((0, 800_000_000),),
    "glmocr": ((0, 800_000_000),),
}
_VISION_FEED = 4
_PROJECTOR_SHARE = 1.05
_PER_LAYER_WIDTH = 256


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes: `file` of the weights, `tensors` of it without metadata, `embedding` of tokens, `output`,
    `vision` within it, `projector` a file of its own, `per_layer` embeddings for every layer, of which a
    token reads one row. `is_tied`: the output is the embedding once more, on the GPU and mapped in RAM.
    `reads_rows_on_gpu`: cards take the embeddings of every layer.
    """

    file: int
    tensors: int
    embedding: int
    output: int
    vision: int
    projector: int
    per_layer: int
    is_tied: bool
    reads_rows_on_gpu: bool

    @property
    def beside_layers(self) -> int:
        """What goes to the GPU with the output layer."""
        return self.output + (self.per_layer if self.reads_rows_on_gpu else 0)

    @property
    def on_gpu(self) -> int:
        """What a card holds of the text model when all layers are there."""
        stays = self.vision + (0 if self.reads_rows_on_gpu else self.per_layer)
        return self.tensors - stays - (0 if self.is_tied else self.embedding)

    @property
    def in_ram(self) -> int:
        """What lies in RAM even then: metadata and the embedding of tokens, mapped from the file."""
        rows = 0 if self.reads_rows_on_gpu else self.per_layer
        return self.file - self.tensors + rows + self.embedding


@lru_cache(maxsize=1024)
def _named_bits(quantization: str | None) -> float | None:
    """Bits that a quantization's name tells; None where it tells none."""
    name = (quantization or "").upper()
    if name.endswith("_L") and name.startswith(("Q6", "Q5", "Q4", "Q3")) and not name.startswith("Q3_K_L"):
        return 8.5
    return next((bits for start, bits in _BITS if name.startswith(start)), None)


def bits_of(quantization: str | None, file: int, parameters: int | None) -> float:
    """Bits an element of the token embedding; by the file's mean where the quantization is not known."""
    named = _named_bits(quantization)
    if named is not None:
        return named
    if parameters and file:
        mean = 8 * file / parameters
        return 16.0 if mean > 12 else 8.5 if mean > 7 else 4.5
    return 4.5


def tower_bytes(a: Architecture) -> int:
    """Bytes of the vision tensors within the file: the kind's, else by the shape that the server tells; 0
    for none.
    """
    if a.vision is not None and not a.vision.layers:
        return 0
    for least, size in _TOWERS.get(plain(a.kind), ()):
        if (a.embedding or 0) >= least:
            return size
    return 0 if a.vision is None else encoder_bytes(a.vision)


def encoder_bytes(vision: Vision) -> int:
    """Bytes of a transformer that reads images, at 16 bit, and of what leads on to the text model; 0 where
    its shape is not told.
    """
    if not vision.layers or not vision.embedding:
        return 0
    width = vision.embedding
    feed = vision.feed_forward or _VISION_FEED * width
    return int(2 * vision.layers * (4 * width * width + 2 * width * feed) * _PROJECTOR_SHARE)


def divide(facts: Facts, a: Architecture) -> Weights:
    """A file's parts; each is at least 0 and the parts never exceed the file."""
    all_bytes = max(0, facts.file)
    projector = min(max(0, facts.projector or 0), all_bytes)
    file = all_bytes - projector
    metadata, elements, is_tied, is_encoder, tower, layered = _of_shape(a)
    tensors = max(file - metadata, file * 9 // 10)
    most = tensors // 2
    base = bits_of(facts.quantization, file, facts.parameters or a.parameters)
    if is_tied:
        bits = max(base, _TIED_BITS) if base < 8 else base
        output = embedding = min(int(elements * bits / 8), most)
    else:
        embedding = min(int(elements * base / 8), most)
        output = 0 if is_encoder else min(int(elements * max(base, _OUTPUT_BITS) / 8), most)
    rest = max(0, tensors - embedding - (0 if is_tied else output))
    vision = 0 if projector else min(tower, rest // 2)
    per_layer, on_gpu = 0, False
    if layered:
        per_layer, on_gpu = _per_layer(layered, rest - vision, facts.parameters or a.parameters, elements)
    return Weights(file, tensors, embedding, output, vision, projector, per_layer, is_tied, on_gpu)


def _per_layer(layered: int, room: int, parameters: int | None, elements: int) -> tuple[int, bool]:
    """Bytes of embeddings for every layer (`layered` elements) in what is left of a file, and whether cards
    take them.

    Ollama's own quantization leaves them at 16 bit (server/quantization.go) [C], which shows in the file:
    what is left has at least 3.6 bits for each other parameter then. Files quantized elsewhere have them in
    Q6_K [F, sizes of gemma4's QAT tags]. llama.cpp looks rows up on the card for 16 bit, and on the CPU for
    K-quants, which CUDA cannot look up (LLM_TENSOR_PER_LAYER_TOKEN_EMBD, GET_ROWS) [C].
    """
    others = max(0, (parameters or 3 * layered) - layered - elements)
    if room - 2 * layered >= 0.45 * others:
        return 2 * layered, True
    return min(int(layered * _TIED_BITS / 8), room // 2), False


@lru_cache(maxsize=2048)
def _of_shape(a: Architecture) -> tuple[int, int, bool, bool, int, int]:
    """What of it is the same for all files of a shape: bytes of metadata, elements of the embedding,
    whether it is tied, whether it is an encoder, bytes of the tower, and elements of embeddings for every
    layer.
    """
    rules = rules_of(a.kind)
    vocabulary = max(1, a.vocabulary or rules.vocabulary or 32000)
    width = max(1, a.embedding or 4096)
    is_tied = not _has_output(a, vocabulary, width)
    layered = _per_layer_elements(a, vocabulary)
    return (
        _TOKENIZER_BYTES * vocabulary,
        vocabulary * width,
        is_tied,
        rules.is_encoder,
        tower_bytes(a),
        layered,
    )


def _per_layer_elements(a: Architecture, vocabulary: int) -> int:
    """Elements of embeddings for every layer, 256 wide: the E2B and E4B models of Gemma [K]."""
    has_them = plain(a.kind) == "gemma3n" or (
        plain(a.kind) == "gemma4" and (a.embedding or 0) in (1536, 2560)
    )
    return _PER_LAYER_WIDTH * vocabulary * max(0, a.layers) if has_them else 0


# Widths up to which a family ties its output [K]; a parameter count above the nominal one is caught by the
# shape.
_TIED_WIDTH = {
    "qwen2": 2048,
    "qwen25vl": 2048,
    "qwen2vl": 2048,
    "qwen3": 2560,
    "qwen3vl": 2560,
    "qwen35": 2560,
    "llama": 0,
}


def _has_output(a: Architecture, vocabulary: int, width: int) -> bool:
    if a.has_output is not None:
        return a.has_output
    tied = rules_of(a.kind).is_tied
    if tied is not None:
        return not tied
    if plain(a.kind) == "llama":
        # Llama 3.2 and SmolLM2 tie; every other llama of the library has its own output [K].
        return not ((vocabulary == 128256 and width <= 3072) or vocabulary == 49152)
    return width > _TIED_WIDTH.get(plain(a.kind), 0)
