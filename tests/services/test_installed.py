"""What a typed name means among the models that are installed."""

import pytest
from demo_stage import CHAT, Opener, Place  # type: ignore[import-not-found, unused-ignore]

from modeltui.demo.library import DemoModel
from modeltui.domain.names import parse
from modeltui.errors import InvalidName, NoSuchModel
from modeltui.services.installed import installed, near_names

NAMES = ("chat:latest", "coder:7b", "coder:14b", "hf.co/some/Repo-GGUF:Q4_K_M", "me/own:v1", "odd:7b")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("chat", "chat:latest"),
        ("CHAT:Latest", "chat:latest"),
        ("  coder:7b ", "coder:7b"),
        ("registry.ollama.ai/library/chat", "chat:latest"),
        ("https://ollama.com/library/chat", "chat:latest"),
        ("https://ollama.com/me/own:v1", "me/own:v1"),
        ("https://huggingface.co/some/Repo-GGUF:Q4_K_M", "hf.co/some/Repo-GGUF:Q4_K_M"),
        ("hf.co/some/repo-gguf:q4_k_m", "hf.co/some/Repo-GGUF:Q4_K_M"),
        ("odd:7b:local", "odd:7b"),
    ],
)
async def test_what_people_type(open_place: Opener, typed: str, found: str) -> None:
    place = await open_place(installed=tuple(DemoModel(name, name) for name in NAMES))
    assert (await place.meant(typed)).shown == found


async def test_a_literal_name_wins_over_its_reading_as_an_address(open_place: Opener) -> None:
    literal = "ollama.com/library/chat:latest"
    place = await open_place(installed=(DemoModel(literal, "pulled so"), CHAT))
    assert (await place.meant("ollama.com/library/chat")).shown == literal
    assert (await place.meant("https://ollama.com/library/chat")).shown == literal
    assert (await place.meant("chat")).shown == "chat:latest"


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("coder:70b", ["coder:14b", "coder:7b"]),
        ("codr:7b", ["coder:14b", "coder:7b"]),
        ("chta", ["chat:latest"]),
        ("zzz", []),  # that both end in :latest makes nothing near
    ],
)
async def test_near_names(open_place: Opener, typed: str, near: list[str]) -> None:
    place = await open_place(installed=tuple(DemoModel(name, name) for name in NAMES))
    models = await place.link.api.models()
    assert near_names(parse(typed), models) == near
    with pytest.raises(NoSuchModel) as caught:
        installed(typed, models)
    assert caught.value.remedy is not None
    for name in near:
        assert name in caught.value.remedy
    if not near:
        assert "modeltui pull zzz:latest" in caught.value.remedy


async def test_nonsense_is_no_name(place: Place) -> None:
    with pytest.raises(InvalidName):
        await place.meant("a b/c")
