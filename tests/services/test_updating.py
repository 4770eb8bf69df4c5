"""The update check on a server and registries of their own, and what is queued of what it finds."""

import json
from dataclasses import replace

import pytest
from demo_stage import (  # type: ignore[import-not-found, unused-ignore]  # beside us, not in a package
    BROKEN,
    CHAT,
    CLOUD,
    CODER,
    EMBED,
    FRESH,
    OTHER,
    Opener,
    Place,
)

from modeltui.demo.faults import Kind
from modeltui.demo.library import DemoModel, manifest_of
from modeltui.domain.models import Model
from modeltui.domain.names import parse
from modeltui.domain.query import parse as words
from modeltui.domain.updates import Verdict
from modeltui.errors import NoSuchModel, Refusal, Unreachable
from modeltui.registry import manifests
from modeltui.services.filtering import subject_of
from modeltui.services.library import Entry
from modeltui.services.updating import Finding, Updating, refusal

CODER_2 = replace(CODER, template="{{ .Newer }}", hours=1)
CHAT_2 = replace(CHAT, template="{{ .Newer }}", hours=-1)
"""Pushed after anything that a test does."""
MANIFEST = "/v2/library/{}/manifests/{}"


async def check(place: Place, *typed: str) -> dict[str, Finding]:
    updating = Updating(place.services, place.link)
    findings = await updating.check(await updating.chosen(typed))
    return {finding.model.shown: finding for finding in findings}


async def verdicts(place: Place, *typed: str) -> dict[str, Verdict]:
    return {shown: finding.verdict for shown, finding in (await check(place, *typed)).items()}


async def entry_of(place: Place, shown: str) -> Entry:
    found: Entry | None = (await place.library.listing()).entry(parse(shown))
    assert found is not None
    return found


def queued(place: Place) -> list[str]:
    return [row.transfer.name.short for row in place.services.store.queue.open()]


def refused(finding: Finding) -> Refusal:
    found = refusal(finding)
    assert found is not None
    return found


async def test_what_is_newer_and_what_is_not(open_place: Opener) -> None:
    place = await open_place(available=(FRESH, OTHER, CHAT, CODER_2, BROKEN))
    found = await check(place)
    assert {shown: finding.verdict for shown, finding in found.items()} == {
        "coder:7b": Verdict.NEWER,
        "writer:latest": Verdict.LOCAL,
        "chat:latest": Verdict.UP_TO_DATE,
        "embed:latest": Verdict.LOCAL,
        "broken:latest": Verdict.UP_TO_DATE,
    }
    assert found["writer:latest"].reason == f"{place.server.url} has no such tag"
    newer, manifest = found["coder:7b"], manifest_of(CODER_2)
    assert (newer.newer, newer.size, newer.own) == (manifest.digest, manifest.size, ())
    assert newer.missing == sum(
        layer.size for layer in manifest.all_layers if layer.digest not in place.server.library.blobs
    )
    assert 0 < newer.missing < manifest.size
    pushed = place.server.library.available[parse("coder:7b").key].modified
    assert newer.pushed == pushed // 10**9 * 1000
    assert queued(place) == []


async def test_what_was_found_is_remembered_until_the_model_changes(open_place: Opener) -> None:
    place = await open_place(available=(CHAT, CODER_2))
    assert (await entry_of(place, "coder:7b")).newer is None
    await check(place)
    place.trouble(Kind.STATUS, "/v2/*", value=500, times=None)  # from here on nothing is asked again
    entry = await entry_of(place, "coder:7b")
    assert entry.newer is not None
    assert entry.newer.size == manifest_of(CODER_2).size
    assert words("outdated").matches(subject_of(entry))
    assert not words("outdated").matches(subject_of(await entry_of(place, "chat:latest")))
    place.server.library.install(parse("coder:7b"), CODER_2)
    assert (await entry_of(place, "coder:7b")).newer is None


async def test_what_could_not_be_told_takes_nothing_back(open_place: Opener) -> None:
    place = await open_place(available=(CHAT, CODER_2))
    await check(place)
    place.trouble(Kind.STATUS, "/v2/*", value=500, times=None)
    found = await check(place, "coder:7b")
    assert found["coder:7b"].verdict is Verdict.UNKNOWN
    assert found["coder:7b"].reason == f"{place.server.url}: HTTP 500"
    assert "cannot be told" in refused(found["coder:7b"]).message
    assert (await entry_of(place, "coder:7b")).newer is not None


