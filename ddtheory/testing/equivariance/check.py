"""`check_equivariance`: which symmetries of a model does this optimiser respect?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, MeasurementError, shown
from ddtheory.gauges import Gauge, Motion
from ddtheory.measure.doors import count, real_number, seed_number, truth_value
from ddtheory.testing.equivariance.causes import Cause, cause
from ddtheory.testing.equivariance.given import batches, check_state, gauges_of, loss_of, model_in_float64
from ddtheory.testing.equivariance.judging import EquivarianceVerdict, Judgement
from ddtheory.testing.equivariance.report import EquivarianceReport
from ddtheory.testing.equivariance.result import GaugeResult
from ddtheory.testing.equivariance.runs import MakeOptimizer, Training, held
from ddtheory.testing.equivariance.study import Study


def check_equivariance(
    make_optimizer: MakeOptimizer,
    model: nn.Module,
    data: Any,
    gauges: str | Gauge | Iterable[str | Gauge] = "all",
    *,
    steps: int = 20,
    loss: Callable[[Tensor, Any], Tensor] | None = None,
    softmax: bool | None = None,
    max_norm: float | None = None,
    representatives: int = 3,
    size: float = 8.0,
    seed: int = 1,
    causes: bool = True,
    name: str | None = None,
) -> EquivarianceReport:
    r"""Trains from several starts on one orbit of each gauge, and says whether they make one function.

    For a gauge g of the model, f(g·θ) = f(θ). A step T commutes with it when T(g·θ) = g·T(θ), its state included; then
    f after any number of steps does not know the representative. Here θ is moved by random g, both copies are trained
    in float64 on the same batches, and the gap of the functions is followed step by step. Whether a gap is rounding is
    decided by the criterion of `ddtheory.testing.equivariance.judging`: more than 64 times what one rounding of each
    parameter at each step comes to, in the same training, is a break.

    Where a gauge breaks, the terms that the optimiser has are taken out: ε, decay and momentum in its groups, clipping,
    hooks before the step, arithmetic below float64. First all at once, then each is put back alone: a cause is the
    outcome of these trainings and never a guess. Each gauge has a control: a moved copy is nudged by 1e-8 after its
    first step, along no gauge, and must be seen to break at step 1. Gauges are tested one at a time, so they need not
    commute; a step that commutes with each commutes with all that they generate.

    Args:
        make_optimizer: the model to a new optimiser, or to a list of optimisers that step one after the other. It is
            called with a copy of the model for each training; what it needs is taken from its argument. A step that
            needs a closure, as that of LBFGS, is given one.
        model: a torch module, in the mode in which it is to be trained; it is not changed.
        data: a pair (inputs, targets), or a list of such pairs, one a step, over and over. Inputs are a tensor, or a
            tuple of the arguments of the model.
        gauges: "all" that `find_gauges` finds, names of its table, or values of `Gauge`, which are measured.
        steps: of each training, 2 or more: the state counts from the second on.
        loss: outputs and targets to one number; the cross-entropy along the last axis for whole-numbered targets, and
            the mean squared error for others, when omitted.
        softmax: only the softmax of the outputs is the function; that of the cross-entropy when omitted.
        max_norm: gradients are clipped together to this norm before each step, as `clip_grad_norm_` does.
        representatives: how many g are drawn for each gauge; intervals are over them.
        size: of the moves: scales from 1/size to size, shifts up to size.
        seed: of the moves.
        causes: whether to look for the term that breaks a gauge.
        name: of the optimiser, in the report.

    Raises:
        InvalidValueError: data, loss or settings that mean nothing; sparse gradients; an optimiser of other tensors.
        UnknownNameError: the table has no gauge of that name.
        MeasurementError: the model does not have a gauge, is random or changes its buffers; training fails, goes to
            infinity, or moves nothing; the optimiser trains none of the parameters that a gauge moves.

    >>> import torch
    >>> with torch.random.fork_rng():
    ...     _ = torch.manual_seed(0)
    ...     model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    ...     data = (torch.randn(16, 2), torch.randn(16, 1))
    >>> report = check_equivariance(lambda model: torch.optim.SGD(model.parameters(), 0.1), model, data)
    >>> for rule, verdict in report.verdicts.items():
    ...     print(rule, "|", verdict)
    rescaling | broken
    permutation | exact to rounding
    """
    steps = count("steps", steps, 2)
    copies = count("representatives", representatives, 1)
    size = real_number("size", size)
    if not (1 < size < math.inf):
        raise InvalidValueError(f"size is {size}; it must be finite and more than 1, or nothing moves.")
    if max_norm is not None:
        max_norm = real_number("max_norm", max_norm)
        if not (0 < max_norm < math.inf):
            raise InvalidValueError(f"max_norm is {max_norm}; it must be finite and positive.")
    truth_value("causes", causes)
    if name is not None and not isinstance(name, str):
        raise InvalidValueError(f"The name of the optimiser is {shown(name)}; give text, or leave it out.")
    if not callable(make_optimizer):
        raise InvalidValueError(
            f"make_optimizer is {shown(make_optimizer)}; give a function that takes the model and returns an optimiser."
        )
    seed = seed_number(seed)
    copied = model_in_float64(model)
    pairs = batches(data, steps)
    chosen_loss, loss_name, logits = loss_of(loss, softmax, pairs[0])
    check_state(copied, pairs[0])
    chosen, refused = gauges_of(gauges, copied, pairs[0][0], logits)
    training = Training(copied, pairs, chosen_loss, logits, make_optimizer, steps, max_norm)
    study = Study(training, tuple(Motion(seed + number, size) for number in range(copies)))
    own, optimizers = training.made(study.start)
    trained = held(optimizers)
    left = tuple(each for each, value in own.named_parameters() if id(value) not in trained)
    for gauge in chosen:
        if set(gauge.parameters) <= set(left):
            raise MeasurementError(
                f"The optimiser trains none of the parameters that this gauge moves: {gauge}. Give it all parameters, "
                "or leave this gauge out."
            )
    study.check_repeatable()
    return EquivarianceReport(
        str.__str__(name) if name else ", ".join(type(each).__name__ for each in optimizers),
        steps,
        copies,
        size,
        seed,
        loss_name,
        tuple(_result(study, gauge, causes) for gauge in chosen),
        left,
        refused,
    )


def _result(study: Study, gauge: Gauge, causes: bool) -> GaugeResult:
    found, control = study.judged(gauge), study.control(gauge)
    if found.step == 0:
        raise MeasurementError(
            f"The function is not the same at the start, by {found.gap(0).upper:.1e}: in the mode in which it is "
            f"trained, or on all of the batches, the model does not have the gauge {gauge}. Leave it out."
        )
    verdict, why = found.verdict, Cause((), "", ())
    if control.step != 1:
        verdict = EquivarianceVerdict.UNDECIDED
        text = "its control, a nudge after the first step, is not seen at step 1, so a break might not be seen either"
        why = Cause((), text, ())
    elif verdict is EquivarianceVerdict.BROKEN:
        why = cause(study, gauge) if causes else Cause((), "not looked for", ())
    elif verdict is EquivarianceVerdict.UNDECIDED:
        text = "rounding grows so fast that a break of 1e-6 would not be seen; train for fewer steps or more slowly"
        why = Cause((), text, ())
    return GaugeResult(
        gauge,
        verdict,
        found.step if verdict is EquivarianceVerdict.BROKEN else None,
        _at_break(found, verdict),
        found.gap(-1),
        found.noise,
        control.step,
        why.terms,
        why.text,
        why.removals,
        found.gaps,
        found.noises,
    )


def _at_break(found: Judgement, verdict: EquivarianceVerdict) -> Any:
    return found.gap(found.step) if verdict is EquivarianceVerdict.BROKEN and found.step is not None else None
