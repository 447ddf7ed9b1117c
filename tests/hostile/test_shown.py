"""Every public result shows itself: one line in a terminal, LaTeX, and HTML in a notebook."""

from __future__ import annotations

import dataclasses
import functools
import math
import warnings
from collections.abc import Callable, Mapping
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy
import pytest
import surface
import sympy
import torch

import ddtheory as dd
from ddtheory import cells, gauges, measure, reads, references, testbeds, testing, verify
from ddtheory.exact import formulas, strata
from ddtheory.shown import Shown, counted, in_words, shortened
from ddtheory.tabled import Swept, Tabled

x, y = sympy.symbols("x y")
MANY = sympy.symbols("x1:104")  # a hundred and three


ARC = dd.Arc(3, {z.name: z**2 for z in MANY}, False, "why " * 100)


def orders() -> dd.NetworkOrders:
    """Of twenty layers."""
    model = torch.nn.Sequential(*(layer for _ in range(20) for layer in (torch.nn.Linear(2, 2), torch.nn.Tanh())))
    return dd.network_orders(model.double(), {f"{index}.weight": 1 for index in range(0, 40, 2)})


BOOK = Path(__file__).parents[1] / "verify" / "book"
RADII = (0.5, 0.25, 0.125)
WHY = "why <script>alert(1)</script> & so " * 100


def certificate() -> dict[str, Any]:
    return dd.rlct("(x+y^2)^2 + z^2", seconds=5).to_json()


def undecided() -> dd.certify.Report:
    return dd.certify.check(certificate(), seconds=1e-9)


def accepted() -> dd.certify.Report:
    return dd.certify.check(certificate())


@functools.cache
def book() -> verify.RunResult:
    """The results of a book of five claims, one of them false."""
    return verify.run(verify.load(BOOK), jobs=1)


def claim() -> verify.ClaimResult:
    (found,) = (result for result in book().results if result.verdict is dd.Verdict.REFUTED)
    return dataclasses.replace(found, reason=WHY, weak=(verify.WeakFoundation("thm:<b>", "moved"),))


def long_model() -> dd.models.Model:
    """A hundred and three parameters."""
    return dd.models.regression([z**2 for z in MANY], truth=0)


def truth() -> cells.Truth:
    routes = [cells.Route(f"route {n} <b>", WHY, lambda: dd.RLCT(Fraction(1, 2))) for n in range(30)]
    found = tuple(cells.RouteResult(route, route.compute()) for route in routes)
    return cells.Truth(cells.Status.EXACT, found[0].found, found[0].found, found)


def layered() -> measure.Problem:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1)).double()
    return measure.Problem.from_module(network, torch.eye(2, dtype=torch.float64), measure.Gaussian())


@functools.cache
def equivariance() -> testing.EquivarianceReport:
    """Momentum on a chain of one channel, which it breaks."""
    layers = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)).double()
    with torch.no_grad():
        for value in layers.parameters():
            value.fill_(0.5)
    one, legs = torch.ones(1, 1), (gauges.Leg("0.weight"), gauges.Leg("1.weight", 1, dual=True))
    chain = gauges.Gauge("<b>", gauges.Group.POSITIVE, 1, legs)
    return testing.check_equivariance(
        lambda model: torch.optim.SGD(model.parameters(), 0.1, momentum=0.9), layers, (one, one), chain, name=WHY
    )


def found_gauges() -> gauges.FoundGauges:
    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    return gauges.find_gauges(layers, torch.eye(2))


