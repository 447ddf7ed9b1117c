"""Models of `transformers` as they are, padded batches and all: values by another algorithm, orders by construction.

The second algorithm calls the model with one sample at a time, without its padding, and differentiates it in reverse
mode, an output at a time. Planted structure says which order is right (`plants.py`): a unit or a head whose weights
vanish on both sides has order 2, one behind a gate 3, and a gauge is flat along its orbit and looks dead along a ray.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from packaged import IMAGES, MASKS, SEEN, TOKENS, inputs, network
from plants import PLANTS, Dead, unit_speed
from torch import Tensor, nn

from ddtheory.measure import (
    Categorical,
    Problem,
    TwoScaleReading,
    fisher_along,
    kronecker_factors_of_all,
    order,
    order_along,
)
from ddtheory.values import Kind

# others raise warnings of their own
pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore")]

NAMES = ("GPT-2", "Llama", "Qwen2", "Mamba", "T5", "ViT", "BERT")
SINGLE = {"Llama": 2e-3, "Qwen2": 2e-3, "Mamba": 2e-3, "T5": 2e-3}  # these cast to float32 on the way


def problem_of(name: str, module: nn.Module | None = None) -> Problem:
    mask = MASKS.get(name, "attention_mask")
    module = network(name) if module is None else module
    return Problem.from_module(module, inputs(name), Categorical(), output="logits", mask=mask)


def alone(name: str) -> list[dict[str, Tensor]]:
    """Each sample without its padding."""
    if name == "ViT":
        return [{"pixel_values": image[None].double()} for image in IMAGES]
    found = []
    for tokens, seen in zip(TOKENS, SEEN, strict=True):
        own = tokens[: int(seen.sum())][None]
        found.append({"input_ids": own, "decoder_input_ids": own} if name == "T5" else {"input_ids": own})
    return found


def by_hand(name: str, direction: Mapping[str, Tensor], t: float) -> float:
    """uᵀF(θ + tu)u = E Σ (variance of the derivative of the logits under their softmax)."""
    module = network(name).double()
    own = dict(module.named_parameters())
    with torch.no_grad():
        for key, block in direction.items():
            own[key].add_(t * block)
    total = 0.0
    for sample in alone(name):
        logits = module(**sample).logits.reshape(-1, module(**sample).logits.shape[-1])
        p = torch.softmax(logits, -1).detach()
        slopes = torch.zeros_like(p)
        for i in range(len(logits)):
            for j in range(logits.shape[-1]):
                gradients = torch.autograd.grad(logits[i, j], list(own.values()), retain_graph=True, allow_unused=True)
                slopes[i, j] = sum(
                    float((gradient * direction[key]).sum())
                    for key, gradient in zip(own, gradients, strict=True)
                    if gradient is not None and key in direction
                )
        total += float((p * slopes.square()).sum() - (p * slopes).sum(-1).square().sum())
    return total / len(alone(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_fisher_of_a_model_as_it_is(name: str) -> None:
    problem = problem_of(name)
    vector = torch.randn(problem.dimension, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    found = fisher_along(problem, vector, [0.25]).fisher[0]
    expected = by_hand(name, problem.unit(vector), 0.25)
    assert found == pytest.approx(expected, rel=SINGLE.get(name, 1e-9))
    if MASKS.get(name, ""):  # the control: with the laws at padded positions it is another number
        unmasked = Problem.from_module(network(name), inputs(name), Categorical(), output="logits")
        assert fisher_along(unmasked, vector, [0.25]).fisher[0] > 1.05 * expected


@pytest.mark.parametrize("name", NAMES)
def test_layers_of_a_model_as_it_is(name: str) -> None:
    """G of the layer that makes the logits is Σ diag p − ppᵀ over labels; what is left out has its reason."""
    problem = problem_of(name)
    found = kronecker_factors_of_all(problem)
    modules = dict(problem.model.module.named_modules())  # type: ignore[attr-defined]
    owners = {key for key, module in modules.items() if any(True for _ in module.parameters(recurse=False))}
    assert owners <= {*found, *found.left_out} and all(found.left_out.values())
    heads = {"ViT": "classifier", "BERT": "classifier", "Llama": "lm_head", "Qwen2": "lm_head"}
    if name in heads:
        module, expected = network(name).double(), 0.0
        for sample in alone(name):
            p = torch.softmax(module(**sample).logits, -1).detach().reshape(-1, found[heads[name]].gradient.width)
            expected = expected + (torch.diag_embed(p) - p[:, :, None] * p[:, None, :]).sum(0) / len(alone(name))
        own = found[heads[name]].gradient.matrix()
        assert float((own - expected).norm() / expected.norm()) < SINGLE.get(name, 1e-10)
    else:  # the head is tied to the embedding
        assert any("shares its parameter" in reason for reason in found.left_out.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_random_direction_is_regular(name: str) -> None:
    problem = problem_of(name)
    somewhere = torch.randn(problem.dimension, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    assert order_along(problem, somewhere).k == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["unit", "head"])
def test_a_planted_death_is_read_along_its_joint_direction(name: str, kind: str) -> None:
    """Each factor is t, so the outputs move by t to the number of factors; half of it, the control, moves nothing."""
    dead: Dead = getattr(PLANTS[name], kind)
    module = network(name)
    direction = dead.plant(module)
    problem = problem_of(name, module)
    assert order_along(problem, direction).k == dead.order
    assert order_along(problem, dead.half(direction)).kind is Kind.FLAT


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_that_is_nearly_dead_has_two_scales(name: str) -> None:
    """At a distance s from the dead point, along its direction, the order is 1 below s and the dead one's above."""
    dead, s = PLANTS[name].unit, 2e-4
    module = network(name).double()
    direction = dead.plant(module, s)
    reading = order_along(problem_of(name, module), direction)
    assert isinstance(reading, TwoScaleReading) and (reading.k, reading.above) == (1, dead.order)
    if dead.mirrored:  # E relu(−z)² stands for E relu(z)² on the other side, so the laws meet beside s
        assert s / 3 < reading.crossing.estimate < 3 * s
    else:
        assert reading.crossing.contains(s)


GAUGES = {f"{name}, {kind}": (name, gauge) for name in NAMES for kind, gauge in PLANTS[name].gauges.items()}


def test_every_network_has_three_gauges() -> None:
    assert [len(PLANTS[name].gauges) for name in NAMES] == [3] * len(NAMES)


@pytest.mark.parametrize("gauge", GAUGES)
def test_a_gauge_is_flat_along_its_orbit(gauge: str) -> None:
    """Along the straight ray of the same velocity it looks dead of order 2: the control."""
    name, planted = GAUGES[gauge]
    problem = problem_of(name)
    orbit, velocity = unit_speed(problem, planted.curve(problem))
    along = fisher_along(problem, orbit)
    assert max(along.fisher) < along.fisher_floor and max(along.divergence) < along.divergence_floor
    assert order(along).kind is Kind.FLAT
    assert order(fisher_along(problem, velocity)).k == 2