async def test_a_newer_version_that_was_taken_back_is_forgotten(open_place: Opener) -> None:
    place = await open_place(available=(CODER_2,))
    await check(place)
    place.server.library.publish(CODER)
    assert await verdicts(place, "coder:7b") == {"coder:7b": Verdict.UP_TO_DATE}
    assert (await entry_of(place, "coder:7b")).newer is None


async def test_only_what_is_named_is_checked(open_place: Opener) -> None:
    place = await open_place(available=(CHAT, CODER_2))
    assert await verdicts(place, "chat", "CHAT:latest") == {"chat:latest": Verdict.UP_TO_DATE}
    assert await verdicts(place, "huge:120b-cloud") == {CLOUD.name: Verdict.LOCAL}
    with pytest.raises(NoSuchModel):
        await check(place, "chat", "nothing")


async def test_a_head_that_fails_is_followed_by_the_manifest(open_place: Opener) -> None:
    place = await open_place(available=(CHAT, CODER_2))
    for model, tag in (("coder", "7b"), ("chat", "latest"), ("embed", "latest")):
        place.trouble(Kind.STATUS, MANIFEST.format(model, tag), value=405)
    found = await check(place, "coder:7b", "chat", "embed")
    assert [finding.verdict for finding in found.values()] == [
        *(Verdict.NEWER, Verdict.UP_TO_DATE, Verdict.LOCAL)
    ]
    assert found["coder:7b"].pushed is None  # the manifest itself does not say when


async def test_hugging_face_is_asked_for_the_manifest(open_place: Opener) -> None:
    model = DemoModel("hf.co/me/tale:Q4_K_M", "tale", hours=5)
    place = await open_place(installed=(model,), available=(replace(model, template="{{ .Newer }}"),))
    place.trouble(Kind.STATUS, MANIFEST.replace("library", "me").format("tale", "Q4_K_M"), value=401)
    assert await verdicts(place) == {model.name: Verdict.UNKNOWN}  # the first question is the only one
    assert await verdicts(place) == {model.name: Verdict.NEWER}


# Servers before 0.19 write the manifest anew: its digest is never the registry's.


def rewrite(place: Place, name: str) -> None:
    """Give an installed model the manifest that an old server would write: the same in other bytes."""
    entry = place.server.library.installed[parse(name).key]
    raw = json.dumps(json.loads(entry.manifest.raw), indent=1).encode()
    digest = "0" * 56 + f"{len(raw):08}"
    place.server.library.write_manifest(
        entry.name, entry.model, replace(entry.manifest, raw=raw, digest=digest), entry.modified
    )


async def test_a_manifest_in_other_bytes_is_up_to_date_when_every_layer_is_here(place: Place) -> None:
    rewrite(place, "chat:latest")
    rewrite(place, "coder:7b")
    place.server.library.publish(CODER_2)
    found = await check(place, "chat", "coder:7b")
    assert [finding.verdict for finding in found.values()] == [Verdict.UP_TO_DATE, Verdict.NEWER]
    assert found["chat:latest"].reason == "every layer is here; this server writes manifests of its own"


async def test_layers_that_are_here_for_another_tag_prove_nothing(open_place: Opener) -> None:
    place = await open_place(
        installed=(CHAT, replace(CHAT_2, name="chat:2", hours=1)), available=(replace(CHAT_2, hours=1),)
    )
    found = await check(place, "chat:latest")
    assert found["chat:latest"].verdict is Verdict.NEWER
    assert found["chat:latest"].missing == 0


async def test_a_server_that_does_not_tell_of_its_layers(open_place: Opener) -> None:
    place = await open_place(available=(CODER_2,))
    place.trouble(Kind.STATUS, "/api/blobs/*", value=403, times=None)
    found = await check(place, "coder:7b")
    assert (found["coder:7b"].verdict, found["coder:7b"].missing) == (Verdict.NEWER, None)


# What was made here under the registry's name.


