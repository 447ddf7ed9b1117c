"""Ways to one number uᵀF(θ0 + ru)u, and the check that they agree.

Every rival gets its best form: only the parameters that move are differentiated, set-up is not timed.

Per-sample gradients are gradients of log p(y | x) at one label a sample. For the Gaussian head with one output and
y = f ± σ the mean of (∇log p · u)² is uᵀFu itself. For the categorical head the label is a draw, so it is an unbiased
estimate with noise, and that is what is timed: the exact value costs one gradient a label, vocabulary × tokens times
as much. Its gradients are checked against the same scores from forward mode.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from models import Case
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ddtheory.measure import fisher_along
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.orders.pushforward import push_forward
from ddtheory.measure.setting.path import Path, ray

RADIUS = 0.25
LOOP_WORK = 16 * 10**7  # samples × parameters that one timing of a per-sample method takes on; then it is scaled up
LOOP_SAMPLES = 256
CHUNK_BYTES = 2**30  # of per-sample gradients that vmap holds at once
NO_CURVLINOPS = "curvlinops is not installed: its GGN product is left out."


@dataclass(frozen=True, eq=False)
class Reading:
    """One case, one direction, and the point on it where everybody computes."""

    case: Case
    path: Path
    positions: Mapping[str, Tensor]
    velocities: Mapping[str, Tensor]
    module: nn.Module

    @property
    def moving(self) -> dict[str, Tensor]:
        return {name: self.module.get_parameter(name) for name in self.velocities}

    @property
    def share(self) -> int:
        """Samples that per-sample methods are timed on."""
        size = sum(value.numel() for value in self.velocities.values())
        return min(self.case.inputs.shape[0], LOOP_SAMPLES, max(16, LOOP_WORK // size))


def reading(case: Case, where: str) -> Reading:
    path = ray(case.problem, case.direction(where))
    positions, velocities = path.state(RADIUS)
    module = copy.deepcopy(case.module)
    for name, value in positions.items():
        module.get_parameter(name).data = value
        module.get_parameter(name).requires_grad_(True)
    return Reading(case, path, positions, velocities, module)


def calls(this: Reading) -> dict[str, Callable[[], float]]:
    """All rivals that can run here, by name."""
    found = {
        "forward": lambda: forward(this.case),
        "derivative": lambda: derivative(this),
        "reading": lambda: fisher_along(this.case.problem, this.path, [RADIUS]).fisher[0],
        "profile": lambda: fisher_along(this.case.problem, this.path).fisher[0],
        "loop": lambda: gradient_loop(this),
        "vmap": lambda: gradient_vmap(this),
    }
    if find_spec("curvlinops") is not None:
        found["ggn"] = ggn_product(this)
    return found


def forward(case: Case) -> float:
    """The unit: one plain pass, torch's own choice of attention kernel."""
    with torch.no_grad():
        case.module(case.inputs)
    return 0.0


def derivative(this: Reading) -> float:
    """The one forward-mode derivative inside a reading, without head, floors and divergence."""
    with measuring():
        push_forward(this.case.problem, this.positions, this.velocities, this.case.inputs, "here")
    return 0.0


def ggn_product(this: Reading) -> Callable[[], float]:
    """v ↦ Gv, then vᵀGv."""
    from curvlinops import GGNLinearOperator

    case = this.case
    model: nn.Module = this.module
    if case.kind == "mlp":
        loss, factor, labels = nn.MSELoss(), 0.5, case.labels.to(case.problem.dtype)
    else:
        model = nn.Sequential(this.module, nn.Flatten(0, 1))
        loss, factor, labels = nn.CrossEntropyLoss(), float(case.inputs.shape[1]), case.labels.reshape(-1)
    operator = GGNLinearOperator(
        model,
        loss,
        list(this.moving.values()),
        [(case.inputs, labels)],
        check_deterministic=False,
        num_data=case.inputs.shape[0],
    )
    vector = torch.cat([block.reshape(-1) for block in this.velocities.values()])

    def product() -> float:
        with sdpa_kernel(SDPBackend.MATH):  # the fused kernels have no forward-mode derivative
            return factor * float(vector @ (operator @ vector))

    return product


