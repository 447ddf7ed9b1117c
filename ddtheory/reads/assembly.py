"""Where the singular structure enumerates, its local ideal goes to `rlct`; everywhere else the bracket stands."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

import torch
from sympy import Expr
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.rlct import rlct
from ddtheory.fields import require
from ddtheory.gauges.maps import affine
from ddtheory.gauges.tape import record
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import real_number
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.setting.modules import ModuleFunction
from ddtheory.measure.setting.problem import Problem, as_problem
from ddtheory.reads.bracket import Bracket, bracket, fewer_rows
from ddtheory.reads.germ import Germ
from ddtheory.reads.products import product_germ
from ddtheory.reads.units import given_unit, known_unit, unit_formula, units_germ
from ddtheory.shown import Shown, shortened
from ddtheory.values import RLCT, Citation

LARGEST_GERM = 60
"""Coordinates of a germ that is derived beside its closed form; without a closed form there is no limit but time."""


@dataclass(frozen=True, repr=False)
class Assembly(Shown):
    """(λ, m) of a network at its checkpoint, or bounds, as its own teacher on the given inputs (see `Bracket`).

    Attributes:
        bracket: what holds without any structure.
        structure: what was enumerated; empty where nothing was.
        why: why nothing was enumerated; empty where something was.
        derivation: of the local ideal, with its certificate; None where only a closed form was taken.
        form: the pair by a closed form, None where there is none.
        source: of that form.

    Raises:
        MeasurementError: two of them contradict each other.
    """

    bracket: Bracket
    structure: str = ""
    why: str = ""
    derivation: Derivation | None = None
    form: RLCT | None = None
    source: Citation | None = None

    def __post_init__(self) -> None:
        require(self, Bracket, "bracket")
        require(self, str, "structure", "why")
        require(self, Derivation | None, "derivation")
        require(self, RLCT | None, "form")
        require(self, Citation | None, "source")
        pairs = {pair for pair in (self.form, self._derived, self.bracket.exact) if pair is not None}
        inside = all(self.lower <= pair.lam <= self.upper for pair in pairs)
        if len(pairs) > 1 or not inside or self.lower > self.upper:
            raise MeasurementError(
                f"{' and '.join(map(str, pairs))} in {self.lower} … {self.upper} contradict each other: a rank was "
                "misread, or a gauge is none. Look at the singular values of the bracket."
            )

    @property
    def _derived(self) -> RLCT | None:
        return None if self.derivation is None else self.derivation.rlct

    @property
    def rlct(self) -> RLCT | None:
        """The pair, where it is known; never a sum over directions."""
        return self._derived or self.form or self.bracket.exact

    @property
    def lower(self) -> Fraction:
        """The best lower bound on λ."""
        found = [self.bracket.lower, *([self.form.lam] if self.form else [])]
        return max([*found, *_known(self.derivation and self.derivation.lower.value)])

    @property
    def upper(self) -> Fraction:
        """The best upper bound on λ."""
        found = [self.bracket.upper, *([self.form.lam] if self.form else [])]
        return min([*found, *_known(self.derivation and self.derivation.upper.value)])

    def __str__(self) -> str:
        where = self.structure or f"nothing enumerates: {self.why}"
        pair = f"λ = {self.rlct.lam}, m = {self.rlct.m}" if self.rlct else f"{self.lower} ≤ λ ≤ {self.upper}"
        return f"{pair} ({where})"

    def latex(self) -> str:
        return self.rlct.latex() if self.rlct else rf"{self.lower} \le \lambda \le {self.upper}"

    def rows(self) -> Mapping[str, str]:
        rules = ", ".join(self.derivation.rules) if self.derivation else ""
        found = {
            "assembly": str(self),
            "derivation": f"{self.derivation.status}: {rules}" if self.derivation else "",
            "closed form": f"{self.form}, {self.source}" if self.form else "",
            "bracket": str(self.bracket),
        }
        return {name: text for name, text in found.items() if text}


def assemble(problem: Problem, *, unit: Expr | str | None = None, seconds: float = 20) -> Assembly:
    """(λ, m) of a network whose singular structure enumerates, with a derivation that `certify` can check.

    Two structures do: a chain of linear layers without biases, by the ranks of its partial products; and one hidden
    layer without biases whose units are analytic and zero at zero, dead ones beside living ones. Ranks are read from
    singular values with a gap. For anything else the bracket stands, and `why` says why. Weights of a dead unit are
    exactly zero here: a unit that is nearly dead is alive at its checkpoint, and λ of the point where it is zero is
    had by setting it there first.

    Args:
        unit: the activation as a formula in z, "z^2", where it is none that is known (Tanh, SiLU, GELU). It is compared
            with the module.
        seconds: limit of the derivation, see `rlct`.

    Raises:
        InvalidValueError: no problem, or a unit that the module does not have.
        MeasurementError: see `bracket`.

    >>> from ddtheory import cells
    >>> found = assemble(cells.deep_linear(widths=(2, 2, 2), rank=1).problem())
    >>> found.rlct, found.bracket.exact
    (RLCT(lam=Fraction(2, 1), m=2), None)
    """
    as_problem(problem)
    formula = None if unit is None else unit_formula(unit)
    seconds = real_number("The seconds", seconds)
    between = bracket(problem, rows=fewer_rows(problem))
    with measuring():
        germ = _germ(problem, formula)
    if isinstance(germ, str):
        return Assembly(between, why=germ)
    variables = {symbol for each in germ.generators for symbol in each.free_symbols}
    needed = germ.form is None or len(variables) <= LARGEST_GERM
    derivation = rlct(generators=germ.generators, seconds=seconds) if needed else None
    return Assembly(between, germ.structure, "", derivation, germ.form, germ.source)


def _germ(problem: Problem, unit: Expr | None) -> Germ | str:
    if not isinstance(problem.model, ModuleFunction) or not isinstance(problem.inputs, Tensor):
        return "the model is a function, or its inputs are not one tensor"
    if problem.mask is not None or problem.inputs.ndim != 2:
        return "the inputs are not one row a sample, or some outputs have no label"
    module = copy.deepcopy(problem.model.module).to(problem.dtype)
    names = {id(value): name for name, value in module.named_parameters()}
    chain = linear_chain(module, problem.inputs.to(problem.dtype))
    if chain is not None and set(chain) == set(problem.truth):
        if unit is not None:
            said = shortened(str(unit), 60)
            raise InvalidValueError(f"unit = {said} is given, and a chain of linear layers has no units. Leave it out.")
        if not _sees_all(problem):
            return "the head does not see every output"
        if not _is(problem, lambda theta, x: reduce(lambda z, name: z @ theta[name].mT, chain, x)):
            return "its outputs are not those of the matrices that it holds"
        used = problem.inputs if problem.weights is None else problem.inputs[problem.weights > 0]
        return product_germ([problem.truth[name] for name in chain], used.to(problem.dtype))
    if isinstance(module, nn.Sequential) and len(module) == 3:
        first, activation, last = module
        if isinstance(first, nn.Linear) and isinstance(last, nn.Linear) and not list(activation.parameters()):
            if first.bias is not None or last.bias is not None:
                return "its layers have biases"
            function = known_unit(activation) if unit is None else given_unit(unit, activation)
            if function is None:
                return f"the formula of {type(activation).__name__} is not known: give unit='z^2' or the like"
            inner, outer = (names.get(id(layer.weight), "") for layer in (first, last))
            if {inner, outer} != set(problem.truth):
                return "it has other parameters than the weights of its two layers"
            if not _is(problem, lambda theta, x: activation(x @ theta[inner].mT) @ theta[outer].mT):
                return "its outputs are not those of its layers: one of them, or the whole, does something else too"
            return units_germ(problem, problem.truth[inner], problem.truth[outer], activation, function)
    return "it is neither a chain of linear layers without biases nor a Sequential of one hidden layer"


def _is(problem: Problem, made: Callable[[Mapping[str, Tensor], Tensor], Tensor]) -> bool:
    """Whether the model is this function of its parameters, at the point and at drawn ones near it and far away.

    Hooks, forward methods of subclasses and branches are in what it does, and not in the layers that it holds.
    """
    draw = torch.Generator().manual_seed(0)
    for size in (0.0, 1e-3, 0.5, 0.5):
        theta = {
            name: value + size * torch.randn(value.shape, generator=draw, dtype=torch.float64).to(value)
            for name, value in problem.truth.items()
        }
        for inputs, _ in problem.batches():
            with borrowed("The layers of the model fail by themselves", "Take out what hooks or subclasses do."):
                expected = made(theta, inputs.to(problem.dtype))
            found = problem.outputs(theta, inputs)
            off = 1e3 * torch.finfo(problem.dtype).eps * expected.abs().max()
            if found.shape != expected.shape or not bool(((found - expected).abs() <= off).all()):
                return False
    return True


def linear_chain(module: nn.Module, inputs: Tensor) -> list[str] | None:
    """The matrices of a module that does nothing but multiply by one after the other; None for any other module."""
    tape = record(module, (inputs,))
    found: list[str] = []
    current = inputs
    for call in tape.calls:
        step = affine(tape, call)
        if step is None or step.source is not current or step.biases or step.out_axis != 0 or step.weight in found:
            return None
        found.append(step.weight)
        current = step.result
    return found if len(found) > 1 and tape.is_output(current) else None


def _sees_all(problem: Problem) -> bool:
    """Whether the metric of the head has full rank at every sample."""
    for inputs, _ in problem.batches():
        here = problem.truth_outputs(inputs)
        units = torch.eye(here.shape[-1]).to(here)
        rows = torch.stack([problem.in_metric(here, one.expand_as(here)).flatten(1) for one in units], dim=1)
        values = torch.linalg.svdvals(rows)
        if not bool((values[:, -1] > 1e-6 * values[:, 0]).all()):
            return False
    return True


def _known(value: Any) -> list[Fraction]:
    return [value] if isinstance(value, Fraction) else []
