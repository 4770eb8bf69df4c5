"""A loose watch over the runner's budgets: three times each, so that a noisy machine does not cry wolf."""

import runner_costs


def test_the_runner_holds_its_budgets_within_three_times() -> None:
    broken = [str(row) for row in runner_costs.rows(seconds=4, runs=1) if not row.is_within(3)]
    assert not broken, "\n".join(broken)
