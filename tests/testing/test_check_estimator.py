"""`check_estimator`: what passes, what is caught, and that one estimator's crash is nobody else's."""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from functools import partial
from typing import Any

import estimators
import jsonschema
import numpy
import pytest

from ddtheory.errors import InvalidValueError
from ddtheory.testing import ConformanceVerdict, Estimate, EstimationTask, LossSamples, check_estimator
from ddtheory.testing.conformance import ConformanceCell, conformance_cells, metropolis, quadrature
from ddtheory.testing.conformance.devinterp_sgld import DevinterpSGLD
from ddtheory.testing.conformance.document import SCHEMA_FILE
from ddtheory.testing.conformance.judging import combine, judge
from ddtheory.testing.conformance.task import from_samples
from ddtheory.testing.conformance.task_result import TaskResult
from ddtheory.values import RLCT, Enclosure

AGREES, BIASED, TOO_WIDE, FAILED = (
    ConformanceVerdict.AGREES,
    ConformanceVerdict.BIASED,
    ConformanceVerdict.TOO_WIDE,
    ConformanceVerdict.FAILED,
)

HERE: dict[str, Any] = {"jobs": 1, "time_limit": None}
"""In this process, which is what a debugger wants, and quick."""

QUICK = ("x²", "x⁴", "(xy)²", "(xy)⁴", "x², prior |x|", "(xy)², γ = 1", "x²(1−x)⁴ near 0", "(x+y)², x, y ≥ 0")


def cells(*names: str) -> tuple[ConformanceCell, ...]:
    return tuple(cell for cell in conformance_cells() if cell.name in names)


def verdicts(estimator: Callable[[EstimationTask], Any], *names: str, **options: Any) -> set[ConformanceVerdict]:
    report = check_estimator(estimator, cells(*(names or QUICK)), options.pop("budget", 10**6), **HERE, **options)
    return {result.verdict for result in report.results}


# --- what the four verdicts are for -----------------------------------------------------------------------------------


@pytest.mark.long
def test_exact_quadrature_agrees_on_every_cell() -> None:
    """A second algorithm for every target: a float64 grid against series, Mellin–Barnes and validated quadrature."""
    report = check_estimator(quadrature, budget=10**7)
    report.assert_agrees()
    assert len(report.results) == 28
    for result in report.results:
        assert result.estimate is not None
        # 1.5% is the coarsest grid, in four dimensions; the nearest rival is 25% away
        assert result.estimate.value == pytest.approx(float(result.target), rel=0.015)


@pytest.mark.slow
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


@pytest.mark.parametrize("way", ["loss", "loss_and_gradient"])
def test_what_was_asked_outside_of_the_box_is_told_where_an_estimator_is_wrong(way: str) -> None:
    """One point in four outside; the control asks for four at the truth, and a right answer is not bothered."""

    def asked(task: EstimationTask, distance: float, value: float) -> Estimate:
        points = numpy.tile(task.truth, (4, 1))
        points[0] += distance * (task.upper - task.lower)
        getattr(task, way)(points)
        assert task.share_outside == (0.25 if distance else 0)
        return Estimate(value, 0.01)

    def reason(distance: float, value: float) -> str:
        report = check_estimator(partial(asked, distance=distance, value=value), cells("x²"), 10, **HERE)
        return report.results[0].reason

    assert "outside of the box in 25% of the passes" in reason(2, 5.0)
    assert "box" not in reason(0, 5.0)
    assert "box" not in reason(2, 0.5)


def test_a_noisy_estimator_is_too_wide_and_no_pass() -> None:
    report = check_estimator(estimators.noisy, cells(*QUICK), 10**6, **HERE)
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

    report = check_estimator(overconfident, cells("x²"), seeds=range(200), **HERE)
    (result,) = report.results
    assert result.verdict is AGREES and result.spread is not None
    # scatter over stated error is 100, known to 1/√(2·199) = 5% for 200 seeds
    assert 80 < result.spread < 120
    one = check_estimator(overconfident, cells("x²"), **HERE).results[0]
    assert one.spread is None


