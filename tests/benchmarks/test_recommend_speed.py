"""A loose watch over ranking the whole catalog: three times its budget, so that a noisy machine passes."""

import recommend_speed


def test_ranking_the_whole_catalog_is_not_far_too_slow() -> None:
    broken = [row for row in recommend_speed.rows(runs=3) if not row.is_within(3)]
    assert not broken, broken
