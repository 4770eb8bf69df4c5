"""The models of the demonstration server: what is installed, what can be pulled, which blobs are there.

No weights exist: a blob is a digest and a size. Only the small layers (template, system, licence,
parameters, config) have contents, so that manifests and configs are real JSON with real digests.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from modeltui.demo import gotime
from modeltui.domain import names

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.ollama.image."
HOUR = 3600 * gotime.NANOSECOND


@dataclass(frozen=True, slots=True)
class DemoModel:
    """One made-up model; `weights` names its weights blob, so equal words share it. Sizes in bytes."""

    name: str
    weights: str = "weights"
    size: int = 2_000_000
    architecture: str = "llama"
    parameters: int = 1_000_000
    quantization: str = "Q4_K_M"
    context: int = 8192
    embedding: int = 512
    blocks: int = 8
    heads: int = 8
    heads_kv: int = 4
    head_length: int | None = None
    sliding_window: int | None = None
    experts: int = 0
    vocabulary: int = 32_000
    capabilities: tuple[str, ...] = ("completion",)
    template: str | None = None
    system: str | None = None
    licence: str | None = None
    params: Mapping[str, Any] | None = None
    projector: int = 0
    """Size of the vision projector, 0 for none."""
    parent: str = ""
    families: tuple[str, ...] = ()
    remote_host: str = ""
    remote_model: str = ""
    requires: str = ""
    hours: float = 0
    """How many hours before the server's start it was installed, or pushed to the registry."""

    @property
    def is_remote(self) -> bool:
        return bool(self.remote_host)