@pytest.mark.long
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

    (result,) = check_estimator(unbounded, cells("x²(1−x)⁴ near 0"), **HERE).results
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
        (lambda task: ("half", 0.1), "which is no number"),
        (lambda task: ("0.5", "0.1"), "which is no number"),
        (lambda task: (True, 0.1), "which is no number"),
        (lambda task: (0.5 + 0j, 0.1), "which is no number"),
        (lambda task: task.loss(numpy.zeros((3, 7))), r"Points have shape \(rows, \d\)"),
        (lambda task: task.loss("everywhere"), "Points of type str"),
        (lambda task: task.charge(-1), "passes = -1"),
        (estimators.unspeakable, "Unspeakable: its message cannot be read, Unspeakable"),
        (estimators.hostile_message, r"ValueError: a\\u001b\[2Jb c\\ud800"),
        (lambda task: LossSamples([[1.0, math.nan, 1.0, 1.0], [1.0] * 4]), "1 of 2 chains"),
        (lambda task: LossSamples([1.0, 2.0]), "shape"),
        (lambda task: exec("raise SystemExit(3)"), "SystemExit: 3"),
        (estimators.greedy, "BudgetExceededError"),
    ],
)
def test_whatever_goes_wrong_is_a_failure_with_its_message(estimator: Any, message: str) -> None:
    report = check_estimator(estimator, cells("x²", "(xy)²"), 1000, **HERE)
    assert {result.verdict for result in report.results} == {FAILED}
    for result in report.results:
        assert re.search(message, result.reason) and "\n" not in result.reason


def test_an_infinite_error_is_too_wide() -> None:
    assert verdicts(lambda task: (0.5, math.inf), "x²") == {TOO_WIDE}


@pytest.mark.long
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


@pytest.mark.long
def test_a_time_out_of_one_process() -> None:
    report = check_estimator(estimators.sleeping_on_one, cells("x²", "x⁴"), jobs=1, time_limit=3)
    assert [result.verdict for result in report.results] == [AGREES, FAILED]
    assert report["x⁴"].reason == "TimeoutError: stopped after 3 seconds" and report.where == "1 process"


def test_one_seed_that_fails_fails_the_cell() -> None:
    report = check_estimator(
        lambda task: quadrature(task) if task.seed else estimators.crashing(task), cells("x²"), seeds=(0, 1, 2), **HERE
    )
    assert report.results[0].verdict is FAILED
    assert "(1 of 3 seeds)" in report.results[0].reason


@pytest.mark.long
def test_where_an_estimator_runs() -> None:
    """A lambda travels as a function does; without a limit of time one job is this process, and a closure counts."""
    calls: list[str] = []
    chosen = cells("x²", "x⁴")
    counting = lambda task: calls.append(task.cell) or quadrature(task)  # noqa: E731
    assert check_estimator(counting, chosen, **HERE).where == "this process" and calls == ["x²", "x⁴"]
    assert check_estimator(counting, chosen, jobs=2).where == "2 processes" and calls == ["x²", "x⁴"]


def test_an_estimator_that_cannot_travel_is_refused_before_anything_runs() -> None:
    lock = threading.Lock()

    def locked(task: EstimationTask) -> Estimate:
        with lock:
            return quadrature(task)

    with pytest.raises(InvalidValueError, match=r"cannot be sent to a process of its own.*pass jobs=1 and time_limit"):
        check_estimator(locked, cells("x²"))
    assert check_estimator(locked, cells("x²"), **HERE).passed


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
        (1e308, 0.0, BIASED),
        (0.4, 1e308, TOO_WIDE),
        (4000.0, 2000.0, TOO_WIDE),
    ],
)
def test_the_rule(value: float, error: float, expected: ConformanceVerdict) -> None:
    assert ruling(value, error) is expected