@functools.cache
def reading() -> reads.Reading:
    """A layer with a name that a page would obey, and a dead unit."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)).double()
    with torch.no_grad():
        network[0].weight[0] = network[0].bias[0] = 0
        network[2].weight[0, 0] = 0
    found = dd.read(network, torch.eye(2), head=measure.Gaussian(), n=1000)
    rows = tuple(dataclasses.replace(row, reason=WHY, layer="<b>") for row in found.census)
    return dataclasses.replace(found, census=reads.Census(rows))


def spectrum() -> measure.Spectrum:
    return measure.Spectrum(tuple(2.0**-i for i in range(500)), 12, 1e-200, math.inf)


def conformance() -> testing.ConformanceReport:
    """Of an estimator that says nothing, under a name that is a wall."""

    def estimator(task: testing.EstimationTask) -> testing.Estimate:
        raise ValueError(WHY)

    estimator.__name__ = "estimator_" * 50
    return testing.check_estimator(estimator, testing.conformance_cells()[:3], budget=10, jobs=1)


@functools.cache
def settings() -> testing.conformance.SettingsReport:
    """Of two settings whose names are a wall, one without an estimate."""

    def make(**setting: Any) -> Any:
        (scale,) = setting.values()
        return lambda task: testing.Estimate(0.5 * scale, 1e-9)

    grid = {f"step <b>{WHY}": [1.0, math.inf]}
    cell = testing.conformance_cells()[:1]
    return testing.conformance.compare_settings(make, grid, cell, 10, jobs=1, time_limit=None, progress=False)


def swept() -> testing.conformance.SweepResult:
    return testing.conformance.SweepResult((task_result(), failed_task()) * 50, 1.5, "Executor <b>", 7)


def task_result() -> testing.conformance.TaskResult:
    return testing.conformance.TaskResult("x² <b>", 0, testing.Estimate(0.5, 0.01), "", 10, 0.1, WHY)


def failed_task() -> testing.conformance.TaskResult:
    return testing.conformance.TaskResult(WHY, 1, None, WHY, 10, 0.1)


def two_scales() -> Any:
    """A point that misses t² by 1e-5."""
    problem = measure.Problem(
        lambda p, x: (p["t"] + 1e-5) ** 2 * x,
        {"t": torch.zeros((), dtype=torch.float64)},
        torch.ones(1, 1, dtype=torch.float64),
        measure.Gaussian(),
    )
    return measure.order_along(problem, {"t": torch.ones(())}, label="<b>")


def drawn(strategy: Any) -> Any:
    """A value that is not the simplest one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hypothesis asks not to draw outside of a test
        return max((strategy.example() for _ in range(5)), key=lambda value: len(str(value)))


