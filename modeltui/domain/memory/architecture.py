"""What a model is made of, as far as memory and speed depend on it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vision:
    """The part that reads images, within the same file. No `layers`: there is none."""

    layers: int | None = None
    embedding: int | None = None
    feed_forward: int | None = None


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of a model. `kind` is `general.architecture` as Ollama writes it; unknown is None.

    `kv_heads` has one entry a layer (0: a recurrent layer without a KV cache); `windowed` too (True: only
    `sliding_window` tokens are kept), empty where the kind's own rule or none holds. The last
    `shared_layers` layers use the cache of an earlier one. `window_key_length` and `window_value_length`
    are those of windowed layers where they differ. `is_latent`: the cache holds one latent vector of
    `kv_lora_rank + rope_dimensions` a token and layer. `cross_layers` look at the image only. `guessed`
    names, in words, what was filled in by a rule.
    """

    kind: str
    layers: int
    embedding: int | None = None
    heads: int | None = None
    kv_heads: tuple[int, ...] = ()
    key_length: int | None = None
    value_length: int | None = None
    vocabulary: int | None = None
    trained_context: int | None = None
    sliding_window: int | None = None
    experts: int | None = None
    experts_used: int | None = None
    feed_forward: int | None = None
    kv_lora_rank: int | None = None
    rope_dimensions: int | None = None
    is_latent: bool = False
    conv_kernel: int | None = None
    inner_size: int | None = None
    state_size: int | None = None
    group_count: int | None = None
    parameters: int | None = None
    active_parameters: int | None = None
    has_output: bool | None = None
    vision: Vision | None = None
    windowed: tuple[bool, ...] = ()
    window_key_length: int | None = None
    window_value_length: int | None = None
    shared_layers: int = 0
    cross_layers: int = 0
    is_embedding: bool = False
    guessed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything about one tag that an estimate asks for. Sizes in bytes.

    `file` is all that is loaded: the weights and a separate projector, as `/api/tags` and a manifest add
    them up; `projector` is the separate one's part of it (None: none, or not known). `architecture` None:
    only the size is known, the estimate falls back and says so. `is_size_exact` is False for a label of two
    digits. `source` says in words where the shape comes from.
    """

    file: int
    is_size_exact: bool = True
    quantization: str | None = None
    architecture: Architecture | None = None
    parameters: int | None = None
    active_parameters: int | None = None
    projector: int | None = None
    trained_context: int | None = None
    is_embedding: bool = False
    source: str = ""