@pytest.mark.parametrize(("error", "negative"), [(0.01, True), (0.2, True), (0.01, False)])
def test_a_negative_value_comes_with_its_likely_causes(error: float, negative: bool) -> None:
    """K ≥ 0, so no bias of a fraction explains it: what does is a baseline, another region, an unstable step."""
    run = TaskResult("c", 0, Estimate(-0.3 if negative else 0.3, error), "", 1, 0.0)
    found = judge("c", RLCT(Fraction(2, 5)), Enclosure("0.4"), {}, [run], 0.01)
    assert found.verdict is (TOO_WIDE if error > 0.1 and not negative else BIASED)
    assert "175" not in found.reason  # -0.7/0.4 is -175%, a share that says nothing
    for cause in ("baseline", "local region", "step"):
        assert (cause in found.reason) is negative


@pytest.mark.parametrize(("value", "says"), [(0.5, "heats the chain"), (0.3, "have not forgotten w*"), (-0.3, "K ≥ 0")])
def test_the_side_of_a_bias_has_its_own_causes(value: float, says: str) -> None:
    """A step, noise, a weak pin make λ(nβ) larger; a start at w*, a strong pin smaller; nothing makes it negative."""
    causes = {"heats the chain", "have not forgotten w*", "K ≥ 0"}

    def reason(value: float, error: float) -> str:
        run = TaskResult("c", 0, Estimate(value, error), "", 1, 0.0)
        return judge("c", RLCT(Fraction(2, 5)), Enclosure("0.4"), {}, [run], 0.01).reason

    assert {cause for cause in causes if cause in reason(value, 0.01)} == {says}
    assert not any(cause in reason(0.4, 0.01) for cause in causes)
    assert not any(cause in reason(0.35, 0.1) for cause in causes)  # too wide to have a side


def test_a_negative_value_within_a_wide_interval_keeps_its_causes() -> None:
    run = TaskResult("c", 0, Estimate(-0.3, 0.3), "", 1, 0.0)
    found = judge("c", RLCT(Fraction(2, 5)), Enclosure("0.4"), {}, [run], 0.01)
    assert found.verdict is TOO_WIDE and "baseline" in found.reason


def test_two_seeds_of_any_size_are_combined() -> None:
    """Squares of 10²⁰⁰ overflow; their root does not."""
    assert combine([Estimate(1e200, 3e200), Estimate(1e200, 4e200)])[0].standard_error == pytest.approx(2.5e200)


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
    assert from_samples(LossSamples(stuck), 2.0) == Estimate(5.0, 2 * math.sqrt(5 / 3) / 2)


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
    report = check_estimator(mixed, cells("x²", "x⁴", "x⁶", "(xy)²"), seeds=(0, 1), **HERE)
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


@pytest.mark.long
def test_two_runs_differ_only_under_run() -> None:
    reports = [check_estimator(metropolis, cells("x²", "(xy)²"), 5000, jobs=jobs).document() for jobs in (1, 2)]
    assert reports[0].pop("run") != reports[1].pop("run")
    assert reports[0] == reports[1]


def test_the_report_is_frozen_and_can_be_asked_for_a_cell(tmp_path: Any) -> None:
    report = check_estimator(quadrature, cells("x²", "(xy)²"), **HERE)
    with pytest.raises(FrozenInstanceError):
        report.estimator = "mine"  # type: ignore[misc]
    assert float(report["(xy)²"].target) == pytest.approx(0.379877174463, abs=1e-11)
    with pytest.raises(KeyError, match="x⁴"):
        report["x⁴"]
    report.write(tmp_path / "out" / "report.json")
    assert json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["estimator"] == "quadrature"
    assert "quadrature: 2 agrees" in report.explain()


