"""A loose watch over the time to a catalog in hand: three times its budget, for noisy machines."""

import catalog_forms


def test_the_shipped_form_opens_in_time() -> None:
    (shipped,) = catalog_forms.rows(runs=3, names=(catalog_forms.SHIPPED,))
    assert shipped.ms <= 3 * catalog_forms.BUDGET_MS
    assert shipped.wheel < 400_000
