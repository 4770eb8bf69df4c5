"""A loose watch over the speed of `verify`: a third of what is promised, so that a noisy machine passes."""

import shutil

import pytest
import verify_speed

START_S = 2.0  # of a program with a server to ask, on a busy machine


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum to compare with")
def test_verify_is_not_far_slower_than_sha256sum() -> None:
    ours, bare = verify_speed.measure(megabytes=200, runs=1, how=("warm",))["warm"]
    assert ours <= START_S + 3 * bare / verify_speed.LEAST, (ours, bare)