async def make(place: Place, name: str = "chat", source: str = "chat", **more: object) -> None:
    await place.outside("POST", "/api/create", model=name, **{"from": source}, **more)


async def test_what_was_changed_here_is_local_until_the_registry_has_something_newer(place: Place) -> None:
    await make(place, parameters={"num_ctx": 4096}, system="Mine.")
    found = (await check(place, "chat"))["chat:latest"]
    assert found.verdict is Verdict.LOCAL
    assert found.reason == "changed here: parameter num_ctx, system prompt"

    place.server.library.publish(CHAT_2)
    found = (await check(place, "chat"))["chat:latest"]
    assert (found.verdict, found.own) == (Verdict.NEWER, ("parameter num_ctx", "system prompt", "template"))
    assert not found.is_due
    error = refused(found)
    assert "would overwrite its own parameter num_ctx, system prompt, template" in error.message
    assert "modeltui cp chat:latest NAME; modeltui pull chat:latest" in (error.remedy or "")
    assert Updating(place.services, place.link).enqueue([found]) == ()
    assert queued(place) == []
    assert (await place.http.post("/api/show", json={"model": "chat"})).json()["system"] == "Mine."


async def test_what_was_made_here_and_has_nothing_of_its_own_is_updated(place: Place) -> None:
    await make(place)
    place.server.library.publish(replace(CHAT_2, template=CHAT.template, licence="Other"))
    found = (await check(place, "chat"))["chat:latest"]
    assert (found.verdict, found.own, found.is_due) == (Verdict.NEWER, (), True)


async def test_another_model_under_the_registry_s_name_keeps_its_weights(place: Place) -> None:
    await make(place, "coder:7b", "chat")
    place.server.library.publish(replace(CODER_2, hours=-1))
    found = (await check(place, "coder:7b"))["coder:7b"]
    assert (found.verdict, "weights of chat:latest" in found.own) == (Verdict.NEWER, True)


async def test_parts_that_cannot_be_read_are_taken_for_its_own(place: Place) -> None:
    await make(place, parameters={"num_ctx": 4096})
    place.server.library.publish(CHAT_2)
    place.trouble(Kind.STATUS, "/v2/library/chat/blobs/*", value=500, times=None)
    assert (await check(place, "chat"))["chat:latest"].own == ("parameter num_ctx",)


async def test_without_a_push_time_the_weights_tell_whether_it_was_changed_here(open_place: Opener) -> None:
    model = DemoModel("hf.co/me/tale:Q4_K_M", "tale", hours=5)
    place = await open_place(installed=(model,), available=(model,))
    await make(place, model.name, model.name, system="Mine.")
    assert await verdicts(place) == {model.name: Verdict.LOCAL}
    place.server.library.publish(replace(model, weights="tale 2"))
    found = (await check(place))[model.name]
    assert (found.verdict, found.own) == (Verdict.NEWER, ("system prompt",))


async def test_what_a_registry_once_had_is_nobody_s_own(open_place: Opener) -> None:
    """Who pushes a model that was made from another one pushes that mark, too."""
    pushed = replace(CHAT, parent="base:latest", system="Theirs.")
    place = await open_place(installed=(pushed,), available=(CHAT_2,))
    assert (await check(place, "chat"))["chat:latest"].own == ("system prompt", "template")

    place.server.library.publish(pushed)
    assert await verdicts(place, "chat") == {"chat:latest": Verdict.UP_TO_DATE}
    place.server.library.publish(CHAT_2)
    for _ in range(2):  # it stays known, whatever was found since
        assert (await check(place, "chat"))["chat:latest"].is_due


async def test_a_damaged_model_is_due(open_place: Opener) -> None:
    place = await open_place(available=(replace(BROKEN, template="{{ .Newer }}"),))
    found = (await check(place, "broken"))["broken:latest"]
    assert found.is_due


# Registries that fail, and who is asked.


