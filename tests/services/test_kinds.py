"""Of what type and purpose installed models are: as the catalog says of their series."""

from pathlib import Path

import pytest
from catalogs import shipped  # type: ignore[import-not-found, unused-ignore]  # beside us
from demo_stage import Place  # type: ignore[import-not-found, unused-ignore]  # beside us

from modeltui.domain.catalog.purposes import purpose_of_model, type_of_model
from modeltui.domain.models import Model
from modeltui.domain.names import parse
from modeltui.services.kinds import kinds_of, series_of


def named(name: str) -> Model:
    return Model(name, name, parse(name))


async def test_every_model_has_the_kind_of_its_tag(place: Place) -> None:
    tags = [(series, tag) for series in shipped().series.values() for tag in series.tags]
    models = [
        Model(
            *(tag.name, tag.name, parse(tag.name)),
            size=tag.size,
            parameter_size=None if tag.parameters is None else f"{tag.parameters / 10**9}B",
            quantization=tag.quantization,
            capabilities=series.capabilities,
        )
        for series, tag in tags
    ]
    for there, model, kind in zip(tags, models, kinds_of(place.services, models), strict=True):
        assert kind[:2] == (type_of_model(model, there), purpose_of_model(model, there)), model.sent


async def test_what_the_user_says_counts(place: Place) -> None:
    own: Path = place.services.paths.config / "catalog.d"
    own.mkdir(parents=True)
    (own / "mine.toml").write_text(
        '[series."me/notes"]\ntype = "code"\n[series.qwen3]\npurpose = "quality"\n'
    )
    notes, qwen, llama, nobody = kinds_of(
        place.services, map(named, ("me/notes:latest", "qwen3:0.6b", "llama3.1:8b", "nobody/knows:it"))
    )
    assert (notes.type, qwen.purpose, llama.type) == ("code", "quality", "general")
    assert nobody == (type_of_model(named("nobody/knows:it"), None), None, "", "")


async def test_what_is_said_of_a_series_is_found_in_its_models(place: Place) -> None:
    (qwen,) = kinds_of(place.services, [named("qwen3:nobody-listed-this-tag")])
    assert "alibaba" in qwen.prose and "mixture-of-experts" in qwen.prose
    assert qwen.license == "apache-2.0"


@pytest.mark.parametrize("name", ["hf.co/someone/qwen3:8b", "someone/qwen3:8b"])
async def test_another_owner_s_name_is_not_the_library_s(place: Place, name: str) -> None:
    assert series_of([named(name)]) != {"qwen3"}
    assert kinds_of(place.services, [named(name)])[0].purpose is None


async def test_a_copy_is_of_the_kind_of_its_original(place: Place) -> None:
    digest = (shipped().series["qwen3"].tag("8b") or pytest.fail("no such tag")).digest or ""
    names = ("mine:latest", "qwen3:8b", "llama3.2:latest")
    copies = [Model(name, name, parse(name), digest=digest + "0" * 52) for name in names]
    original = kinds_of(place.services, copies)[1]
    assert original.license
    assert kinds_of(place.services, copies) == [original] * 3, "whatever its name would say"
