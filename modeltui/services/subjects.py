"""Models as they are judged: a tag of the catalog or an installed one, with the best facts that there are."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from modeltui.domain.catalog.series import Catalog, Series, Tag
from modeltui.domain.catalog.siblings import capabilities_of, version_of
from modeltui.domain.memory.architecture import Facts
from modeltui.domain.memory.firstversions import Version, first_version
from modeltui.domain.models import Model, names_by_digest, parameter_count

_NEAR = 0.03  # a label of two digits is off by up to this


class Subject(NamedTuple):
    """One model to be judged. `key` is equal for equal weights; `digest` may be the first 12 digits of one.

    `requires` is the first version of Ollama that runs it. `download` is in bytes, None for what is
    installed. `unknown` says why there are no facts.
    """

    name: str
    key: str
    digest: str | None
    facts: Facts | None
    capabilities: frozenset[str] | None
    requires: Version | None
    download: int | None
    unknown: str
    tag: Tag | None


class Subjects:
    """Finds facts, each once: what the server said of a model, else the catalog's, else its size alone."""

    def __init__(
        self, catalog: Catalog, installed: tuple[Model, ...], shapes: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._catalog = catalog
        self._shapes = shapes
        self._digests = frozenset(
            model.digest[:12] for model in installed if model.digest and not model.is_cloud
        )
        self._names = names_by_digest(installed)
        self._facts: dict[str, Facts | None] = {}
        self._capabilities: dict[tuple[str, frozenset[str]], frozenset[str]] = {}

    def of_tag(self, tag: Tag) -> Subject:
        """A tag of the catalog; whether it is installed is told by its digest."""
        series = self._catalog.series.get(tag.series.casefold())
        facts = self.facts_of_tag(tag)
        can = self._capabilities.get((tag.series, tag.inputs))
        if can is None and series is not None:
            can = self._capabilities[tag.series, tag.inputs] = capabilities_of(series, tag)
        is_here = tag.digest is not None and tag.digest in self._digests
        return Subject(
            name=tag.name,
            key=key_of(tag),
            digest=tag.digest,
            facts=facts,
            capabilities=can,
            requires=_required(series, facts),
            download=None if is_here or facts is None else facts.file,
            unknown="it runs in the cloud" if tag.is_cloud else "its size is unknown",
            tag=tag,
        )

    def of_model(self, model: Model) -> Subject:
        """An installed model, whatever its name."""
        tag = self.tag_of(model)
        series = self._catalog.series.get(tag.series.casefold()) if tag else None
        facts = self.facts_of_model(model)
        return Subject(
            name=model.shown,
            key=key_of(model),
            digest=model.digest,
            facts=facts,
            capabilities=model.capabilities,
            requires=_required(series, facts),
            download=None,
            unknown="it runs in the cloud" if model.is_cloud else "its size is unknown",
            tag=tag,
        )

    def facts_of_tag(self, tag: Tag) -> Facts | None:
        """None where its size is unknown, or it runs in the cloud."""
        key = key_of(tag)
        if key not in self._facts:
            self._facts[key] = self._looked_up(tag)
        return self._facts[key]

    def facts_of_model(self, model: Model) -> Facts | None:
        """None where its size is unknown, or it runs in the cloud."""
        if model.is_cloud or not model.size:
            return None
        key = key_of(model)
        if key not in self._facts:
            self._facts[key] = self._of_installed(model, model.size)
        return self._facts[key]

    def tag_of(self, model: Model) -> Tag | None:
        """The catalog's tag that an installed model is: by digest and one of its names, where the digest is
        unknown by its size.
        """
        for tag in self._tags_of(model):
            if tag.digest and model.digest:
                if model.digest.startswith(tag.digest):
                    return tag
            elif _is_near(tag, model):
                return tag
        return None

    def _tags_of(self, model: Model) -> Iterator[Tag]:
        """The tags of its names: a copy is the model that it was made from."""
        for name in (model.name, *self._names.get(model.digest or "", ())):
            found = self._catalog.find(name) if name is not None else None
            if found is not None:
                yield found[1]

    def _like(self, model: Model) -> Facts | None:
        """The facts of a tag of the same name and about the same size: an older or newer build of it."""
        near = next((tag for tag in self._tags_of(model) if _is_near(tag, model)), None)
        return self.facts_of_tag(near) if near is not None else None

    def _looked_up(self, tag: Tag) -> Facts | None:
        from modeltui.domain.catalog.facts import facts_of

        if tag.is_cloud or not tag.size:
            return None
        series = self._catalog.series.get(tag.series.casefold())
        return facts_of(series, tag) if series is not None else None

    def _of_installed(self, model: Model, size: int) -> Facts:
        from modeltui.domain.memory.shapes import architecture_of_info, projector_of_info

        tag = self.tag_of(model)
        known = self.facts_of_tag(tag) if tag is not None else None
        akin = self._like(model) if tag is None else None
        count = parameter_count(model.parameter_size)
        info = self._shapes.get(model.digest or "")
        shape = architecture_of_info(info, count) if info else None
        capabilities = model.capabilities or frozenset()
        is_embedding = "embedding" in capabilities and "completion" not in capabilities
        if shape is not None:
            return Facts(
                file=size,
                quantization=model.quantization,
                architecture=shape,
                parameters=shape.parameters or count,
                active_parameters=known.active_parameters if known else None,
                projector=known.projector if known else projector_of_info(info or {}),
                trained_context=shape.trained_context or model.context,
                is_embedding=is_embedding or shape.is_embedding,
                source="the server's own facts of it",
            )
        if known is not None:
            return replace(known, file=size, is_size_exact=True)
        if akin is not None:
            return replace(
                akin,
                file=size,
                is_size_exact=True,
                quantization=model.quantization or akin.quantization,
                trained_context=model.context or akin.trained_context,
                source="the catalog's facts of another build of its name and size",
            )
        return Facts(
            file=size,
            quantization=model.quantization,
            parameters=count,
            trained_context=model.context,
            is_embedding=is_embedding,
            source="its size alone",
        )


def _is_near(tag: Tag, model: Model) -> bool:
    return bool(tag.size and model.size and abs(tag.size - model.size) <= _NEAR * model.size)


def _required(series: Series | None, facts: Facts | None) -> Version | None:
    """The newer of what the library asks for and what the architecture needs."""
    asked = version_of(series.requires) if series else None
    known = first_version(facts.architecture.kind) if facts and facts.architecture else None
    return max(filter(None, (asked, known)), default=None)


def key_of(model: Model | Tag) -> str:
    """What a verdict is kept by: the digest, so that aliases are judged once, else the name."""
    if isinstance(model, Tag):
        return model.digest or model.name
    return f"installed {model.digest or model.sent}"
