"""The orders of a network along a path, derived before anything is measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from sympy import Expr, oo
from torch import Tensor, nn

from ddtheory.errors import DDTheoryError, InvalidValueError, UndecidedError
from ddtheory.exact.orders.symbolic_exponents import at_least
from ddtheory.exact.orders.valuation import Guarantee, Valuation, certainly_less, least, lowest, smallest
from ddtheory.networks.doors import choice, integer, private_copy, sizes, tensor_of_inputs
from ddtheory.networks.result import LayerOrders, NetworkOrders, Valuations
from ddtheory.networks.scaling import parameters_along
from ddtheory.networks.tape import Jet
from ddtheory.networks.terms import CANCELLED, Terms, add, combine, constant, negative
from ddtheory.networks.tracing import Reader

_LOSSES = ("squared", "cross-entropy")
_LABELS = ("model", "true")
LARGEST_INPUT = 10**8

_HYPOTHESES = (
    "the parameters are c·t^p with the model's own coefficients c; entries that are zero stay zero",
    "inputs have a density around the drawn ones, and leading coefficients have finite second moments",
    "an order is exact where its leading coefficient is not zero at the drawn inputs",
)


def network_orders(
    model: nn.Module,
    scaling: Mapping[str, Any],
    *,
    shape: Sequence[int] | None = None,
    inputs: Tensor | None = None,
    loss: str = "squared",
    labels: str = "model",
    batch_axis: int = 0,
    samples: int = 32,
    seed: int = 0,
) -> NetworkOrders:
    r"""Orders of activations, backward signals, Kronecker factors and K along θ(t)_i = c_i t^{p_i}, t → 0⁺.

    The true model is the one at t = 0, so parameters with p > 0 are zero there, and K(t) = KL(model at 0 ‖ model at t)
    has twice the order of the deviation of the outputs (modulo a shift of all logits under cross-entropy). Orders are
    found by valuation arithmetic; powers may be symbolic, and a minimum that the assumptions do not decide stays a Min.
    An order is a lower bound always. It is called exact when the leading coefficient, evaluated at the model's own
    coefficients on a few drawn inputs, is not zero: then it is not zero for almost every input and for almost every
    choice of coefficients. Where it is zero, because terms cancel or because no drawn input opens a gate, the order
    is called a lower bound.

    Args:
        model: a module of one input and one output tensor, in evaluation mode if it has dropout or batch statistics.
        scaling: parameter → powers of t: one for the tensor, one for each unit or entry, or a mapping of indices.
        shape: shape of one input, without the batch; by default (in_features,) of the first linear layer.
        inputs: inputs to use instead of drawn standard normal ones, with a batch axis.
        loss: "squared" (unit noise) or "cross-entropy" (the last axis holds the logits).
        labels: "model" draws labels from the model, as the expected Fisher does; "true" takes the noise-free outputs
            of the true model, so that signals are gradients of K.
        batch_axis: the axis of inputs and outputs that counts inputs.

    Raises:
        UnknownNameError: the scaling names a parameter that does not exist.
        UndecidedError: the model uses an operation that is no rule of the calculus, or looks at data.
        InvalidValueError: a power is not exact or negative, the model works in place, is random, couples the inputs
            of a batch, or leaves its domain at t = 0.

    >>> network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    >>> orders = network_orders(network, {"0.weight": {0: 1}, "0.bias": {0: 1}, "2.weight": {(..., 0): 1}})
    >>> orders.divergence, orders.activations["1"][0], orders.layers["0"].g[0]
    (Valuation(4), Valuation(1), Valuation(2))
    """
    loss, labels = choice("loss", loss, _LOSSES), choice("kind of labels", labels, _LABELS)
    model = private_copy(model)
    batch_axis, seed = integer("batch_axis", batch_axis), integer("seed", seed, 0)
    with torch.no_grad():
        data = _inputs(model, shape, inputs, batch_axis, samples, seed)
        reader = Reader(model, parameters_along(model, scaling))
        output = _read(model, reader, data)
        if loss == "cross-entropy" and (output.dim() < 2 or output.shape[-1] < 2):
            raise InvalidValueError(
                f"Cross-entropy needs two logits or more along the last axis; the output has shape "
                f'{tuple(output.shape)}. Use loss="squared" for a scalar.'
            )
        if loss == "cross-entropy" and not bool((torch.softmax(output.terms.start, -1) > 0).all()):
            raise InvalidValueError(
                "The softmax of the logits at t = 0 underflows: a probability is zero in float64, which it never is, "
                "so what vanishes there has no order. Scale the logits down; orders do not depend on their scale."
            )
        _inputs_are_apart(model, data, batch_axis)
        moved = _moved(output.terms, loss)
        seed_signal = _seed_signal(output.terms, loss, labels, seed)
        signals = reader.tape.backward(output, seed_signal)

        def by_module(terms_of: Any) -> dict[str, Valuations]:
            return {
                name: _merged(
                    _orders(terms_of(made), [a for a in range(made.dim()) if a != batch_axis % made.dim()])
                    for made in produced
                )
                for name, produced in reader.outputs.items()
            }

        def signal_at(made: Jet) -> Terms:
            return signals.get(id(made), Terms(made.shape, {}))

        layers: dict[str, list[tuple[Valuations, Valuations]]] = {}
        for use in reader.tape.uses:
            a = _orders(use.inputs.terms.leading(), [use.channel % use.inputs.dim()])
            g = _orders(signal_at(use.output), [use.output_channel % use.output.dim()])
            layers.setdefault(use.weight.removesuffix(".weight"), []).append((a, g))
        return NetworkOrders(
            activations=by_module(lambda made: made.terms.leading()),
            deviations=by_module(lambda made: made.terms.deviation),
            signals=by_module(signal_at),
            layers={
                name: LayerOrders(_doubled(_merged(a for a, _ in found)), _doubled(_merged(g for _, g in found)))
                for name, found in layers.items()
            },
            divergence=2 * _orders(moved, []).flat[0],
            loss=loss,
            labels=labels,
            hypotheses=_HYPOTHESES,
        )


def _inputs(
    model: nn.Module, shape: Sequence[int] | None, inputs: Tensor | None, batch_axis: int, samples: int, seed: int
) -> Tensor:
    if inputs is not None:
        return tensor_of_inputs(inputs)
    samples = integer("samples", samples, 1)
    if shape is None:
        linear = next((module for module in model.modules() if isinstance(module, nn.Linear)), None)
        if linear is None:
            raise InvalidValueError(
                "The shape of one input is not known, as the model has no linear layer to read it from. "
                "Give shape=(…) without the batch, or inputs=…."
            )
        shape = (linear.in_features,)
    whole = sizes(shape)
    whole.insert(batch_axis % (len(whole) + 1), samples)
    if math.prod(whole) > LARGEST_INPUT:
        raise InvalidValueError(f"{samples} inputs of shape {tuple(shape)} have more than {LARGEST_INPUT} numbers.")
    return torch.randn(whole, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _read(model: nn.Module, reader: Reader, data: Tensor) -> Jet:
    """The output of the model as a jet."""
    entry = reader.tape.lift(data) if data.is_floating_point() else data
    try:
        with reader:
            output = model(entry)
    except DDTheoryError:
        raise
    except Exception as error:  # the model is somebody else's code
        told = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InvalidValueError(
            f"The forward pass fails in {reader.place} on inputs of shape {tuple(data.shape)}: {told}. If the shape "
            "is not that of a batch of inputs, give shape=(…) for one input, without the batch."
        ) from error
    if isinstance(output, Jet):
        return output
    raise UndecidedError(
        f"The model returns {type(output).__name__} that the calculus cannot follow from its input. Wrap it in a "
        "module that takes one tensor and returns one, in plain torch operations; compiled and scripted modules "
        "are opaque."
    )


def _inputs_are_apart(model: nn.Module, data: Tensor, batch_axis: int) -> None:
    """Refuse a model whose output for one input depends on the others: its orders would be those of a batch."""
    dtype = next((parameter.dtype for parameter in model.parameters()), torch.float64)
    data = data.to(dtype) if data.is_floating_point() else data
    try:
        whole = model(data)
    except Exception as error:
        raise InvalidValueError(
            f"The model runs on jets and not on inputs {tuple(data.shape)} {data.dtype} ({type(error).__name__}). Give "
            "inputs of the dtype that it takes."
        ) from error
    if not -whole.dim() <= batch_axis < whole.dim() or whole.shape[batch_axis] != data.shape[batch_axis]:
        raise InvalidValueError(
            f"The output has shape {tuple(whole.shape)} for inputs of shape {tuple(data.shape)}: axis {batch_axis} "
            "does not count inputs. Say with batch_axis=… which one does."
        )
    try:
        alone = model(data.narrow(batch_axis, 0, 1))
    except Exception:  # shapes that only fit the whole batch
        alone = None
    scale, first = float(whole.abs().max()), whole.narrow(batch_axis, 0, 1)
    if alone is None or not torch.allclose(first, alone, rtol=1e-3, atol=1e-4 * scale):
        raise InvalidValueError(
            "The output for one input depends on the others in its batch, or is random. An attention that is not "
            "batch_first takes the first axis for positions: give batch_axis=1, and shape=(positions, features)."
        )


def _moved(output: Terms, loss: str) -> Terms:
    """What K is a sum of squares of, to leading order."""
    return output.deviation if loss == "squared" else _through_softmax(output, square_root=True)


def _through_softmax(output: Terms, *, square_root: bool) -> Terms:
    """p (D z − Σ p D z), or √p (D z − Σ p D z) whose squares sum to the variance of D z, that is 2K."""
    p = torch.softmax(output.start, -1)
    mean = combine(lambda part, weight: (part * weight).sum(-1, keepdim=True), [output.deviation, constant(p)])
    centred = add([output.deviation, negative(mean)])
    return combine(torch.mul, [centred, constant(p.sqrt() if square_root else p)])


def _seed_signal(output: Terms, loss: str, labels: str, seed: int) -> Terms:
    """The gradient of the loss at the outputs."""
    if labels == "true":
        return output.deviation if loss == "squared" else _through_softmax(output, square_root=False)
    generator = torch.Generator().manual_seed(seed + 1)
    if loss == "squared":
        return constant(torch.randn(output.shape, generator=generator, dtype=torch.float64))
    p = torch.softmax(output.start, -1)
    drawn = torch.multinomial(p.reshape(-1, p.shape[-1]), 1, generator=generator).reshape(p.shape[:-1])
    return constant(p - F.one_hot(drawn, p.shape[-1]))


def _orders(terms: Terms, kept: Sequence[int]) -> Valuations:
    """The order of the mean square over the other axes, halved, entry by entry of the kept axes.

    Squares do not cancel: the order is exact as soon as one input has a leading coefficient that is not zero.
    """
    summed = [axis for axis in range(len(terms.shape)) if axis not in kept]
    shape = tuple(terms.shape[axis] for axis in kept)

    def anywhere(found: Tensor) -> list[bool]:
        flat = found.any(dim=tuple(summed)) if summed else found
        return flat.reshape(-1).tolist()

    exponents = list(terms.parts)
    present = [anywhere(size > 0) for _, size in terms.parts.values()]
    certain = {chosen: anywhere(_stands(terms, chosen)) for chosen in _ties(exponents)}
    known: dict[tuple[tuple[Expr, ...], frozenset[tuple[Expr, ...]]], Valuation] = {}
    flat = []
    for position in range(torch.Size(shape).numel()):
        here = [e for e, where in zip(exponents, present, strict=True) if where[position]]
        proofs = frozenset(chosen for chosen, where in certain.items() if where[position])
        key = (tuple(here), proofs)
        if key not in known:
            known[key] = _order(lowest(here), proofs)
        flat.append(known[key])
    return Valuations(shape, tuple(flat))


def _stands(terms: Terms, chosen: tuple[Expr, ...]) -> Tensor:
    """Where the coefficients of exponents that tie do not cancel."""
    parts = [terms.parts[e] for e in chosen]
    lead = torch.stack([lead for lead, _ in parts]).sum(0)
    return lead.abs() > CANCELLED * torch.stack([size for _, size in parts]).sum(0)


def _ties(exponents: Sequence[Expr]) -> list[tuple[Expr, ...]]:
    """The sets of exponents that are equal for some admissible value of the symbols, as far as pairs can tell."""
    found: list[tuple[Expr, ...]] = [()]
    for exponent in exponents:
        found += [
            (*chosen, exponent)
            for chosen in found
            if not any(certainly_less(exponent, other) or certainly_less(other, exponent) for other in chosen)
        ]
    return found[1:]


def _order(candidates: list[Expr], proofs: frozenset[tuple[Expr, ...]]) -> Valuation:
    """Exact when every set of exponents that can be smallest together has a coefficient that is not zero."""
    if not candidates:
        return Valuation(oo)
    exact = all(
        chosen in proofs
        for chosen in _ties(candidates)
        if not any(at_least(one, other) for one in chosen for other in candidates if other not in chosen)
    )
    return Valuation(smallest(candidates), Guarantee.EXACTLY if exact else Guarantee.AT_LEAST)


def _merged(found: Iterable[Valuations]) -> Valuations:
    """The orders of a sum of squares over several uses of one module or weight."""
    several = list(found)
    if len({orders.shape for orders in several}) > 1:
        return several[-1]  # one module on inputs of different shapes: the last use is shown
    return Valuations(
        several[0].shape, tuple(_least_square(orders) for orders in zip(*(o.flat for o in several), strict=True))
    )


def _least_square(orders: Sequence[Valuation]) -> Valuation:
    best: dict[Expr, Valuation] = {}
    for order in orders:
        if order.value not in best or order.exact:
            best[order.value] = order
    return least(best.values(), independent=True)


def _doubled(orders: Valuations) -> Valuations:
    return Valuations(orders.shape, tuple(2 * order for order in orders.flat))
