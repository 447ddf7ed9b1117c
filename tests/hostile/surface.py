"""What is public: every callable of the public rooms, by name, and why some need no recipe."""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from ddtheory import certify

ROOMS = (
    "ddtheory",
    "ddtheory.exact",
    "ddtheory.exact.strata",
    "ddtheory.exact.formulas",
    "ddtheory.cells",
    "ddtheory.measure",
    "ddtheory.models",
    "ddtheory.networks",
    "ddtheory.gauges",
    "ddtheory.optim",
    "ddtheory.testing",
    "ddtheory.testing.conformance",
    "ddtheory.certify",
    "ddtheory.verify",
    "ddtheory.plots",
    "ddtheory.testbeds",
    "ddtheory.reads",
    "ddtheory.references",
    "ddtheory.errors",
)

MADE_BY_THE_PACKAGE = frozenset(
    [
        "Arc",
        "Conjecture",
        "Derivation",
        "FiniteN",
        "FiniteNExpansion",
        "FiniteNGerm",
        "FiniteNSweep",
        "LangevinTarget",
        "Formula",
        "IntersectionType",
        "KLOrder",
        "Description",
        "Generators",
        "Model",
        "Factorisation",
        "Strata",
        "Stratum",
        "ModelPair",
        "NetworkOrders",
        "FoundGauges",
        "RefusedGauge",
        "GaugeRule",
        "Census",
        "Detector",
        "JointSet",
        "LayerSummary",
        "Reading",
        "Row",
        "Assembly",
        "Bracket",
        "Rank",
        "OrderReading",
        "LayerOrders",
        "CatalogueCell",
        "CellResult",
        "FiniteNEstimate",
        "Rival",
        "SettingResult",
        "SettingsReport",
        "SweepResult",
        "TaskResult",
        "EquivarianceReport",
        "GaugeResult",
        "Removal",
        "ConformanceReport",
        "HiddenDivergence",
        "HiddenGerm",
        "KnownCell",
        "KnownGerm",
        "RouteResult",
        "Truth",
        "Family",
        "HeadCheck",
        "HeadKind",
        "LayerFactors",
        "SchurProfile",
        "SpectrumProfile",
        "TwoScaleReading",
        "DirectionReading",
        "EventOrder",
        "RankComparison",
        "LocalCoefficient",
        "LayerSignature",
        "Bed",
        "Checkpoint",
        "Limit",
        "Transition",
        "Signatures",
        "Spectrum",
        "LeadingSpectrum",
        "KroneckerFactors",
        "Rejection",
        "Report",
        "Statement",
        "Undecided",
        "RunResult",
        "ClaimResult",
        "WitnessResult",
        "ClauseResult",
        "Entry",
        "Book",
        "Unreadable",
        "WeakFoundation",
        "Work",
        "Route",
    ]
)
"""Results: what is in them was checked where they are made, and a caller only reads them."""

WRITTEN_BY_A_CALLER = frozenset(
    [
        "ddtheory.Citation",
        "ddtheory.cells.Size",
        "ddtheory.cells.SymbolicFace",
        "ddtheory.gauges.Centre",
        "ddtheory.gauges.Gauge",
        "ddtheory.gauges.Kernel",
        "ddtheory.gauges.Leg",
        "ddtheory.gauges.Motion",
        "ddtheory.gauges.Taker",
        "ddtheory.measure.Bernoulli",
        "ddtheory.measure.Categorical",
        "ddtheory.measure.Density",
        "ddtheory.measure.ExponentialFamily",
        "ddtheory.measure.Gaussian",
        "ddtheory.measure.ModelLabels",
        "ddtheory.measure.LayerDirection",
        "ddtheory.measure.NoisyTargets",
        "ddtheory.measure.OutputMetric",
        "ddtheory.measure.Path",
        "ddtheory.measure.Problem",
        "ddtheory.reads.Proposal",
        "ddtheory.testing.Activation",
        "ddtheory.testing.Estimate",
        "ddtheory.testing.EstimationTask",
        "ddtheory.testing.InputLaw",
        "ddtheory.testing.LayerShape",
        "ddtheory.testing.LossSamples",
        "ddtheory.testing.Rotation",
        "ddtheory.testing.conformance.AnalyticPosterior",
        "ddtheory.testing.conformance.JaxPosterior",
        "ddtheory.testing.conformance.PolynomialPosterior",
        "ddtheory.verify.AtMost",
        "ddtheory.verify.Claim",
        "ddtheory.verify.Comparison",
        "ddtheory.verify.Curve",
        "ddtheory.verify.Equation",
        "ddtheory.verify.Experiment",
        "ddtheory.verify.Observation",
        "ddtheory.verify.Proof",
        "ddtheory.verify.Prose",
    ]
)
"""Values that go in, such as models, laws, the lines of a claim. They show what was written; all others are results."""