def test_settings_of_the_samplers_that_come_along() -> None:
    for options, message in (
        ({"step_size": -1.0}, "step_size = -1.0"),
        ({"step_size": math.nan}, "step_size = nan"),
        ({"chains": 0}, "chains = 0"),
        ({"chains": True}, "chains = True"),
        ({"burn_in": 1.0}, "burn_in = 1.0"),
        ({"burn_in": math.nan}, "burn_in = nan"),
    ):
        with pytest.raises(InvalidValueError, match=message):
            DevinterpSGLD(**options)
    assert DevinterpSGLD(numpy.float64(1e-3), numpy.int64(4)) == DevinterpSGLD(1e-3, 4)
    found = check_estimator(partial(metropolis, chains=0), cells("x²"), **HERE)
    assert "chains = 0 must be a whole number, at least 1" in found.results[0].reason


def test_passes_are_counted() -> None:
    def three(task: EstimationTask) -> Estimate:
        task.loss(task.truth)
        task.loss_and_gradient(numpy.zeros((2, task.dimension)))
        return Estimate(0.5, 0.01)

    report = check_estimator(three, cells("x²"), seeds=(1, 2), **HERE)
    assert report.passes == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cells": ()}, "nothing to check"),
        ({"seeds": ()}, "nothing to check"),
        ({"tolerance": 0.5}, "tolerance"),
        ({"tolerance": math.nan}, "tolerance"),
        ({"tolerance": "0.01"}, "tolerance"),
        ({"budget": 0}, "budget = 0 must be a whole number, at least 1"),
        ({"budget": -5}, "budget = -5"),
        ({"budget": 1e5}, "budget = 100000.0 must be a whole number"),
        ({"budget": True}, "budget = True"),
        ({"n": 0}, "n = 0 must be a whole number, at least 1"),
        ({"n": math.nan}, "n = nan"),
        ({"beta": 0}, "beta = 0 must be a positive number"),
        ({"beta": math.nan}, "beta = nan"),
        ({"beta": math.inf}, "beta = inf"),
        ({"beta": True}, "beta = True"),
        ({"beta": "1/0"}, "beta = '1/0'"),
        ({"beta": "1e999999999"}, "beta = '1e999999999'"),
        ({"beta": "__import__('os')"}, "beta = "),
        ({"beta": [1]}, "beta = a list"),
        ({"jobs": 0}, "at least 1"),
        ({"jobs": True}, "jobs = True"),
        ({"time_limit": 0}, "time_limit = 0 must be a positive number of seconds"),
        ({"time_limit": math.nan}, "time_limit = nan"),
        ({"time_limit": False}, "time_limit = False"),
        ({"seeds": (0, 0)}, "Seeds are distinct"),
        ({"seeds": (0.5,)}, "a seed = 0.5"),
        ({"seeds": 3}, r"such as range\(3\)"),
        ({"seeds": "01"}, r"such as range\(3\)"),
        ({"cells": cells("x²") * 2}, "distinct names"),
        ({"cells": cells("x²")[0]}, "Put one cell into a list"),
        ({"cells": "x²"}, "Put one cell into a list"),
        ({"cells": [3]}, "A int is no cell"),
        ({"estimator": 3}, "callable"),
    ],
)
def test_settings_that_mean_nothing_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message) as caught:
        check_estimator(**{"estimator": quadrature, "cells": cells("x²"), **options})
    assert "\n" not in str(caught.value)


@pytest.mark.long
def test_integers_of_numpy_are_integers() -> None:
    numbers = {
        "budget": numpy.int32(10**5),
        "n": numpy.int64(4000),
        "seeds": numpy.arange(2),
        "tolerance": numpy.float32(0.01),
    }
    report = check_estimator(quadrature, cells("(xy)²"), beta=numpy.float64(0.125), **numbers, jobs=numpy.int8(1))
    plain = check_estimator(quadrature, cells("(xy)²"), 10**5, beta=Fraction(1, 8), seeds=(0, 1), **HERE)
    assert report.beta == plain.beta and report.seeds == (0, 1) and type(report.n) is int
    assert [run.estimate for run in report.results[0].runs] == [run.estimate for run in plain.results[0].runs]
    assert json.loads(report.to_json())["settings"]["budget"] == 10**5


