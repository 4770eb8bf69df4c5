"""What is judged of a model's own words: characters, hosts, layers, makers and licences."""

import pytest

from modeltui.domain.findings import Kind, characters
from modeltui.domain.models import Model, ModelDetails
from modeltui.domain.names import parse
from modeltui.domain.scan import Origin, judge_change, judge_details, judge_manifest, origin
from modeltui.domain.transfers import Blob, Manifest

MODEL = Model("chat:latest", "chat:latest", parse("chat"))
CLOUD = Model("gpt-oss:120b-cloud", "gpt-oss:120b-cloud", parse("gpt-oss:120b-cloud"))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{{- range .Messages }}\n\t{{ .Content }}\r\n{{ end }}",
        "<｜begin▁of▁sentence｜>",
        "👩‍👩‍👧 ❤️ नमस्ते می‌خواهم",
        "Übergröße — “quoted” · ±½ 漢字",
    ],
)
def test_ordinary_texts(text: str | None) -> None:
    assert characters("its template", text) == ()


@pytest.mark.parametrize("bad", ["\x1b", "\x00", "\x07", "\x7f", "\x9b", "\u202e", "\u2067", "\U000e0061"])
def test_characters_that_steer_are_serious(bad: str) -> None:
    (finding,) = characters("its template", f"a{bad}b")
    assert finding.is_serious
    assert (
        finding.words
        == f"its template holds characters that steer a terminal or hide words (U+{ord(bad):04X})"
    )


@pytest.mark.parametrize("odd", ["\u200b", "\u200f", "\u061c", "\ufeff", "\u2063"])
def test_other_invisible_characters_are_told(odd: str) -> None:
    (finding,) = characters("its licence", f"a{odd}b")
    assert not finding.is_serious


def test_many_characters_make_two_short_findings() -> None:
    found = characters("its \x1btemplate", "".join(map(chr, range(0x20))) + "\u200b" * 1000)
    assert [each.is_serious for each in found] == [True, False]
    assert "and 25 more" in found[0].words
    assert found[0].words.isprintable()


@pytest.mark.parametrize(
    ("model", "host", "serious"),
    [
        (CLOUD, "https://ollama.com:443", None),
        (CLOUD, "https://ollama.com", None),
        (CLOUD, "ollama.com", None),
        (MODEL, "https://ollama.com:443", False),
        (CLOUD, "https://evil.example", True),
        (CLOUD, "https://ollama.com.evil.example", True),
        (CLOUD, "http://ollama.com", True),
        (MODEL, "http://10.0.0.1:11434", True),
    ],
)
def test_remote_hosts(model: Model, host: str, serious: bool | None) -> None:
    found = judge_details(model, ModelDetails(remote_host=host))
    assert [each.is_serious for each in found] == ([] if serious is None else [serious])
    assert all(each.kind is Kind.REMOTE_HOST and host in each.words for each in found)


def test_adapters_and_what_cleaning_took_out() -> None:
    hidden = characters("its system", "\x1b")
    found = judge_details(MODEL, ModelDetails(adapters=("sha256:a",), suspicious=hidden))
    assert [(each.kind, each.is_serious) for each in found] == [
        (Kind.CHARACTERS, True),
        (Kind.ADAPTER, False),
    ]


def test_layers() -> None:
    kinds = ["model", "projector", "template", "license", "params", "tensor", "json", "draft"]
    blobs = [Blob(f"sha256:{kind}", 1, f"application/vnd.ollama.image.{kind}") for kind in kinds]
    blobs.append(Blob("sha256:config", 1, "application/vnd.docker.container.image.v1+json"))
    assert judge_manifest(Manifest("d", tuple(blobs))) == ()
    strange = [Blob("sha256:x", 1, "application/vnd.ollama.image.script"), Blob("sha256:y", 1, "text/x-sh")]
    found = judge_manifest(Manifest("d", (*blobs, *strange, *strange)))
    assert [each.words for each in found] == [
        "a layer of the unknown kind “application/vnd.ollama.image.script”",
        "a layer of the unknown kind “text/x-sh”",
    ]
    assert not any(each.is_serious for each in found)


def test_origins_and_what_changed() -> None:
    info = {"general.organization": "Qwen", "general.author": "someone"}
    before = origin(ModelDetails(license="\n  MIT License\n\nCopyright", model_info=info))
    assert (before.publisher, before.licence) == ("Qwen", "MIT License")
    assert origin(ModelDetails(model_info={"general.license": "mit"})).licence == "mit"
    assert origin(ModelDetails()) == Origin(None, None, None)
    assert judge_change(before, before) == ()
    text = origin(ModelDetails(license="MIT License\n\nBut you owe us", model_info=info))
    assert [each.words for each in judge_change(before, text)] == [
        "the text of its licence changed (“MIT License”)"
    ]
    other = origin(ModelDetails(license="Proprietary", model_info={"general.author": "Mallory"}))
    assert [(each.kind, each.words) for each in judge_change(before, other)] == [
        (Kind.PUBLISHER, "its publisher changed from Qwen to Mallory"),
        (Kind.LICENCE, "its licence changed from “MIT License” to “Proprietary”"),
    ]
    assert "nobody" in judge_change(before, Origin(None, None, None))[0].words