async def test_a_registry_that_is_away_stops_no_other(open_place: Opener) -> None:
    away = DemoModel("registry.lan:5000/team/tool:latest")
    plain = DemoModel("plain.lan:5000/team/tool:latest")
    place = await open_place(
        '[registries."registry.lan:5000"]\nbase_url = "http://127.0.0.1:1"\n'
        '[registries."plain.lan:5000"]\ninsecure = true\n',
        installed=(away, CHAT, plain, CODER),
        available=(CHAT, CODER_2),
    )
    found = await check(place)
    assert {shown: finding.verdict for shown, finding in found.items()} == {
        away.name: Verdict.UNKNOWN,
        "chat:latest": Verdict.UP_TO_DATE,
        plain.name: Verdict.UNKNOWN,
        "coder:7b": Verdict.NEWER,
    }
    assert found[away.name].reason.startswith("http://127.0.0.1:1: ")
    assert "plain http is asked on loopback only" in found[plain.name].reason


async def test_a_silent_registry_is_not_waited_for_again(
    open_place: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tuple(replace(CHAT, name=f"chat:{number}") for number in range(9))
    place = await open_place(installed=many, available=many)
    monkeypatch.setattr(manifests, "TOTAL_S", 0.2)
    place.trouble(Kind.HANG, "/v2/*", times=4)  # whoever came after would be answered
    found = await check(place)
    assert {finding.verdict for finding in found.values()} == {Verdict.UNKNOWN}
    assert len(found) == 9
    monkeypatch.undo()
    place.server.faults.clear()
    assert set((await verdicts(place)).values()) == {Verdict.UP_TO_DATE}  # a new check asks anew


async def test_the_alias_of_the_current_model_is_nobody_else_s_name(open_place: Opener) -> None:
    alias = replace(CHAT, name="current:latest")
    place = await open_place('[current]\nalias = "current"\n', installed=(alias,), available=(alias,))
    assert await verdicts(place) == {"current:latest": Verdict.LOCAL}


async def test_what_has_no_digest_cannot_be_told(place: Place) -> None:
    entry = place.server.library.installed[parse("chat").key]
    place.server.library.write_manifest(entry.name, entry.model, replace(entry.manifest, digest=""))
    found = (await check(place, "chat"))["chat:latest"]
    assert (found.verdict, found.reason) == (Verdict.UNKNOWN, "the server lists no digest")


async def test_models_are_taken_as_they_are_listed_now(open_place: Opener) -> None:
    place = await open_place(available=(CODER_2,))
    chosen = await Updating(place.services, place.link).chosen(["coder:7b", "chat"])
    place.server.library.install(parse("coder:7b"), CODER_2)
    place.server.library.remove(parse("chat").key)
    (found,) = await Updating(place.services, place.link).check(chosen)
    assert (found.model.shown, found.verdict) == ("coder:7b", Verdict.UP_TO_DATE)


async def test_a_server_that_fails_for_one_model_stops_no_other(open_place: Opener) -> None:
    place = await open_place(available=(CHAT, CODER_2))
    place.trouble(Kind.STATUS, "/api/show", name="coder:7b", value=500, times=None)
    found = await check(place, "coder:7b", "chat")
    assert [finding.verdict for finding in found.values()] == [Verdict.UNKNOWN, Verdict.UP_TO_DATE]
    assert "show coder:7b" in found["coder:7b"].reason


async def test_a_server_that_is_away_is_an_error(place: Place) -> None:
    chosen = await Updating(place.services, place.link).chosen([])
    await place.server.stop()
    with pytest.raises(Unreachable):
        await Updating(place.services, place.link).check(chosen)


# Queued.


async def test_what_is_due_is_queued_once(open_place: Opener) -> None:
    place = await open_place(available=(CHAT, CODER_2, replace(EMBED, licence="New")))
    updating = Updating(place.services, place.link)
    findings = await updating.check(await updating.chosen([]))
    first = updating.enqueue(findings)
    assert [(row.transfer.name.short, is_new) for row, is_new in first] == [
        ("coder:7b", True),
        ("embed:latest", True),
    ]
    assert [is_new for _, is_new in updating.enqueue(findings)] == [False, False]
    assert queued(place) == ["coder:7b", "embed:latest"]


def test_nothing_is_refused_of_what_is_up_to_date_or_due() -> None:
    model = Model("chat:latest", "chat:latest", parse("chat"))
    assert refusal(Finding(model, Verdict.UP_TO_DATE)) is None
    assert refusal(Finding(model, Verdict.NEWER)) is None
    assert "no such tag" in refused(Finding(model, Verdict.LOCAL, "it has no such tag")).message