def test_any_object_with_the_right_attributes_is_a_cell() -> None:
    class Mine:
        name = "mine"
        posterior = cells("x²")[0].posterior
        rlct = RLCT(Fraction(1, 2))

        def target(self, n_beta: Fraction) -> Enclosure:
            return Enclosure("0.5", "1e-6")

        def rivals(self, n_beta: Fraction) -> dict[str, float]:
            return {}

    assert check_estimator(quadrature, [Mine()], **HERE).passed


def test_the_picture_has_a_row_a_cell_and_an_interval_where_there_is_one() -> None:
    report = check_estimator(mixed, cells("x²", "x⁴", "x⁶", "(xy)²"), **HERE)
    figure = report.picture()
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [result.cell for result in report.results]
    assert [text.get_text() for text in axes.texts] == ["failed"]
    segments = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 2.5]
    assert len(segments) == 3
    # the infinite interval of x⁴ is cut off at the edges of the picture
    assert list(segments[1].get_xdata()) == [0, axes.get_xlim()[1]]


def test_everything_is_one_short_line_and_has_a_face_for_notebooks_and_papers() -> None:
    report = check_estimator(mixed, cells("x²", "x⁴", "x⁶", "(xy)²"), **HERE)
    for thing in (report, *report.results, report.results[0].runs[0], *cells("(xy)²"), cells("x²")[0].posterior):
        assert len(repr(thing)) < 120 and "\n" not in repr(thing)
    assert repr(report) == "ConformanceReport(mixed: 1 failed, 1 biased, 1 too wide, 1 agrees)"
    assert repr(report["(xy)²"]) == "CellResult((xy)²: biased, 1 ± 0.01, exact 0.3799)"
    assert report["(xy)²"].latex() == r"n\beta\,\mathbb{E}[K] = 0.3799,\quad \hat\lambda = 1.0000 \pm 0.0100"
    assert r"\infty" in report["x⁴"].latex() and r"\hat" not in report["x⁶"].latex()
    assert report.latex().count(r" \\") == 5 and "x² & 1/2, 1 & 0.5000" in report.latex()
    assert report._repr_html_().count("<tr>") == 5
    (crossing,) = cells("(xy)²")
    assert crossing.latex() == r"K = (w_{1} w_{2})^2,\quad (\lambda, m) = \left(\tfrac{1}{2}, 2\right)"


def test_names_that_attack_a_page_or_a_terminal_are_shown_and_not_obeyed(tmp_path: Any) -> None:
    """The control: what is harmless is left alone, and the file says the names as they are."""
    (line,) = cells("x²")
    names = ["<script>alert(1)</script>", "a\x1b[2Jb", "lone \ud800", "line\u2028end", "100 % & 1_000", "(xy)², x ≥ 0"]
    chosen = [replace(line, name=name) for name in names]
    report = check_estimator(quadrature, chosen, name="<b>\ud800", **HERE)
    page, paper = report._repr_html_(), report.latex()
    assert "<script>" not in page and "&lt;script&gt;" in page and "<b>" not in page
    assert r"100 \% \& 1\_000" in paper and "(xy)², x ≥ 0" in paper and "(xy)², x ≥ 0" in page
    for text in (page, paper, report.explain(), repr(report), *map(repr, (*chosen, *report.results))):
        text.encode("utf-8")
        assert "\x1b" not in text and "\u2028" not in text
    report.write(tmp_path / "report.json")
    kept = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [cell["name"] for cell in kept["cells"]] == names


def test_in_a_notebook_the_text_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """There a console of rich shows what it is given at once, instead of writing it to its file."""
    report = check_estimator(mixed, cells("x²"), **HERE)
    before = report.explain()
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert report.explain() == before and "agrees" in before


def test_a_progress_that_is_no_truth_value_is_refused_before_anything_runs() -> None:
    with pytest.raises(InvalidValueError, match="progress"):
        check_estimator(estimators.sleeping_on_one, cells("x²"), progress=numpy.array(["a", "b"]))  # type: ignore[arg-type]