# an example of each, as large as users meet it
EXAMPLES: dict[str, Callable[[], Any]] = {
    "ddtheory.Arc": lambda: ARC,
    "ddtheory.Derivation": lambda: dd.rlct("+".join(f"{z}^2" for z in MANY[:40]), seconds=20),
    "ddtheory.Enclosure": lambda: dd.Enclosure(Fraction(1, 3), Fraction(1, 10**300)),
    "ddtheory.FiniteN": lambda: dd.finite_n((2, 2), 579, digits=200),
    "ddtheory.FiniteNExpansion": lambda: dd.finite_n_expansion("x^2*y^2", n_beta=1000),
    "ddtheory.FiniteNGerm": lambda: dd.finite_n_germ("x^2*y^2", 20, digits=8),
    "ddtheory.LangevinTarget": lambda: dd.langevin_target([1, 2], 100, step="1/1000", localisation=1),
    "ddtheory.FiniteNSweep": lambda: dd.finite_n_sweep("x^2", [10, 100], localisations=[1]),
    "ddtheory.IntersectionType": lambda: dd.intersection_type("x^2*y^4 + z^2"),
    "ddtheory.Interval": lambda: dd.Interval(1 / 3, 0.1, math.inf),
    "ddtheory.KLOrder": lambda: dd.KLOrder(dd.Kind.DEAD, 2, sympy.Add(*MANY), ARC, "because " * 100),
    "ddtheory.NetworkOrders": orders,
    "ddtheory.OrderReading": lambda: dd.OrderReading(
        dd.ReadingStatus.DISAGREE,
        None,
        None,
        {"slope <b>": dd.Interval(2, 1, 3)},
        None,
        "why " * 200,
        (),
        "advice " * 50,
    ),
    "ddtheory.RLCT": lambda: dd.RLCT(Fraction(1, 2), 3),
    "ddtheory.cells.Cell": lambda: cells.normal_crossing(exponents=(1,) * 300),
    "ddtheory.cells.Cell, small": lambda: cells.simple_singularity(kind="E", index=7),
    "ddtheory.cells.Cell, bounds": lambda: cells.superposition_polygon(corners=4),
    "ddtheory.cells.Cell, unknown": lambda: cells.mean_map([x**2 + y]),
    "ddtheory.cells.Family": lambda: cells.families()["deep_linear"],
    "ddtheory.cells.Route": lambda: truth().results[0].route,
    "ddtheory.cells.RouteResult": lambda: truth().results[0],
    "ddtheory.cells.RouteResult, too large": lambda: dataclasses.replace(truth().results[0], found=None),
    "ddtheory.cells.Truth": truth,
    "ddtheory.cells.Truth, bounds": lambda: dataclasses.replace(truth(), status=cells.Status.BOUNDS, lower=None),
    "ddtheory.certify.Rejection": lambda: dd.certify.check({**certificate(), "multiplicity": 2}).rejection,
    "ddtheory.certify.Report": accepted,
    "ddtheory.certify.Report, rejected": lambda: dd.certify.check({**certificate(), "multiplicity": 2}),
    "ddtheory.certify.Report, not decided": undecided,
    "ddtheory.certify.Statement": lambda: accepted().statement,
    "ddtheory.certify.Step": lambda: accepted().checked[0],
    "ddtheory.certify.Undecided": lambda: undecided().undecided,
    "ddtheory.exact.strata.Strata": lambda: strata.of_matrix_product((9,) * 3),
    "ddtheory.exact.strata.Stratum": lambda: strata.of_matrix_product((1, 1, 1)).strata[0],
    "ddtheory.exact.formulas.Conjecture": lambda: formulas.fit({n: n // 2 for n in range(100)}),
    "ddtheory.exact.formulas.Formula": formulas.hidden_layer,
    "ddtheory.gauges.FoundGauges": found_gauges,
    "ddtheory.gauges.GaugeRule": lambda: gauges.RULES["rescaling"],
    "ddtheory.gauges.RefusedGauge": lambda: gauges.RefusedGauge(found_gauges().gauges[0], WHY),
    "ddtheory.measure.GramFactor": lambda: measure.GramFactor(torch.eye(2, dtype=torch.float64), "label <b>"),
    "ddtheory.measure.HeadCheck": lambda: measure.check_head(measure.Gaussian(), torch.zeros(3, 2).double()),
    "ddtheory.measure.HeadKind": lambda: next(iter(measure.HEADS.values())),
    "ddtheory.measure.KroneckerFactors": lambda: measure.kronecker_factors(layered(), "0"),
    "ddtheory.measure.LayerFactors": lambda: measure.LayerFactors({}, {f"layer {i} <b>": WHY for i in range(50)}),
    "ddtheory.measure.LeadingSpectrum": lambda: measure.leading_spectrum(layered(), "0"),
    "ddtheory.measure.Profile": lambda: measure.Profile(RADII, RADII, RADII, 1e-30, 1e-30, "<b>"),
    "ddtheory.measure.SchurProfile": lambda: measure.schur_along(layered(), torch.ones(9).double(), radii=RADII),
    "ddtheory.measure.DirectionReading": lambda: measure.DirectionReading(0.5, (0.25, 1.0)),
    "ddtheory.measure.EventOrder": lambda: measure.event_order([5, None] * 6, [7] * 11 + [None], resolution=1),
    "ddtheory.measure.RankComparison": lambda: measure.RankComparison(0.5, (-0.1, 0.1), -0.5, {WHY: 0.25}),
    "ddtheory.measure.LayerSignature": lambda: measure.signatures(layered(), ["0"])["0"],
    "ddtheory.measure.Signatures": lambda: measure.signatures(layered(), ["0"]),
    "ddtheory.measure.Trajectory": lambda: measure.Trajectory(range(100), {WHY: range(100)}, {WHY: 3}),
    "ddtheory.measure.Spectrum": spectrum,
    "ddtheory.measure.Spectrum, zeros": lambda: measure.Spectrum((), 3, 1e-200, math.inf),
    "ddtheory.measure.TwoScaleReading": two_scales,
    "ddtheory.measure.SpectrumProfile": lambda: measure.SpectrumProfile((0.5, 0.25), (spectrum(),) * 2, "<b>"),
    "ddtheory.models.Description": lambda: dd.models.described('kind = "regression"\nmean = "a*b"\ntruth = 0'),
    "ddtheory.models.Factorisation": lambda: dd.models.matrix_product("A", "B", sizes=(2, 1, 2)),
    "ddtheory.models.Generators": lambda: long_model().generators(),
    "ddtheory.models.Model": long_model,
    "ddtheory.models.ModelPair": lambda: dd.models.finite(["1/2 + x*y", "1/2 - x*y"], truth={}).rlct(),
    "ddtheory.models.ModelPair, bounds": lambda: dd.models.regression(
        "a*tanh(b*x) + c*sin(d*x)", inputs={"x": "generic"}, truth=0
    ).rlct(seconds=3),
    "ddtheory.networks.LayerOrders": lambda: next(iter(orders().layers.values())),
    "ddtheory.networks.Valuations": lambda: next(iter(orders().layers.values())).block,
    "ddtheory.reads.Assembly": lambda: reads.assemble(cells.deep_linear(widths=(2, 2, 2)).problem()),
    "ddtheory.reads.Assembly, bounds": lambda: reads.assemble(layered()),
    "ddtheory.reads.Bracket": lambda: reads.bracket(layered()),
    "ddtheory.reads.Bracket, bounds": lambda: reads.bracket(layered(), (), directions=2),
    "ddtheory.reads.Rank": lambda: reads.Rank(spectrum(), 10**6),
    "ddtheory.references.Work": lambda: dataclasses.replace(next(iter(references.WORKS.values())), title=WHY),
    "ddtheory.testbeds.Bed": lambda: testbeds.superposition(),
    "ddtheory.testbeds.Checkpoint": lambda: testbeds.Checkpoint(3, {}, {WHY: 0.5}),
    "ddtheory.testbeds.Limit": lambda: testbeds.Limit(WHY, WHY, 1, 2, 3),
    "ddtheory.testbeds.Limit, exact": lambda: testbeds.reduced_rank().truth,
    "ddtheory.testbeds.Transition": lambda: testbeds.Transition(WHY, bool),
    "ddtheory.testing.CellResult": lambda: conformance().results[0],
    "ddtheory.testing.ConformanceCell": lambda: testing.conformance_cells()[0],
    "ddtheory.testing.ConformanceReport": conformance,
    "ddtheory.testing.HiddenDivergence": lambda: drawn(testing.hidden_divergences()),
    "ddtheory.testing.HiddenGerm": lambda: drawn(testing.germs_with_known_pairs()),
    "ddtheory.testing.HiddenGerm, generators": lambda: drawn(testing.germs_with_known_pairs(form="generators")),
    "ddtheory.testing.KnownCell": lambda: drawn(testing.mean_map_cells()),
    "ddtheory.Reading": reading,
    "ddtheory.reads.Census": lambda: reading().census,
    "ddtheory.reads.Detector": lambda: reads.DETECTORS["node death"],
    "ddtheory.reads.JointSet": lambda: reading().joint[0],
    "ddtheory.reads.LayerSummary": lambda: reading().layers[0],
    "ddtheory.reads.Row": lambda: reading().census[0],
    "ddtheory.testing.KnownGerm": lambda: drawn(testing.known_germs()),
    "ddtheory.testing.EquivarianceReport": equivariance,
    "ddtheory.testing.LocalCoefficient": lambda: testing.LocalCoefficient(
        testing.Estimate(1.5, 0.1), testing.Estimate(2, 0.1), 2.0, (Fraction(1), Fraction(2)), (WHY,), {"n": 10}
    ),
    "ddtheory.testing.GaugeResult": lambda: equivariance().results[0],
    "ddtheory.testing.Removal": lambda: equivariance().results[0].removals[0],
    "ddtheory.testing.conformance.CatalogueCell": lambda: testing.conformance.from_cell(
        cells.simple_singularity(kind="E", index=7)
    ),
    "ddtheory.testing.conformance.FiniteNEstimate": lambda: testing.conformance.finite_n_estimate(
        "x^2", 20, within="1/5"
    ),
    "ddtheory.testing.conformance.Rival": lambda: testing.conformance.Rival(WHY, 1e-7, False),
    "ddtheory.testing.conformance.SettingResult": lambda: settings().results[0],
    "ddtheory.testing.conformance.SettingsReport": settings,
    "ddtheory.testing.conformance.SweepResult": swept,
    "ddtheory.testing.conformance.TaskResult": task_result,
    "ddtheory.testing.conformance.TaskResult, failed": failed_task,
    "ddtheory.verify.Book": lambda: verify.read(BOOK),
    "ddtheory.verify.ClaimResult": claim,
    "ddtheory.verify.ClauseResult": lambda: claim().clauses[0],
    "ddtheory.verify.Entry": lambda: verify.load(BOOK)[0],
    "ddtheory.verify.RunResult": book,
    "ddtheory.verify.Unreadable": lambda: verify.Unreadable("chapter/<b>.py", WHY),
    "ddtheory.verify.WeakFoundation": lambda: claim().weak[0],
    "ddtheory.verify.WitnessResult": lambda: claim().witnesses[0],
    "ddtheory.verify.WitnessResult, raised": lambda: dataclasses.replace(
        claim().witnesses[0], proof=None, experiment=None, error=WHY
    ),
}


def what_is_missing(kind: type) -> list[str]:
    """What a kind of result does not do: nothing, where it is `Shown`, and its line is not the wall of a dataclass."""
    missing = [name for name in ("latex", "_repr_html_", "_repr_latex_") if not callable(getattr(kind, name, None))]
    by_itself = kind.__repr__ is object.__repr__ or ("__dataclass_params__" in vars(kind) and generated(kind))
    return missing + ["__repr__"] * by_itself


def generated(kind: type) -> bool:
    """Whether the line of a dataclass is the one that Python writes, with every field in full."""
    return bool(vars(kind)["__dataclass_params__"].repr) and kind not in (dd.RLCT, dd.Interval)  # three numbers


def test_every_public_result_shows_itself() -> None:
    missing = {full: what for full, kind in surface.results().items() if (what := what_is_missing(kind))}
    assert missing == {}, "derive the result from ddtheory.shown.Shown, with repr=False"


def test_every_public_result_has_an_example() -> None:
    assert sorted({name.partition(",")[0] for name in EXAMPLES}) == sorted(surface.results())


def test_the_lists_name_what_there_is() -> None:
    """A name that is written wrong would let a result pass."""
    named = dict(surface.named())
    assert [full for full in surface.WRITTEN_BY_A_CALLER if full not in named] == []
    assert surface.MADE_BY_THE_PACKAGE - {full.rpartition(".")[2] for full in named} == set()


class Text(HTMLParser):
    """The tags and the text of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


TAGS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "span", "p"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_one_line_latex_and_html(name: str) -> None:
    found = EXAMPLES[name]()
    assert isinstance(found, Shown) and type(found) is surface.results()[name.partition(",")[0]]
    line = repr(found)
    assert line.startswith(f"{type(found).__name__}(") and line.endswith(")")
    assert len(line) <= 200 and line.isprintable()
    formula = found.latex()
    assert (formula and "$" not in formula.replace(r"\$", "") and "\n" not in formula) or is_a_table(found)
    assert formula.count("{") == formula.count("}")
    assert found._repr_latex_() == (formula if is_a_table(found) else f"${formula}$")
    page = Text(found._repr_html_())
    assert page.tags <= TAGS and page.text
    assert page.attributes <= {"colspan"}, "nothing is loaded, and nothing is run"


def is_a_table(found: Shown) -> bool:
    return isinstance(found, testing.ConformanceReport)


@pytest.mark.parametrize(
    ("found", "line", "formula"),
    [
        (dd.Enclosure("0.3333", "1e-4"), "Enclosure(0.33330 ± 1.0e-4)", r"0.33330 \pm 1.0 \cdot 10^{-4}"),
        (dd.Interval(1.0, 0.5, 1.5), "Interval(estimate=1.0, lower=0.5, upper=1.5)", r"1 \in [0.5, 1.5]"),
        (dd.Interval(1.0, 1e-7, math.inf), None, r"1 \in [1 \cdot 10^{-7}, \infty]"),
        (
            dd.rlct("x^2+y^4*z^4", seconds=5),
            "Derivation(λ = 3/4, m = 2: K for ⟨x^2 + y^4*z^4⟩)",
            r"(\lambda, m) = \left(\tfrac{3}{4}, 2\right)",
        ),
        (
            dd.kl_order(x**2 + y**4, along={y: 1}),
            "KLOrder(dead, k = 2, leading 1, arc order 2: x = 0, y = t)",
            r"K(\theta_0 + t u) = 1\,t^{4} + o\left(t^{4}\right)",
        ),
        (dd.kl_order(x**2 * y**2, along={y: 1}, arc=False), "KLOrder(flat)", r"K(\theta_0 + t u) \equiv 0"),
        (dd.cells.swiglu(), "Cell(swiglu())", None),
        (dd.RLCT(Fraction(3, 4)), "RLCT(lam=Fraction(3, 4), m=1)", r"(\lambda, m) = \left(\tfrac{3}{4}, 1\right)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_it_says(found: Shown, line: str | None, formula: str | None) -> None:
    assert line is None or repr(found) == line
    assert formula is None or found.latex() == formula


def test_nothing_that_is_shown_is_run() -> None:
    reading = EXAMPLES["ddtheory.OrderReading"]()
    assert "&lt;b&gt;" in reading._repr_html_()
    arc = dd.Arc(2, {"<script>": x})
    assert "<script>" not in arc._repr_html_()


def test_what_a_terminal_would_obey_is_written_out() -> None:
    """A colour, a line that turns, and half of a surrogate pair, which has no bytes."""
    refused = gauges.RefusedGauge(found_gauges().gauges[0], "why \x1b[31m \u202e \ud800")
    line, page = repr(refused), refused._repr_html_()
    assert line.isprintable() and line.encode() and r"\u001b[31m \u202e \ud800" in line
    assert page.isprintable() and page.encode()


def test_control_a_forgotten_method_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new result that is no `Shown`, one that forgets a method, and one with the line of a dataclass."""

    @dataclasses.dataclass(frozen=True)
    class Bare:
        value: int

    @dataclasses.dataclass(frozen=True, repr=False)
    class Mute(Shown):
        latex = None  # type: ignore[assignment]

    @dataclasses.dataclass(frozen=True)
    class Wall(Shown):
        values: Mapping[str, Fraction]

    assert what_is_missing(Bare) == ["latex", "_repr_html_", "_repr_latex_", "__repr__"]
    assert what_is_missing(Mute) == ["latex"]
    assert what_is_missing(Wall) == ["__repr__"]
    assert len(repr(Wall({str(z): Fraction(1, 3) for z in MANY}))) > 2000
    Bare.__module__ = "ddtheory.measure"
    monkeypatch.setattr(measure, "Bare", Bare, raising=False)
    assert surface.results()["ddtheory.measure.Bare"] is Bare


# --- tables -----------------------------------------------------------------------------------------------------------


def undecided_tables(results: Mapping[str, type], no_tables: frozenset[str]) -> list[str]:
    """Results that are neither `Tabled` nor on the list of those that are no tables, or both."""
    return [full for full, kind in results.items() if issubclass(kind, Tabled) == (full in no_tables)]


def test_every_public_result_is_a_table_or_said_to_be_none() -> None:
    assert undecided_tables(surface.results(), surface.NO_TABLES) == [], (
        "derive it from ddtheory.tabled.Tabled, or name it in NO_TABLES of tests/hostile/surface.py"
    )
    assert set(surface.results()) >= surface.NO_TABLES
    for kind in surface.results().values():
        profile = "radii" in getattr(kind, "__dataclass_fields__", {})
        assert issubclass(kind, Swept) or not profile, f"{kind.__name__} has radii, and no to_xarray"


def test_control_a_forgotten_table_is_named() -> None:
    class Forgotten(Shown):
        pass

    class Doubtful(Tabled):
        pass

    found = {"one": Forgotten, "two": Doubtful, "three": Tabled}
    assert undecided_tables(found, frozenset(["two"])) == ["one", "two"]


TABLES = [name for name in EXAMPLES if issubclass(surface.results()[name.partition(",")[0]], Tabled)]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_a_frame_and_latex(name: str) -> None:
    found = EXAMPLES[name]()
    assert isinstance(found, Tabled)
    columns = {title: list(entries) for title, entries in found.tabulated().items()}
    frame = found.to_frame()
    assert list(frame.columns) == list(columns) and len({len(entries) for entries in columns.values()}) == 1
    for title, entries in columns.items():
        assert all(same(one, other) for one, other in zip(frame[title], entries, strict=True)), title
    text = found.to_latex()
    assert text.startswith(r"\begin{tabular}{") and text.endswith(r"\end{tabular}")
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert text.count("$") % 2 == text.count(r"\$") % 2
    assert text.count(r"\\") >= len(frame) + 1


def same(one: object, other: object) -> bool:
    """The same value, and what is exact, text or missing of the same kind: nothing became a float."""
    alike = isinstance(one, type(other)) or isinstance(other, bool | int | float)
    return alike and (one == other or (one != one and other != other))


def test_a_derivation_is_a_table_of_its_steps() -> None:
    """(x + y²)² + z²: λ = 1, and κ of ⟨(x + y²)² + z²⟩ is λ itself."""
    found = dd.rlct("(x+y^2)^2 + z^2", seconds=5)
    frame = found.to_frame()
    assert frame["step"].tolist() == list(range(1, len(frame) + 1)) and set(frame["rule"]) == set(found.rules)
    assert frame["proven"][0] == "κ = 1, m = 1"
    assert r"z\textasciicircum{}2" in found.to_latex() and "κ = 1, m = 1 &" in found.to_latex()


SWEPT = [name for name in TABLES if issubclass(surface.results()[name.partition(",")[0]], Swept)]


@pytest.mark.parametrize("name", SWEPT)
def test_a_sweep_is_a_data_set(name: str) -> None:
    found = EXAMPLES[name]()
    data = found.to_xarray()
    columns = found.tabulated()
    assert list(data.sizes) == [found.axis] and list(data[found.axis].values) == list(columns[found.axis])
    assert {found.axis, *data.data_vars} == set(columns)
    for title in data.data_vars:
        assert numpy.array_equal(data[title].values, columns[title], equal_nan=True)
    if "label" in getattr(found, "__dataclass_fields__", {}):
        assert data.attrs["label"] == found.label


def test_a_sweep_at_finite_n_is_a_data_set_by_localisation_and_size() -> None:
    found = EXAMPLES["ddtheory.FiniteNSweep"]()
    data = found.to_xarray()
    assert dict(data.sizes) == {"localisation": len(found.localisation), "n_beta": len(found.n_beta)}
    for row, values in zip(found.values, data["learning_coefficient"].values, strict=True):
        assert all(
            one is None or float(one.learning_coefficient) == value for one, value in zip(row, values, strict=True)
        )


def test_a_conformance_report_is_a_data_set_by_cell_and_seed() -> None:
    report = testing.check_estimator(lambda _: (0.5, 0.1), testing.conformance_cells()[:2], budget=10, jobs=1)
    data = report.to_xarray()
    assert dict(data.sizes) == {"cell": 2, "seed": len(report.seeds)}
    assert float(data["estimate"].min()) == float(data["estimate"].max()) == 0.5
    assert list(data["target"].values) == [float(result.target) for result in report.results]
    assert math.isnan(float(conformance().to_xarray()["estimate"].max()))


def test_text_is_cut_and_escaped() -> None:
    assert len(shortened("word " * 1000, 50)) == 50
    assert in_words("50% of {a_1}") == r"\text{50\% of \{a\_1\}}"
    assert [counted(number, "cell") for number in (0, 1, 2)] == ["0 cells", "1 cell", "2 cells"]