NO_TABLES = frozenset(
    [
        "ddtheory.Arc",
        "ddtheory.Enclosure",
        "ddtheory.FiniteN",
        "ddtheory.FiniteNExpansion",
        "ddtheory.FiniteNGerm",
        "ddtheory.IntersectionType",
        "ddtheory.Interval",
        "ddtheory.KLOrder",
        "ddtheory.LangevinTarget",
        "ddtheory.OrderReading",
        "ddtheory.RLCT",
        "ddtheory.Reading",  # of tables: its census is one
        "ddtheory.cells.Cell",
        "ddtheory.cells.Family",
        "ddtheory.cells.Route",
        "ddtheory.cells.RouteResult",
        "ddtheory.certify.Rejection",
        "ddtheory.certify.Report",  # the checker knows no libraries; its steps are those of the derivation
        "ddtheory.certify.Statement",
        "ddtheory.certify.Step",
        "ddtheory.certify.Undecided",
        "ddtheory.exact.formulas.Conjecture",
        "ddtheory.exact.formulas.Formula",
        "ddtheory.exact.strata.Stratum",
        "ddtheory.gauges.GaugeRule",
        "ddtheory.gauges.RefusedGauge",
        "ddtheory.measure.DirectionReading",
        "ddtheory.measure.EventOrder",
        "ddtheory.measure.GramFactor",
        "ddtheory.measure.HeadCheck",
        "ddtheory.measure.HeadKind",
        "ddtheory.measure.KroneckerFactors",
        "ddtheory.measure.LayerFactors",  # of matrices
        "ddtheory.measure.LayerSignature",
        "ddtheory.measure.LeadingSpectrum",
        "ddtheory.measure.RankComparison",
        "ddtheory.measure.Spectrum",
        "ddtheory.measure.TwoScaleReading",
        "ddtheory.models.Description",
        "ddtheory.models.Factorisation",
        "ddtheory.models.Generators",
        "ddtheory.models.Model",
        "ddtheory.models.ModelPair",
        "ddtheory.networks.LayerOrders",
        "ddtheory.networks.Valuations",
        "ddtheory.reads.Assembly",
        "ddtheory.reads.Bracket",
        "ddtheory.reads.Detector",
        "ddtheory.reads.JointSet",
        "ddtheory.reads.LayerSummary",
        "ddtheory.reads.Rank",
        "ddtheory.reads.Row",
        "ddtheory.references.Work",
        "ddtheory.testbeds.Bed",
        "ddtheory.testbeds.Checkpoint",
        "ddtheory.testbeds.Limit",
        "ddtheory.testbeds.Transition",
        "ddtheory.testing.CellResult",
        "ddtheory.testing.ConformanceCell",
        "ddtheory.testing.GaugeResult",
        "ddtheory.testing.HiddenDivergence",
        "ddtheory.testing.HiddenGerm",
        "ddtheory.testing.KnownCell",
        "ddtheory.testing.KnownGerm",
        "ddtheory.testing.LocalCoefficient",
        "ddtheory.testing.Removal",
        "ddtheory.testing.conformance.CatalogueCell",
        "ddtheory.testing.conformance.FiniteNEstimate",
        "ddtheory.testing.conformance.Rival",
        "ddtheory.testing.conformance.SettingResult",
        "ddtheory.testing.conformance.TaskResult",
        "ddtheory.verify.ClaimResult",
        "ddtheory.verify.ClauseResult",
        "ddtheory.verify.Entry",
        "ddtheory.verify.Unreadable",
        "ddtheory.verify.WeakFoundation",
        "ddtheory.verify.WitnessResult",
    ]
)
"""Results that are one thing. Every other one has rows of one kind, and is `Tabled`."""


def public() -> dict[str, Any]:
    """Every public callable by its full name, except enumerations, protocols, aliases of types, errors and results."""
    return dict(sorted(_walk()))


def results() -> dict[str, type]:
    """Every public result by its full name: what the package makes, and every value but those that go in."""
    first: dict[type, str] = {}  # a room within a room gives away the same class once more
    for full, value in named():
        if isinstance(value, type):
            first.setdefault(value, full)
    return {full: kind for kind, full in first.items() if _is_made(full, kind) and full not in WRITTEN_BY_A_CALLER}


def _is_made(full: str, kind: type) -> bool:
    return full.rpartition(".")[2] in MADE_BY_THE_PACKAGE or dataclasses.is_dataclass(kind)


def _walk() -> Iterator[tuple[str, Any]]:
    seen: set[int] = set()
    for full, value in named():
        if callable(value) and id(value) not in seen and _is_called(full.rpartition(".")[2], value):
            seen.add(id(value))
            yield full, value


def named() -> Iterator[tuple[str, Any]]:
    """What the rooms name, each where it is at home."""
    for room in ROOMS:
        module = import_module(room)
        for name in getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]:
            value = getattr(module, name)
            home = getattr(value, "__module__", "") or ""
            if f"{home}.".startswith(f"{room}."):
                yield f"{room}.{name}", value


def _is_called(name: str, value: Any) -> bool:
    if inspect.isfunction(value) or not isinstance(value, type):
        # an alias of a type is callable by accident
        return inspect.isroutine(value) or hasattr(value, "__wrapped__")
    if getattr(value, "_is_protocol", False) or issubclass(value, enum.Enum | BaseException):
        return False
    return name not in MADE_BY_THE_PACKAGE and value is not certify.Step  # verify.Step is written by whoever claims


def parameters_of(function: Any, by_name_alone: bool = False) -> list[str]:
    """Names of the arguments that a recipe may leave out, and a mutation may give; or of those given by name alone."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return []
    named = [inspect.Parameter.KEYWORD_ONLY] + [inspect.Parameter.POSITIONAL_OR_KEYWORD] * (not by_name_alone)
    return [name for name, parameter in signature.parameters.items() if parameter.kind in named]


def takes_arguments(function: Any) -> bool:
    """Whether there is anything to spoil."""
    return bool(inspect.signature(function).parameters)
