"""A loose watch over the screens' budgets: three times each, so that a noisy machine does not cry wolf."""

import screens


def test_screens_hold_their_budgets_within_three_times() -> None:
    broken = [str(row) for row in screens.rows(runs=2, quick=True) if not row.is_within(3)]
    assert not broken, "\n".join(broken)
