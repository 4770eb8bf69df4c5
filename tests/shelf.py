"""A models directory on a real disk, filled as a server would, and known to a demonstration server."""

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from modeltui.demo.library import DemoModel, Layer, Library, Manifest, manifest_of
from modeltui.domain.names import parse


@dataclass(frozen=True)
class Shelf:
    """`root` is what OLLAMA_MODELS names."""

    root: Path

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    def names(self) -> list[str]:
        """The files of `blobs`, in order."""
        return sorted(path.name for path in self.blobs.iterdir())

    def put(self, content: bytes, *, hours: float = 0) -> str:
        """Write one blob, last written so long ago; returns its digest."""
        digest = hashlib.sha256(content).hexdigest()
        self.file(f"sha256-{digest}", content, hours=hours)
        return f"sha256:{digest}"

    def file(self, name: str, content: bytes, *, hours: float = 0) -> Path:
        """Write any file into `blobs`."""
        self.blobs.mkdir(parents=True, exist_ok=True)
        path = self.blobs / name
        path.write_bytes(content)
        at = time.time() - hours * 3600
        os.utime(path, (at, at))
        return path

    def path(self, digest: str) -> Path:
        return self.blobs / digest.replace(":", "-")

    def manifest_path(self, name: str) -> Path:
        parsed = parse(name)
        return self.root / "manifests" / parsed.host / parsed.namespace / parsed.model / parsed.tag

    def add(self, library: Library | None, model: DemoModel, weights: bytes) -> Manifest:
        """Write a whole model, and let a server list it; the first layer of its manifest are the weights."""
        made = manifest_of(model)
        first = Layer(f"{_LAYER}model", self.put(weights), len(weights))
        layers = (first, *(layer for layer in made.layers if layer.content is not None))
        for layer in (*layers[1:], made.config):
            assert layer.content is not None
            self.put(layer.content)
        raw = json.dumps(
            {
                "schemaVersion": 2,
                "config": made.config.entry(),
                "layers": [layer.entry() for layer in layers],
            }
        ).encode()
        path = self.manifest_path(model.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        manifest = Manifest(layers, made.config, raw, hashlib.sha256(raw).hexdigest())
        if library is not None:
            library.write_manifest(parse(model.name), model, manifest)
            library.blobs |= {layer.digest: layer.size for layer in manifest.all_layers}
        return manifest


_LAYER = "application/vnd.ollama.image."
