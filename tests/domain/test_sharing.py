"""What one transfer brings for another, and what is said of a download that was interrupted."""

from dataclasses import replace

import pytest

from modeltui.domain.causes import Cause
from modeltui.domain.events import Noted
from modeltui.domain.names import parse
from modeltui.domain.reducer import reduce
from modeltui.domain.sharing import brought_by, unfinished
from modeltui.domain.survival import survival_words
from modeltui.domain.transfers import Blob, LayerState, Manifest, State, Transfer
from modeltui.domain.words import state_words

GB, MB = 10**9, 10**6
WEIGHTS, PROJECTOR, TEMPLATE = Blob("sha256:w", 4 * GB), Blob("sha256:p", GB), Blob("sha256:t", 2000)
MANIFEST = Manifest("m", (WEIGHTS, PROJECTOR, TEMPLATE))
PULLING = Transfer(parse("a"), State.PULLING, manifest=MANIFEST)


def waiting(*blobs: Blob) -> Transfer:
    return Transfer(parse("b"), manifest=Manifest("n", blobs))


def test_what_is_still_to_come() -> None:
    assert unfinished(PULLING) == {"sha256:w": 4 * GB, "sha256:p": GB, "sha256:t": 2000}
    half = replace(PULLING, layers=(LayerState("sha256:w", 4 * GB, GB),))
    assert unfinished(half) == unfinished(PULLING)
    whole = replace(PULLING, layers=(LayerState("sha256:w", 4 * GB, 4 * GB),))
    assert set(unfinished(whole)) == {"sha256:p", "sha256:t"}
    # The server says nothing of what it finds complete: the layer after it does.
    later = replace(PULLING, layers=(LayerState("sha256:p", GB, 0),))
    assert set(unfinished(later)) == {"sha256:p", "sha256:t"}
    assert unfinished(replace(PULLING, state=State.VERIFYING)) == {}
    assert unfinished(replace(PULLING, manifest=None)) == {}


def test_who_brings_most() -> None:
    other = Transfer(parse("c"), State.PULLING, manifest=Manifest("o", (PROJECTOR,)))
    both = waiting(WEIGHTS, PROJECTOR)
    assert brought_by(both, [other, PULLING]) == (PULLING, 5 * GB)
    assert brought_by(waiting(PROJECTOR), [other]) == (other, GB)
    assert brought_by(waiting(TEMPLATE), [PULLING]) is None  # not worth a wait
    assert brought_by(waiting(Blob("sha256:x", GB)), [PULLING]) is None
    assert brought_by(replace(both, manifest=None), [PULLING]) is None
    assert brought_by(both, []) is None


@pytest.mark.parametrize(
    ("before", "now", "version", "words"),
    [
        (3100 * MB, 3100 * MB, None, "resumed at 3.1 GB"),
        (3100 * MB, 3200 * MB, "0.33.0", "resumed at 3.2 GB"),
        (3100 * MB, 1200 * MB, "0.33.0", "resumed at 1.2 GB, 1.9 GB are fetched again"),
        (
            *(3100 * MB, 0, "0.20.7"),
            "the server removed what was there "
            "(Ollama before 0.21 does at each restart unless OLLAMA_NOPRUNE is set)",
        ),
        (
            *(3100 * MB, MB, "0.21.0-rc1"),
            "the server removed what was there "
            "(Ollama does at a restart with parts older than an hour unless OLLAMA_NOPRUNE is set)",
        ),
        (3100 * MB, 0, None, "starts anew: what was there is gone"),
        (3100 * MB, 0, "0.0.0", "starts anew: what was there is gone"),
        (3100 * MB, 0, "a fork", "starts anew: what was there is gone"),
    ],
)
def test_what_survived(before: int, now: int, version: str | None, words: str) -> None:
    assert survival_words(before, now, version) == words


def test_what_a_transfer_waits_for_is_its_state_in_words() -> None:
    note = Noted(5, "waits for a:latest, which brings 4.1 GB of it", Cause.SHARED_LAYERS)
    noted, effects = reduce(waiting(WEIGHTS), note)
    assert (state_words(noted, 5, 10), effects) == (note.text, ())
    cleared, _ = reduce(noted, Noted(6, ""))
    assert (state_words(cleared, 6, 10), cleared.cause) == ("waiting", None)


@pytest.mark.parametrize("state", [State.PAUSED, State.BLOCKED, State.RETRYING, State.INSTALLED])
def test_a_note_is_for_what_waits_or_runs(state: State) -> None:
    transfer = replace(PULLING, state=state, detail="its own", at=5)
    assert reduce(transfer, Noted(5, "a note"))[0].detail == "its own"
