"""The constants that are called fitted are what the shipped scores give."""

import quality_fit

from modeltui.domain.advice.priors import MONTHS_A_DOUBLING, SMALL_COST


def test_the_fitted_constants() -> None:
    found = quality_fit.fit()
    assert found.rows > 500
    assert 2.0 < found.months_a_doubling < MONTHS_A_DOUBLING  # part of it is leaked tests: judged
    assert abs(found.small_cost - SMALL_COST) < 0.25
    assert found.thinking > 1
