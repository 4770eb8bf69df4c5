"""Every recorded pull of both versions through the decoder and the reducer."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from replay import (  # type: ignore[import-not-found, unused-ignore]
    VERSIONS,
    recorded_lines,
    recorded_stems,
    recording,
)

from modeltui.domain.events import Announced, Checked, ServerError, Started, Tick
from modeltui.domain.names import parse
from modeltui.domain.reducer import reduce
from modeltui.domain.transfers import Blob, CheckResult, Manifest, State, Transfer
from modeltui.ollama.pull import decode

OLDER, NEWER = VERSIONS
PULLS = recorded_stems("pull_") + recorded_stems("cloud_pull")
# State and cause at the end of a recording; the client of those that end in `pulling` hung up.
ENDS = """
checking             | after_kill mid_resumed nostream_ok resets_then_ok small small_again stalled_40s update
checking             | while_sibling_deleted
pulling              | after_max_retries after_restart shared_first shared_second
pulling              | mid_cancelled mid_resumed_at_once
retrying network     | 500_html max_retries nohost refused unknown_nostream cloud
retrying digest      | corrupt
failed unauthorized  | 401
failed needs_newer_server  | 412
failed invalid_name  | bad_name bad_name4 cloud_local
failed plain_http_registry | secure_http_registry
failed unknown_model | unknown
"""
ROWS = [row.split("|") for row in ENDS.strip().splitlines()]
END_OF = {stem: end.split() for end, stems in ROWS for stem in stems.split()}
# 0.24.0 found its weights whole after the kill; its client hung up while it verified.
ODD = {(OLDER, "after_kill"): ["verifying"]}


def _replay(recorded: dict[str, Any], manifest: Manifest | None = None) -> list[Transfer]:
    """The transfer after every line of a recording; time passes between them."""
    seconds = [at for at, _ in recorded.get("events", [])]
    transfer, _ = reduce(Transfer(parse("m")), Started(0))
    if manifest is not None:
        transfer, _ = reduce(transfer, Announced(0, manifest))
    steps = [transfer]
    for number, line in enumerate(recorded_lines(recorded)):
        at = round(1000 * (seconds[number] if seconds else recorded["seconds"]))
        event = decode(line, at, str)
        assert event is not None
        if isinstance(event, ServerError) and recorded["status"] != 200:
            event = replace(event, status=recorded["status"])
        for each in (Tick(at), event):
            transfer, _ = reduce(transfer, each)
            steps.append(transfer)
    return steps


def _manifest_of(version: str, stem: str) -> Manifest:
    """The layers of a model as a recording shows them."""
    lines = [line for line in recorded_lines(recording(version, stem)) if "digest" in line]
    sizes = {line["digest"]: line["total"] for line in lines}
    return Manifest("0" * 64, tuple(Blob(digest, size) for digest, size in sizes.items()))


@pytest.mark.parametrize(("version", "stem"), PULLS)
@pytest.mark.parametrize("announced", [False, True], ids=["no manifest", "manifest"])
def test_recorded_pull(version: str, stem: str, announced: bool) -> None:
    steps = _replay(recording(version, stem), _manifest_of(version, stem) if announced else None)
    end, short = steps[-1], stem.removeprefix("pull_").removesuffix("_pull")
    assert [word for word in (end.state, end.cause) if word] == ODD.get((version, short), END_OF[short])
    for before, after in pairwise(steps):
        assert after.done >= before.done
        assert (after.total or 0) >= (before.total or 0)
        assert before.percent is None or before.percent <= (after.percent or 0) < 100
        left = after.remaining_ms(after.at)
        assert left is None or left >= 0
        assert announced or after.percent is None
    if end.state is State.CHECKING:
        assert end.done == (end.total or 0)
        installed, _ = reduce(end, Checked(end.at, CheckResult.INSTALLED))
        assert (installed.state, installed.percent) == (State.INSTALLED, 100)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("stem", ["pull_resets_then_ok", "pull_stalled_40s"])
def test_the_counter_went_back_and_progress_did_not(version: str, stem: str) -> None:
    recorded = recording(version, stem)
    weights = [line.get("completed", 0) for line in recorded_lines(recorded) if line.get("total", 0) > 10**9]
    assert any(after < before for before, after in pairwise(weights))
    steps = _replay(recorded)
    assert max(step.done for step in steps) == steps[-1].done == steps[-1].total
    if stem == "pull_stalled_40s":
        # Forty seconds of silence are no stall; ninety would be.
        assert 25_000 < max(step.quiet_ms(step.at) for step in steps) < 90_000


def test_weights_without_an_event_are_known_from_the_manifest() -> None:
    """0.24.0 after a kill: the first layer that is seen has 12 bytes, and 1.4 GB lie there."""
    manifest = _manifest_of(NEWER, "pull_after_kill")
    assert manifest.total > 10**9
    steps = _replay(recording(OLDER, "pull_after_kill"), manifest)
    first = next(step for step in steps if step.state is State.PULLING)
    assert (first.percent, first.layers[0].total) == (99, 12)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_pull_starts_where_it_stood_and_not_with_a_leap_of_speed(version: str) -> None:
    steps = _replay(recording(version, "pull_mid_resumed"))
    assert next(step.done for step in steps if step.done) > 100_000_000
    assert 0 < max(step.speed or 0.0 for step in steps) < 100_000_000


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("stem", ["small", "mid_cancelled", "corrupt", "max_retries", "stalled_40s"])
def test_of_what_was_fetched_anew_nothing_is_said_to_have_been_there(version: str, stem: str) -> None:
    """Real servers name up to 31 MB at the first event of such weights."""
    recorded = recording(version, f"pull_{stem}")
    first = next(line["completed"] for line in recorded_lines(recorded) if line.get("completed"))
    assert first > 3_000_000
    end = _replay(recorded, _manifest_of(version, f"pull_{stem}"))[-1]
    assert (end.present or 0) < 1_000  # the small config, which one of the servers had


@pytest.mark.parametrize("version", VERSIONS)
def test_a_small_part_that_was_there_is_named(version: str) -> None:
    """As recorded, but that 185 MB less are there of as much less: 25 MB, on a line of 60 MB/s."""
    less = 185_000_000
    recorded = recording(version, "pull_mid_resumed")

    def smaller(line: dict[str, Any]) -> dict[str, Any]:
        return {
            **line,
            **{key: line[key] - less for key in ("total", "completed") if line.get(key, 0) > less},
        }

    events = [[at, smaller(line)] for at, line in recorded["events"]]
    steps = _replay({**recorded, "events": events})
    first = next(step.seen for step in steps if step.seen)
    assert 24_000_000 < first < 28_000_000
    at = next(number for number, step in enumerate(steps) if step.present)
    assert 0.7 * first < (steps[at].present or 0) < first
    assert steps[at].at - steps[0].at < 500  # at the start
    assert steps[-1].present == pytest.approx(steps[at].present, abs=1_000)
