"""The small file says of every model what the whole catalog says of its type and purpose."""

from pathlib import Path

from catalogs import shipped

from modeltui.catalog import kinds, loading
from modeltui.domain.catalog.purposes import purpose_of_model, type_of_model
from modeltui.domain.models import Model
from modeltui.domain.names import parse
from modeltui.paths import paths_under

SHIPPED = Path(kinds.__file__).parent / "data" / "kinds.json"


def test_the_shipped_file_is_what_the_catalog_makes() -> None:
    """Else: python tests/catalog/build_catalog.py."""
    assert SHIPPED.read_text(encoding="utf-8") == kinds.encode(shipped())
    assert SHIPPED.stat().st_size < 60_000


def test_every_model_has_the_same_type_and_purpose_by_it(tmp_path: Path) -> None:
    place = kinds.places(paths_under(tmp_path))
    for series in shipped().series.values():
        for tag in series.tags:
            name = parse(tag.name)
            words = None if tag.parameters is None else f"{tag.parameters / 10**9}B"
            model = Model(
                *(tag.name, tag.name, name),
                size=tag.size,
                parameter_size=words,
                quantization=tag.quantization,
                capabilities=series.capabilities,
            )
            for rule in (type_of_model, purpose_of_model):
                assert rule(model, place(name)) == rule(model, (series, tag)), tag.name


def test_what_the_user_says_counts(tmp_path: Path) -> None:
    paths = paths_under(tmp_path)
    own = paths.config / "catalog.d"
    own.mkdir(parents=True)
    (own / "mine.toml").write_text(
        '[series."me/notes"]\ntype = "code"\n[series.qwen3]\npurpose = "quality"\n'
    )
    place = kinds.places(paths)
    for name, rule, value in (
        ("me/notes:latest", type_of_model, "code"),
        ("qwen3:0.6b", purpose_of_model, "quality"),
        ("llama3.1:8b", type_of_model, "general"),
    ):
        assert rule(Model(name, name, parse(name)), place(parse(name))) == value
    assert place(parse("nobody/knows:it")) is None


def test_the_user_s_catalogs_lie_where_they_are_read() -> None:
    assert kinds.OWN == loading.OWN


def test_another_registry_s_name_is_not_the_library_s(tmp_path: Path) -> None:
    assert kinds.places(paths_under(tmp_path))(parse("hf.co/someone/qwen3:8b")) is None
