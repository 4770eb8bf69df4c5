"""A loose watch over the budgets: three times each, so that a noisy machine does not cry wolf."""

import measure


def test_budgets_hold_within_three_times() -> None:
    measured = measure.rows(runs=3, pulled="qwen3:0.6b")
    broken = [
        f"{row.what}: {row.ours:.3f} s beside {row.bare:.3f} s" for row in measured if not row.is_within(3)
    ]
    assert not broken, broken
