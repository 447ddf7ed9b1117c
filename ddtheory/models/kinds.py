"""The kinds of models, each made from formulas, the inputs and the truth."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import sympy
from sympy import Expr, Integer

from ddtheory.arguments import in_order
from ddtheory.errors import InvalidValueError, unknown
from ddtheory.exact.numbers.zero import sign
from ddtheory.models.inputs import Inputs, read_inputs
from ddtheory.models.laws.law import Law
from ddtheory.models.laws.natural import LOG_PARTITIONS, Natural
from ddtheory.models.laws.noise import Noise
from ddtheory.models.laws.normal import Normal
from ddtheory.models.laws.outcomes import Outcomes
from ddtheory.models.laws.softmax import Softmax
from ddtheory.models.model import Model
from ddtheory.models.reading import (
    expressions,
    is_alone,
    number,
    numbers_by_name,
    parameters_in,
    refuse_unknown_names,
    said,
)
from ddtheory.shown import counted


def regression(
    mean: Any, *, truth: Any, inputs: Mapping[Any, Any] | None = None, weights: Any = None, variance: Any = 1
) -> Model:
    """y ~ N(f(x, w), σ² I), with K = E‖f − f*‖²/(2σ²) in nats.

    Args:
        mean: f, an expression or a list of them. Its names are those of the inputs and of the parameters.
        truth: the true parameter by name (0 for those not named), or the true mean as a function of the inputs, one
            expression for each output; 0 alone is 0 for all.
        inputs: by name: "generic", a list of values (the lists of several inputs give the points entry by entry), or
            {"moments": [1, E x, E x², …]}. Generic means a law under which analytic functions that are linearly
            independent stay so, such as any density on an interval around 0.
        weights: of the points; equal when missing.
        variance: σ².

    Raises:
        InvalidValueError: no expression, no parameter, inputs or a truth that cannot be read, σ² ≤ 0.

    >>> model = regression("a1*tanh(b1*x) + a2*tanh(b2*x)", inputs={"x": "generic"}, truth=0)
    >>> model.generators().expressions
    (a1*b1 + a2*b2, a1*b1**3 + a2*b2**3)
    >>> model.rlct().rlct                                        # Aoyagi: H = 2
    RLCT(lam=Fraction(2, 3), m=1)
    """
    found = number(variance, "The variance")
    if sign(found) <= 0:
        raise InvalidValueError(f"The variance {said(found)} is not positive.")
    return _model(Noise(found), expressions(mean, "The mean"), read_inputs(inputs, weights), truth)


def logits(scores: Any, *, truth: Any, inputs: Mapping[Any, Any] | None = None, weights: Any = None) -> Model:
    """A label drawn from the softmax of scores f(x, w), one for each class.

    Args:
        scores: f, at least two; only their differences matter.
        truth, inputs, weights: as in `regression`; the true law is given by its logits.

    Raises:
        InvalidValueError: fewer than two scores, and as in `regression`.

    >>> logits(["q*k", 0], truth=0).rlct().rlct
    RLCT(lam=Fraction(1, 2), m=2)
    """
    found = expressions(scores, "The scores")
    if len(found) < 2:
        raise InvalidValueError("Softmax of one score is 1: give a score for each class, at least two.")
    return _model(Softmax(), found, read_inputs(inputs, weights), truth)


def exponential_family(
    natural: Any, *, family: str, truth: Any, inputs: Mapping[Any, Any] | None = None, weights: Any = None
) -> Model:
    """Labels with p(y | η) = h(y) exp(ηy − A(η)), independent for each natural parameter η(x, w).

    Args:
        natural: η, an expression or a list.
        family: "bernoulli", "poisson", "gaussian" (variance 1) or "exponential" (η < 0).
        truth, inputs, weights: as in `regression`; the true law is given by its natural parameters.

    Raises:
        UnknownNameError: no such family.
        InvalidValueError: a true parameter outside of the domain, and as in `regression`.

    >>> exponential_family("t^3", family="poisson", truth=0).rlct().rlct
    RLCT(lam=Fraction(1, 6), m=1)
    """
    if not isinstance(family, str) or family not in LOG_PARTITIONS:
        raise unknown("exponential family", family, LOG_PARTITIONS)
    law = Natural(str.__str__(family))
    return _model(law, expressions(natural, "The natural parameters"), read_inputs(inputs, weights), truth)


def finite(probabilities: Any, *, truth: Any, inputs: Mapping[Any, Any] | None = None, weights: Any = None) -> Model:
    """Finitely many outcomes with probabilities p_i(x, w), which sum to 1 for all parameters.

    Args:
        probabilities: one for each outcome, the last one too.
        truth: the true parameter by name, or the list of true probabilities. Where one of them is 0, K is no sum of
            squares: its p_i stands in K to the first power, and the pair is derived from that.
        inputs, weights: as in `regression`; only points, unless the true probabilities are the same for all inputs.

    Raises:
        InvalidValueError: probabilities that are not proven to sum to 1, or true ones that are no law.

    >>> finite(["1/2 + a*b", "1/2 - a*b"], truth=["1/2", "1/2"]).rlct().rlct
    RLCT(lam=Fraction(1, 2), m=2)
    """
    found = expressions(probabilities, "The probabilities")
    _refuse_zero_alone(truth, "probabilities")
    return _model(Outcomes(), found, read_inputs(inputs, weights), truth)


def mixture(
    shares: Any,
    components: Any,
    *,
    truth: Any,
    inputs: Mapping[Any, Any] | None = None,
    weights: Any = None,
) -> Model:
    """The finite model p_i = Σ_k s_k p_{ki}: a hidden class k with share s_k, and a law p_k of the outcome for each.

    Args:
        shares: s_k, with sum 1.
        components: a list of probabilities for each class.
        truth, inputs, weights: as in `finite`.

    Raises:
        InvalidValueError: shares or components that do not fit together, and as in `finite`.

    >>> coins = mixture(["s", "1 - s"], [["p", "1 - p"], ["q", "1 - q"]], truth={"s": "1/2", "p": "1/2", "q": "1/2"})
    >>> coins.rlct().rlct                                        # one probability is all that is seen
    RLCT(lam=Fraction(1, 2), m=1)
    """
    found = expressions(shares, "The shares")
    rows = [expressions(row, "A component") for row in in_order(components, "components")]
    if len(rows) != len(found) or len({len(row) for row in rows}) != 1:
        raise InvalidValueError(
            f"There are {counted(len(found), 'share')} and {counted(len(rows), 'component')}; give one component for "
            "each share, all with the same number of outcomes."
        )
    summed = [sympy.Add(*[s * p for s, p in zip(found, column, strict=True)]) for column in zip(*rows, strict=True)]
    _refuse_zero_alone(truth, "probabilities")
    return _model(Outcomes(), summed, read_inputs(inputs, weights), truth)


def hidden(joint: Any, *, truth: Any, inputs: Mapping[Any, Any] | None = None, weights: Any = None) -> Model:
    """The finite model of what is seen where a part is hidden: p_i = Σ_h p(i, h).

    Args:
        joint: for each outcome i that is seen, the list of the p(i, h) over what is hidden.
        truth, inputs, weights: as in `finite`; a true law is that of what is seen.

    Raises:
        InvalidValueError: as in `finite`.

    >>> hidden([["s*p", "(1-s)*q"], ["s*(1-p)", "(1-s)*(1-q)"]], truth=["1/2", "1/2"]).outputs[0]
    p*s + q*(1 - s)
    """
    summed = [sympy.Add(*expressions(row, "An outcome")) for row in in_order(joint, "joint")]
    _refuse_zero_alone(truth, "probabilities")
    return _model(Outcomes(), summed, read_inputs(inputs, weights), truth)


def gaussian(
    mean: Any,
    covariance: Any,
    *,
    truth: Any,
    inputs: Mapping[Any, Any] | None = None,
    weights: Any = None,
) -> Model:
    """y ~ N(μ(x, w), Σ(x, w)) in n dimensions.

    Args:
        mean: μ, one expression for each dimension; 0 alone is 0 for all.
        covariance: Σ, a list of rows, symmetric; a single expression for one dimension.
        truth: the true parameter by name, or the pair (μ*, Σ*) in the same form.
        inputs, weights: as in `regression`; only points, unless Σ* is the same for all inputs.

    Raises:
        InvalidValueError: Σ is not square or not symmetric, Σ* not positive definite, and as in `regression`.

    >>> gaussian(0, [["1 + a^2", "a*b"], ["a*b", "1 + b^2"]], truth={}).rlct().rlct
    RLCT(lam=Fraction(1, 2), m=1)
    """
    size, outputs = _normal_outputs(mean, covariance)
    if not isinstance(truth, Mapping):
        pair = in_order(truth, "truth")
        if len(pair) != 2:
            raise InvalidValueError("The truth is neither a true parameter by name nor a pair (mean, covariance).")
        true_size, truth = _normal_outputs(*pair)
        if true_size != size:
            raise InvalidValueError(f"The truth has {true_size} dimensions, and the model {size}.")
    return _model(Normal(size), outputs, read_inputs(inputs, weights), truth)


def _normal_outputs(mean: Any, covariance: Any) -> tuple[int, list[Expr]]:
    """n, and μ followed by the rows of Σ."""
    listed = [covariance] if is_alone(covariance) else in_order(covariance, "covariance")
    rows = [expressions(row, "A row of the covariance") for row in listed]
    size = len(rows)
    if any(len(row) != size for row in rows):
        raise InvalidValueError(f"The covariance has {counted(size, 'row')}, and not as many columns.")
    means = expressions(mean, "The mean")
    if is_alone(mean) and means[0] == 0:
        means = means * size
    if len(means) != size:
        raise InvalidValueError(f"There are {counted(len(means), 'mean')} for a covariance of {counted(size, 'row')}.")
    return size, [*means, *itertools.chain(*rows)]


def _model(law: Law, outputs: Sequence[Expr], inputs: Inputs, truth: Any) -> Model:
    parameters = parameters_in(outputs, inputs.symbols)
    unused = [x.name for x in inputs.symbols if not any(x in f.free_symbols for f in outputs)]
    if unused:
        raise InvalidValueError(
            f"The input {unused[0]} does not occur in the model. Leave it out, or look for a name that is mistyped."
        )
    if isinstance(truth, Mapping):
        named = numbers_by_name(truth, "truth")
        refuse_unknown_names([w.name for w in named], parameters, "truth")
        point = {w: named.get(w, Integer(0)) for w in parameters}
        own = [f.subs(point, simultaneous=True) for f in outputs]
        for index, value in enumerate(own, 1):
            if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
                raise InvalidValueError(f"Output {index} has no finite value at the true parameter.")
    else:
        own = list(expressions(truth, "The truth"))
        if is_alone(truth) and own[0] == 0:
            own = own * len(outputs)
        point = dict.fromkeys(parameters, Integer(0))
    if len(own) != len(outputs):
        raise InvalidValueError(
            f"The truth has {counted(len(own), 'output')}, and the model {len(outputs)}. Give one expression for each, "
            "or a true parameter by name."
        )
    strange = sorted({x.name for f in own for x in f.free_symbols} - {x.name for x in inputs.symbols})
    if strange:
        raise InvalidValueError(f"The true law contains {strange[0]}, which is no input; its other names are numbers.")
    model = Model(law, tuple(outputs), tuple(own), inputs, parameters, point)
    model._comparisons()  # a truth that is none of this law is refused where it is given
    return model


def _refuse_zero_alone(truth: Any, what: str) -> None:
    if not isinstance(truth, Mapping | str | Expr) and not hasattr(truth, "__iter__"):
        raise InvalidValueError(f"The truth must be a list of {what}, or a true parameter by name.")
