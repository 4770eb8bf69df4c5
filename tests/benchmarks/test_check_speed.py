"""A loose watch over the check after a pull: three times its budget, so that a noisy machine passes."""

import check_speed


def test_the_check_of_a_20_gb_model_is_not_far_too_slow() -> None:
    broken = [row for row in check_speed.rows(runs=1, counts=(6, 300)) if not row.is_within(3)]
    assert not broken, broken