def log_likelihood(kind: str, outputs: Tensor, labels: Tensor) -> Tensor:
    """Σ over the batch of log p(y | x), up to a constant. Gaussian labels are y − f."""
    if kind == "mlp":
        return -0.5 * (labels + outputs.detach() - outputs).square().sum()
    return torch.log_softmax(outputs, dim=-1).gather(-1, labels.unsqueeze(-1)).sum()


def gradient_loop(this: Reading) -> float:
    """Mean of (∇log p(y | x) · u)² over the first samples, one backward pass a sample."""
    total = 0.0
    parameters = list(this.moving.values())
    for i in range(this.share):
        outputs = this.module(this.case.inputs[i : i + 1])
        gradients = torch.autograd.grad(
            log_likelihood(this.case.kind, outputs, this.case.labels[i : i + 1]), parameters
        )
        slope = sum((g * u).sum() for g, u in zip(gradients, this.velocities.values(), strict=True))
        total += float(slope) ** 2
    return total / this.share


def gradient_vmap(this: Reading) -> float:
    """The same through torch.func.vmap(grad), in chunks that fit."""
    moving = {name: value.detach() for name, value in this.moving.items()}

    def slope(inputs: Tensor, labels: Tensor) -> Tensor:
        def score(parameters: Mapping[str, Tensor]) -> Tensor:
            outputs = torch.func.functional_call(this.module, dict(parameters), (inputs.unsqueeze(0),))
            return log_likelihood(this.case.kind, outputs, labels.unsqueeze(0))

        gradients = torch.func.grad(score)(moving)
        return torch.stack([(gradients[name] * block).sum() for name, block in this.velocities.items()]).sum()

    size = sum(value.numel() * value.element_size() for value in moving.values())
    chunk = max(1, min(this.share, CHUNK_BYTES // size))
    with sdpa_kernel(SDPBackend.MATH):
        slopes = torch.func.vmap(slope, chunk_size=chunk)(
            this.case.inputs[: this.share], this.case.labels[: this.share]
        )
    return float(slopes.square().mean())


def scores_by_forward_mode(this: Reading) -> float:
    """What the per-sample gradients must come to: (∂log p/∂f · Ju)² at the same labels."""
    with measuring():
        outputs, tangents = push_forward(
            this.case.problem, this.positions, this.velocities, this.case.inputs[: this.share], "here"
        )
    labels = this.case.labels[: this.share]
    if this.case.kind == "mlp":
        slopes = labels * tangents
    else:
        centred = tangents - (torch.softmax(outputs, -1) * tangents).sum(-1, keepdim=True)
        slopes = centred.gather(-1, labels.unsqueeze(-1))
    return float(slopes.reshape(this.share, -1).sum(1).square().mean())


def check(this: Reading, rivals: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Relative differences; an error when they are too large to call it the same number.

    Raises:
        SystemExit: a rival computes something else.
    """
    tolerance = 1e-6 if this.case.problem.dtype == torch.float64 else 1e-2
    fisher, scores = rivals["reading"](), scores_by_forward_mode(this)
    pairs = {"loop": scores, "vmap": scores, "ggn": fisher}
    gaps = {name: abs(rivals[name]() / truth - 1) for name, truth in pairs.items() if name in rivals}
    for name, gap in gaps.items():
        if not gap <= tolerance:
            raise SystemExit(f"{name} is off by {gap:.2g}, more than {tolerance:g}: nothing is timed.")
    return gaps


def products(this: Reading) -> float:
    """Matrix-product work of the derivative in forward passes: counted by torch as it runs, not estimated."""
    from torch.utils.flop_counter import FlopCounterMode

    counts = []
    for call in (lambda: this.case.problem.truth_outputs(this.case.inputs), lambda: derivative(this)):
        with measuring(), FlopCounterMode(display=False) as counter:
            call()
        counts.append(counter.get_total_flops())
    return counts[1] / counts[0]
