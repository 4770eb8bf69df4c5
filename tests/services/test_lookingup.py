"""What a registry says of a tag, as far as an estimate can use it."""

from modeltui.domain.names import parse
from modeltui.services.lookingup import LookedUp, facts_of


def looked_up(*parts: tuple[str, int], **known: str) -> LookedUp:
    total = sum(size for _, size in parts)
    return LookedUp(
        parse("registry.lan:5000/team/m:8b"), 1, "https://registry.lan:5000", "d", total, parts, **known
    )


def test_what_is_loaded_counts_and_its_template_does_not() -> None:
    parts = (("model", 4_000), ("projector", 600), ("adapter", 50), ("template", 7), ("license", 11_000))
    facts = facts_of(looked_up(*parts, parameter_size="7.6B", quantization="Q4_K_M"))
    assert facts is not None
    assert (facts.file, facts.projector, facts.is_size_exact) == (4_650, 600, True)
    assert (facts.parameters, facts.quantization, facts.architecture) == (7_600_000_000, "Q4_K_M", None)


def test_weights_in_several_files_are_one_model() -> None:
    facts = facts_of(looked_up(("model", 4_000), ("model", 3_000)))
    assert facts is not None
    assert (facts.file, facts.projector, facts.parameters) == (7_000, None, None)


def test_what_has_no_weights_has_no_size() -> None:
    """A model that runs in a cloud has a manifest, too."""
    assert facts_of(looked_up(("template", 700))) is None
