"""Is my estimator right? Twenty models with exact answers say so."""

from my_estimator import my_estimator

from ddtheory.testing import check_estimator, conformance_cells


def test_my_estimator_on_twenty_cells():
    report = check_estimator(my_estimator, conformance_cells()[:20], budget=100_000)
    assert report.passed, report.explain()