@dataclass(frozen=True, slots=True)
class Layer:
    """One entry of a manifest; `content` only for the small ones."""

    media_type: str
    digest: str
    size: int
    content: bytes | None = None

    def entry(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A model's manifest: layers in order, the config, the raw bytes and their sha256 without prefix."""

    layers: tuple[Layer, ...]
    config: Layer
    raw: bytes
    digest: str

    @property
    def all_layers(self) -> tuple[Layer, ...]:
        """The layers with the config last, as a pull goes through them."""
        return (*self.layers, self.config)

    @property
    def size(self) -> int:
        return sum(layer.size for layer in self.all_layers)

    @property
    def weights(self) -> str:
        """The digest of the weights blob; the config's where there are no weights (a cloud stub)."""
        return self.layers[0].digest if self.layers else self.config.digest


@dataclass(frozen=True, slots=True)
class Installed:
    """A model under a name; `modified` in nanoseconds since 1970."""

    name: names.ModelName
    model: DemoModel
    manifest: Manifest
    modified: int


def weights_digest(seed: str) -> str:
    """Return the digest of the weights blob that `seed` names."""
    return f"sha256:{hashlib.sha256(f'weights of {seed}'.encode()).hexdigest()}"


def manifest_of(model: DemoModel) -> Manifest:
    """Build the manifest; two models that differ in their names only have the same one (an alias)."""
    layers = []
    if not model.is_remote:
        layers.append(Layer(f"{_LAYER}model", weights_digest(model.weights), model.size))
    if model.projector:
        digest = weights_digest(f"{model.weights} projector")
        layers.append(Layer(f"{_LAYER}projector", digest, model.projector))
    for kind, text in (("template", model.template), ("system", model.system), ("license", model.licence)):
        if text:
            layers.append(_small(f"{_LAYER}{kind}", text.encode()))
    if model.params:
        layers.append(_small(f"{_LAYER}params", _compact(dict(model.params))))
    config: dict[str, Any] = {
        "model_format": "" if model.is_remote else "gguf",
        "model_family": model.architecture,
        "model_families": list(model.families or (model.architecture,)),
        "model_type": human_number(model.parameters),
        "file_type": model.quantization,
        "context_length": model.context,
        "embedding_length": model.embedding,
        "capabilities": list(model.capabilities),
    }
    optional = {
        "remote_host": model.remote_host,
        "remote_model": model.remote_model,
        "requires": model.requires,
    }
    config |= {key: value for key, value in optional.items() if value}
    config |= {"architecture": "amd64", "os": "linux"}
    config |= {"rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]}}
    config_layer = _small(_CONFIG, _compact(config))
    raw = _compact(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config_layer.entry(),
            "layers": [layer.entry() for layer in layers],
        }
    )
    return Manifest(tuple(layers), config_layer, raw, hashlib.sha256(raw).hexdigest())


def human_number(count: int) -> str:
    """Write a number of parameters as Ollama does (format.HumanNumber): 31.79M, 8B, 125K."""
    if count >= 1_000_000_000:
        billions = count / 1_000_000_000
        return f"{billions:.0f}B" if billions.is_integer() else f"{billions:.1f}B"
    if count >= 1_000_000:
        millions = count / 1_000_000
        return f"{millions:.0f}M" if millions.is_integer() else f"{millions:.2f}M"
    return f"{count / 1000:.0f}K" if count >= 1000 else str(count)


def _compact(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def _small(media_type: str, content: bytes) -> Layer:
    return Layer(media_type, f"sha256:{hashlib.sha256(content).hexdigest()}", len(content), content)


class Library:
    """The server's disk and its registry.

    `installed` and `available` (the registry) are keyed by the case-folded full name; `blobs` are the
    finished layers with their sizes, `partials` the bytes kept of those that are not.
    """

    def __init__(
        self,
        installed: Iterable[DemoModel] = (),
        available: Iterable[DemoModel] = (),
        *,
        damaged: Iterable[str] = (),
    ) -> None:
        self.installed: dict[str, Installed] = {}
        self.available: dict[str, Installed] = {}
        self.blobs: dict[str, int] = {}
        self.partials: dict[str, int] = {}
        self._contents: dict[str, bytes] = {}
        for model in installed:
            self.install(names.parse(model.name), model, gotime.now() - int(model.hours * HOUR))
        for model in available:
            self.publish(model)
        for name in damaged:
            self.blobs.pop(self.installed[names.parse(name).key].manifest.weights, None)

    def publish(self, model: DemoModel) -> Installed:
        """Put a model into the registry, replacing what stood under its name (an update)."""
        name = names.parse(model.name)
        manifest = manifest_of(model)
        entry = Installed(name, model, manifest, gotime.now() - int(model.hours * HOUR))
        self.available[name.key] = entry
        self._remember(manifest)
        return entry

    def install(self, name: names.ModelName, model: DemoModel, modified: int | None = None) -> Installed:
        """Put a whole model on the disk: its blobs and its manifest."""
        manifest = manifest_of(model)
        self.blobs |= {layer.digest: layer.size for layer in manifest.all_layers}
        return self.write_manifest(name, model, manifest, modified)

    def write_manifest(
        self, name: names.ModelName, model: DemoModel, manifest: Manifest, modified: int | None = None
    ) -> Installed:
        """Write a manifest alone, as the end of a pull does: the blobs may be gone meanwhile."""
        existing = self.installed.get(name.key)
        entry = Installed(
            existing.name if existing else name,
            replace(model, name=name.short),
            manifest,
            gotime.now() if modified is None else modified,
        )
        self.installed[name.key] = entry
        self._remember(manifest)
        return entry

    def remove(self, key: str) -> None:
        """Remove a manifest, then each of its layers that no other manifest names."""
        entry = self.installed.pop(key)
        self.drop_unused(entry.manifest.all_layers)

    def drop_unused(self, layers: Iterable[Layer]) -> None:
        """Remove those of `layers` that no manifest names."""
        used = {layer.digest for entry in self.installed.values() for layer in entry.manifest.all_layers}
        for layer in layers:
            if layer.digest not in used:
                self.blobs.pop(layer.digest, None)

    def prune(self) -> None:
        """Remove every partial and every blob that no manifest names, as a restarting server does."""
        self.partials.clear()
        used = {layer.digest for entry in self.installed.values() for layer in entry.manifest.all_layers}
        self.blobs = {digest: size for digest, size in self.blobs.items() if digest in used}

    def is_damaged(self, entry: Installed) -> bool:
        """Whether a layer of an installed model is missing."""
        return any(layer.digest not in self.blobs for layer in entry.manifest.all_layers)

    def find(self, text: str) -> Installed | None:
        """Return the installed model of that name, matched without case; raises InvalidName."""
        return self.installed.get(names.parse(text).key)

    def content(self, digest: str) -> bytes | None:
        """Return the bytes of a small layer."""
        return self._contents.get(digest)

    def keep_content(self, digest: str, content: bytes) -> None:
        """Keep the bytes of an uploaded blob."""
        self.blobs[digest] = len(content)
        self._contents[digest] = content

    @property
    def installed_names(self) -> list[str]:
        """The shown names of what is installed, in the order of `/api/tags`."""
        return [entry.name.short for entry in self.listed()]

    def listed(self) -> list[Installed]:
        """Return what is installed in the order of `/api/tags`: newest second first, then by name."""
        entries = self.installed.values()
        return sorted(entries, key=lambda entry: (-(entry.modified // gotime.NANOSECOND), entry.name.short))

    def _remember(self, manifest: Manifest) -> None:
        for layer in manifest.all_layers:
            if layer.content is not None:
                self._contents[layer.digest] = layer.content
