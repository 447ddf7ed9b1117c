"""`check_estimator`: what passes, what is caught, and that one estimator's crash is nobody else's."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from fractions import Fraction
from typing import Any

import estimators
import jsonschema
import numpy
import pytest

from ddtheory.errors import InvalidValueError
from ddtheory.testing import ConformanceVerdict, Estimate, EstimationTask, LossSamples, check_estimator
from ddtheory.testing.conformance import ConformanceCell, conformance_cells, metropolis, quadrature
from ddtheory.testing.conformance.document import SCHEMA_FILE
from ddtheory.testing.conformance.judging import judge
from ddtheory.testing.conformance.task import from_samples
from ddtheory.testing.conformance.task_result import TaskResult
from ddtheory.values import RLCT, Enclosure

AGREES, BIASED, TOO_WIDE, FAILED = (
    ConformanceVerdict.AGREES,
    ConformanceVerdict.BIASED,
    ConformanceVerdict.TOO_WIDE,
    ConformanceVerdict.FAILED,
)

QUICK = ("x²", "x⁴", "(xy)²", "(xy)⁴", "x², prior |x|", "(xy)², γ = 1", "x²(1−x)⁴ near 0", "(x+y)², x, y ≥ 0")


def cells(*names: str) -> tuple[ConformanceCell, ...]:
    return tuple(cell for cell in conformance_cells() if cell.name in names)


def verdicts(estimator: Callable[[EstimationTask], Any], *names: str, **options: Any) -> set[ConformanceVerdict]:
    report = check_estimator(estimator, cells(*(names or QUICK)), options.pop("budget", 10**6), jobs=1, **options)
    return {result.verdict for result in report.results}


# --- what the four verdicts are for -----------------------------------------------------------------------------------


def test_exact_quadrature_agrees_on_every_cell() -> None:
    """A second algorithm for every target: a float64 grid against series, Mellin–Barnes and validated quadrature."""
    report = check_estimator(quadrature, budget=10**7)
    report.assert_agrees()
    assert len(report.results) == 28
    for result in report.results:
        assert result.estimate is not None
        # 1.5% is the coarsest grid, in four dimensions; the nearest rival is 25% away
        assert result.estimate.value == pytest.approx(float(result.target), rel=0.015)


def test_an_honest_sampler_agrees_on_every_cell() -> None:
    """A third: Metropolis, which knows K pointwise only. Errors are about 1.5%; rivals are 12% away or more."""
    report = check_estimator(metropolis, budget=200_000)
    report.assert_agrees()
    errors = [abs(r.estimate.value - float(r.target)) / r.estimate.standard_error for r in report.results if r.estimate]
    # normal errors: the mean of |z| over 28 cells is 0.80 ± 0.11
    assert 0.4 < sum(errors) / len(errors) < 1.4


def test_a_biased_estimator_is_caught() -> None:
    assert verdicts(estimators.biased) == {BIASED}


def test_lambda_itself_is_biased_where_the_sampler_has_not_arrived() -> None:
    """The estimator that answers λ: right at m = 1, wrong by a third at m = 2."""
    half = lambda task: Estimate(0.5, 0.01)  # noqa: E731
    assert verdicts(half, "x²") == {AGREES}
    assert verdicts(half, "(xy)²", "(xyz)²") == {BIASED}


def test_a_noisy_estimator_is_too_wide_and_no_pass() -> None:
    report = check_estimator(estimators.noisy, cells(*QUICK), 10**6, jobs=1)
    assert {result.verdict for result in report.results} == {TOO_WIDE}
    assert not report.passed
    with pytest.raises(AssertionError, match="does not exclude"):
        report.assert_agrees()


def test_more_seeds_make_a_noisy_estimator_narrow_enough() -> None:
    def scattered(task: EstimationTask) -> Estimate:
        draw = numpy.random.default_rng(task.seed).standard_normal()
        return Estimate(0.5 + 0.1 * draw, 0.1)

    assert verdicts(scattered, "x²") == {TOO_WIDE}
    assert verdicts(scattered, "x²", seeds=range(200)) == {AGREES}


def test_errors_stated_too_small_are_widened_by_the_scatter_between_seeds() -> None:
    def overconfident(task: EstimationTask) -> Estimate:
        draw = numpy.random.default_rng(task.seed).standard_normal()
        return Estimate(0.5 + 0.1 * draw, 0.001)

    report = check_estimator(overconfident, cells("x²"), seeds=range(200), jobs=1)
    (result,) = report.results
    assert result.verdict is AGREES and result.spread is not None
    # scatter over stated error is 100, known to 1/√(2·199) = 5% for 200 seeds
    assert 80 < result.spread < 120
    one = check_estimator(overconfident, cells("x²"), jobs=1).results[0]
    assert one.spread is None


def test_the_walk_out_of_the_box_is_seen() -> None:
    """A sampler without the box falls for the deeper point x = 1; the kit says so."""

    def unbounded(task: EstimationTask) -> LossSamples:
        generator = numpy.random.default_rng(task.seed)
        point, kept = numpy.zeros(1), []
        loss = task.loss(point)
        for _ in range(40_000):
            proposal = point + generator.choice([0.05, 0.3, 1.0]) * generator.standard_normal(1)
            if abs(proposal[0]) < 3 and numpy.log(generator.random()) < task.n_beta * (loss - task.loss(proposal)):
                point, loss = proposal, task.posterior.divergence(proposal[None])[0]
            kept.append(float(loss))
        return LossSamples(kept)

    (result,) = check_estimator(unbounded, cells("x²(1−x)⁴ near 0"), jobs=1).results
    assert result.verdict is BIASED
    assert result.estimate is not None and result.estimate.value < 0.4


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (estimators.crashing, r"FloatingPointError: no luck on .* \(estimators.py, line \d+\)"),
        (lambda task: Estimate(math.nan, 0.1), "The estimate is nan"),
        (lambda task: Estimate(math.inf, 0.1), "The estimate is inf"),
        (lambda task: Estimate(0.5, -0.1), "standard error is -0.1"),
        (lambda task: (0.5, math.nan), "standard error is nan"),
        (lambda task: 0.5, "The estimator returned float"),
        (lambda task: None, "The estimator returned NoneType"),
        (lambda task: (0.5, 0.1, 3), "The estimator returned tuple"),
        (lambda task: ("half", 0.1), "no two numbers"),
        (lambda task: LossSamples([[1.0, math.nan, 1.0, 1.0], [1.0] * 4]), "1 of 2 chains"),
        (lambda task: LossSamples([1.0, 2.0]), "shape"),
        (lambda task: exec("raise SystemExit(3)"), "SystemExit: 3"),
        (estimators.greedy, "BudgetExceededError"),
    ],
)
def test_whatever_goes_wrong_is_a_failure_with_its_message(estimator: Any, message: str) -> None:
    report = check_estimator(estimator, cells("x²", "(xy)²"), 1000, jobs=1)
    assert {result.verdict for result in report.results} == {FAILED}
    for result in report.results:
        assert re.search(message, result.reason) and "\n" not in result.reason


def test_an_infinite_error_is_too_wide() -> None:
    assert verdicts(lambda task: (0.5, math.inf), "x²") == {TOO_WIDE}


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (estimators.crashing_on_one, "FloatingPointError"),
        (estimators.dying_on_one, "the worker process died"),
        (estimators.sleeping_on_one, "TimeoutError: stopped after 3 seconds"),
    ],
)
def test_one_bad_cell_leaves_the_others_alone(estimator: Any, message: str) -> None:
    report = check_estimator(estimator, cells("x²", "x⁴", "x⁶"), jobs=2, time_limit=3)
    assert {result.cell: result.verdict for result in report.results} == {"x²": AGREES, "x⁴": FAILED, "x⁶": AGREES}
    assert message in report["x⁴"].reason
    assert report.where == "2 processes"


def test_a_time_out_in_this_process() -> None:
    report = check_estimator(estimators.sleeping_on_one, cells("x²", "x⁴"), jobs=1, time_limit=0.5)
    assert [result.verdict for result in report.results] == [AGREES, FAILED]
    assert "no answer within 0.5 seconds" in report["x⁴"].reason


def test_one_seed_that_fails_fails_the_cell() -> None:
    report = check_estimator(
        lambda task: quadrature(task) if task.seed else estimators.crashing(task), cells("x²"), seeds=(0, 1, 2)
    )
    assert report.results[0].verdict is FAILED
    assert "(1 of 3 seeds)" in report.results[0].reason


def test_a_lambda_runs_in_this_process_and_a_function_elsewhere() -> None:
    chosen = cells("x²", "x⁴")
    assert check_estimator(lambda task: quadrature(task), chosen).where == "this process"
    assert check_estimator(quadrature, chosen, jobs=2).where == "2 processes"


# --- the rule, by hand ------------------------------------------------------------------------------------------------


def ruling(value: float, error: float, *, rival: float = 0.5, tolerance: float = 0.01) -> ConformanceVerdict:
    run = TaskResult("c", 0, Estimate(value, error), "", 1, 0.0)
    return judge("c", RLCT(Fraction(2, 5)), Enclosure("0.4"), {"rival": rival}, [run], tolerance).verdict


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (0.4, 0.0, AGREES),
        (0.4, 0.0302, AGREES),  # 3.3 · 0.0302 = 0.0997 < 0.1, the distance of 0.5 and of 0.4 · (1 ± 1/4)
        (0.4, 0.0304, TOO_WIDE),
        (0.43, 0.02, AGREES),  # [0.364, 0.496]
        (0.43, 0.022, TOO_WIDE),  # [0.357, 0.503] holds 0.5
        (0.403, 0.0, AGREES),  # within 1%
        (0.405, 0.0, BIASED),
        (0.405, 0.001, AGREES),
        (0.5, 0.01, BIASED),
        (0.5, 0.04, TOO_WIDE),  # [0.368, 0.632] holds the value, and the rival
        (-0.1, 0.01, BIASED),
        (4000.0, 2000.0, TOO_WIDE),
    ],
)
def test_the_rule(value: float, error: float, expected: ConformanceVerdict) -> None:
    assert ruling(value, error) is expected


def test_a_nearer_rival_asks_for_a_narrower_interval() -> None:
    assert ruling(0.4, 0.02) is AGREES
    assert ruling(0.4, 0.02, rival=0.45) is TOO_WIDE


def test_the_limit_is_a_rival_where_it_differs() -> None:
    runs = [TaskResult("c", 0, Estimate(0.38, 0.001), "", 1, 0.0)]
    names = [r.name for r in judge("c", RLCT(Fraction(1, 2), 2), Enclosure("0.38"), {}, runs, 0.01).rivals]
    assert names == ["a quarter below", "a quarter above", "the limit λ"]
    names = [r.name for r in judge("c", RLCT(Fraction(1, 2)), Enclosure("0.499"), {}, runs, 0.01).rivals]
    assert names == ["a quarter below", "a quarter above"]


def test_errors_of_samples_know_the_memory_of_a_chain() -> None:
    """AR(1) with ρ = 0.9: the variance of the mean is (1 + ρ)/(1 − ρ) = 19 times that of independent draws."""
    generator = numpy.random.default_rng(0)
    rho, draws, chains = 0.9, 40_000, 4
    noise = generator.standard_normal((chains, draws))
    series = numpy.empty_like(noise)
    series[:, 0] = noise[:, 0] / math.sqrt(1 - rho**2)
    for i in range(1, draws):
        series[:, i] = rho * series[:, i - 1] + noise[:, i]
    expected = math.sqrt(1 / (1 - rho) ** 2 / (chains * draws))
    found = from_samples(LossSamples(series), 1.0).standard_error
    # batch means are a few percent low at this length, and the larger of two errors is a little high
    assert 0.85 * expected < found < 1.8 * expected
    naive = float(series.std()) / math.sqrt(series.size)
    assert found > 3 * naive


def test_chains_that_do_not_mix_have_a_large_error() -> None:
    stuck = numpy.repeat([[1.0], [2.0], [3.0], [4.0]], 100, axis=1)
    assert from_samples(LossSamples(stuck), 2.0) == Estimate(5.0, pytest.approx(2 * math.sqrt(5 / 3) / 2))


# --- the report -------------------------------------------------------------------------------------------------------


def mixed(task: EstimationTask) -> Any:
    if task.cell == "x⁶":
        return None
    if task.cell == "x⁴":
        return 0.25, math.inf
    return quadrature(task) if task.cell == "x²" else Estimate(1.0, 0.01)


def test_the_json_has_the_schema_that_ships_with_it() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    report = check_estimator(mixed, cells("x²", "x⁴", "x⁶", "(xy)²"), seeds=(0, 1), jobs=1)
    found = json.loads(report.to_json())
    jsonschema.validate(found, schema)
    assert found["summary"] == {
        "cells": 4,
        "verdicts": {"agrees": 1, "biased": 1, "failed": 1, "too wide": 1},
        "passed": False,
    }
    broken = {**found, "cells": [{**found["cells"][0], "estimate": None}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def test_two_runs_differ_only_under_run() -> None:
    reports = [check_estimator(metropolis, cells("x²", "(xy)²"), 5000, jobs=jobs).document() for jobs in (1, 2)]
    assert reports[0].pop("run") != reports[1].pop("run")
    assert reports[0] == reports[1]


def test_the_report_is_frozen_and_can_be_asked_for_a_cell(tmp_path: Any) -> None:
    report = check_estimator(quadrature, cells("x²", "(xy)²"), jobs=1)
    with pytest.raises(FrozenInstanceError):
        report.estimator = "mine"  # type: ignore[misc]
    assert float(report["(xy)²"].target) == pytest.approx(0.379877174463, abs=1e-11)
    with pytest.raises(KeyError, match="x⁴"):
        report["x⁴"]
    report.write(tmp_path / "out" / "report.json")
    assert json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["estimator"] == "quadrature"
    assert "quadrature: 2 agrees" in report.explain()


def test_passes_are_counted() -> None:
    def three(task: EstimationTask) -> Estimate:
        task.loss(task.truth)
        task.loss_and_gradient(numpy.zeros((2, task.dimension)))
        return Estimate(0.5, 0.01)

    report = check_estimator(three, cells("x²"), seeds=(1, 2), jobs=1)
    assert report.passes == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cells": ()}, "nothing to check"),
        ({"seeds": ()}, "nothing to check"),
        ({"tolerance": 0.5}, "tolerance"),
        ({"budget": 0}, "budget"),
        ({"n": 0}, "n ≥ 1"),
        ({"jobs": 0}, "at least 1"),
        ({"cells": cells("x²") * 2}, "distinct names"),
    ],
)
def test_settings_that_mean_nothing_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        check_estimator(quadrature, **{"cells": cells("x²"), **options})


def test_any_object_with_the_right_attributes_is_a_cell() -> None:
    class Mine:
        name = "mine"
        posterior = cells("x²")[0].posterior
        rlct = RLCT(Fraction(1, 2))

        def target(self, n_beta: Fraction) -> Enclosure:
            return Enclosure("0.5", "1e-6")

        def rivals(self, n_beta: Fraction) -> dict[str, float]:
            return {}

    assert check_estimator(quadrature, [Mine()], jobs=1).passed


def test_the_picture_has_a_row_a_cell_and_an_interval_where_there_is_one() -> None:
    report = check_estimator(mixed, cells("x²", "x⁴", "x⁶", "(xy)²"), jobs=1)
    figure = report.picture()
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [result.cell for result in report.results]
    assert [text.get_text() for text in axes.texts] == ["failed"]
    segments = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 2.5]
    assert len(segments) == 3
    # the infinite interval of x⁴ is cut off at the edges of the picture
    assert list(segments[1].get_xdata()) == [0, axes.get_xlim()[1]]
