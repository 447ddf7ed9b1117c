"""Models of `transformers` as they are, padded batches and all: values by another algorithm, orders by construction.

The second algorithm calls the model with one sample at a time, without its padding, and differentiates it in reverse
mode, an output at a time. Planted structure says which order is right: a unit or a head whose weights vanish on both
sides has order 2, and a gauge is flat along its orbit and looks dead along a straight ray.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from packaged import IMAGES, MASKS, SEEN, TOKENS, inputs, network
from torch import Tensor, nn

from ddtheory.measure import Categorical, Path, Problem, arc, fisher_along, kronecker_factors_of_all, order
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


Place = tuple[str, tuple[slice | int, ...]]
ALL = slice(None)

FIRST = "transformer.h.0"
UNITS: dict[str, list[Place]] = {
    "GPT-2": [
        (f"{FIRST}.mlp.c_fc.weight", (ALL, 2)),
        (f"{FIRST}.mlp.c_fc.bias", (2,)),
        (f"{FIRST}.mlp.c_proj.weight", (2,)),
    ],
    "ViT": [
        ("vit.layers.0.mlp.fc1.weight", (2,)),
        ("vit.layers.0.mlp.fc1.bias", (2,)),
        ("vit.layers.0.mlp.fc2.weight", (ALL, 2)),
    ],
    "BERT": [
        ("bert.encoder.layer.0.intermediate.dense.weight", (2,)),
        ("bert.encoder.layer.0.intermediate.dense.bias", (2,)),
        ("bert.encoder.layer.0.output.dense.weight", (ALL, 2)),
    ],
}
HEAD = slice(0, 4)
HEADS: dict[str, list[Place]] = {
    "GPT-2": [
        (f"{FIRST}.attn.c_attn.weight", (ALL, slice(16, 20))),
        (f"{FIRST}.attn.c_attn.bias", (slice(16, 20),)),
        (f"{FIRST}.attn.c_proj.weight", (HEAD,)),
    ],
    "ViT": [
        ("vit.layers.0.attention.v_proj.weight", (HEAD,)),
        ("vit.layers.0.attention.v_proj.bias", (HEAD,)),
        ("vit.layers.0.attention.o_proj.weight", (ALL, HEAD)),
    ],
    "BERT": [
        ("bert.encoder.layer.0.attention.self.value.weight", (HEAD,)),
        ("bert.encoder.layer.0.attention.self.value.bias", (HEAD,)),
        ("bert.encoder.layer.0.attention.output.dense.weight", (ALL, HEAD)),
    ],
}


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("table", [UNITS, HEADS], ids=["unit", "head"])
def test_a_planted_death_is_read_along_its_joint_direction(name: str, table: dict[str, list[Place]]) -> None:
    """t into, t out of it: the outputs move by t². Half of it, the control, moves nothing; anything else is regular."""
    module = network(name)
    own = dict(module.named_parameters())
    generator = torch.Generator().manual_seed(8)
    direction: dict[str, Tensor] = {}
    with torch.no_grad():
        for key, place in table[name]:
            own[key][place] = 0.0
            block = torch.zeros(own[key].shape, dtype=torch.float64)
            block[place] = torch.randn(own[key][place].shape, generator=generator, dtype=torch.float64)
            direction[key] = block
    problem = problem_of(name, module)
    assert order(fisher_along(problem, direction)).k == 2
    half = dict(list(direction.items())[:2])
    assert order(fisher_along(problem, half)).kind is Kind.FLAT
    other = torch.randn(problem.dimension, generator=generator, dtype=torch.float64)
    assert order(fisher_along(problem, other)).k == 1


Curve = Callable[[Tensor], dict[str, Tensor]]


def scaled(problem: Problem, up: list[Place], down: list[Place]) -> Curve:
    """θ ↦ e^t θ at some places and e^−t θ at others."""

    def curve(t: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for places, factor in ((up, torch.exp(t)), (down, torch.exp(-t))):
            for key, place in places:
                where = torch.zeros(problem.truth[key].shape, dtype=torch.float64)
                where[place] = 1.0
                before = found.get(key, problem.truth[key])
                found[key] = before * (1 + where * (factor - 1))
        return found

    return curve


def turned(problem: Problem, values: list[Place], out: Place, last: bool) -> Curve:
    """A rotation of a head: of what its values make, and back where its output is read."""

    def curve(t: Tensor) -> dict[str, Tensor]:
        # two planes; torch's matrix exponential is off by 5e-13 at some norms
        pairs = [
            torch.stack([torch.cos(a), torch.sin(a), -torch.sin(a), torch.cos(a)]).reshape(2, 2) for a in (t, t / 2)
        ]
        rotation = torch.block_diag(*pairs)
        found = {}
        for key, place in values:
            block = problem.truth[key][place]
            moved = block @ rotation if last or block.ndim == 1 else rotation.mT @ block
            found[key] = _put(problem.truth[key], place, moved)
        key, place = out
        block = problem.truth[key][place]
        found[key] = _put(problem.truth[key], place, rotation.mT @ block if last else block @ rotation)
        return found

    return curve


def _put(whole: Tensor, place: tuple[slice | int, ...], block: Tensor) -> Tensor:
    # a sum, since a tensor of the problem is not written into
    blank = torch.zeros_like(whole)
    blank[place] = 1.0
    sides = [0] * (2 * whole.ndim)
    for axis, (part, size) in enumerate(zip(place, whole.shape, strict=False)):
        start, stop, _ = part.indices(size) if isinstance(part, slice) else (part, part + 1, 1)
        sides[2 * (whole.ndim - 1 - axis)], sides[2 * (whole.ndim - 1 - axis) + 1] = start, size - stop
    return whole * (1 - blank) + torch.nn.functional.pad(block, sides)


def unit_speed(problem: Problem, curve: Curve) -> tuple[Path, dict[str, Tensor]]:
    """The orbit at unit speed, and its tangent at the start."""
    zero, one = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    _, velocity = torch.func.jvp(curve, (zero,), (one,))
    speed = float(sum(block.square().sum() for block in velocity.values())) ** 0.5
    return arc(problem, lambda t: curve(t / speed)), velocity


QUERIES: dict[str, tuple[list[Place], list[Place]]] = {
    "GPT-2": (
        [(f"{FIRST}.attn.c_attn.weight", (ALL, HEAD)), (f"{FIRST}.attn.c_attn.bias", (HEAD,))],
        [(f"{FIRST}.attn.c_attn.weight", (ALL, slice(8, 12))), (f"{FIRST}.attn.c_attn.bias", (slice(8, 12),))],
    ),
    "ViT": tuple(  # type: ignore[dict-item]
        [(f"vit.layers.0.attention.{part}_proj.{kind}", (HEAD,)) for kind in ("weight", "bias")] for part in "qk"
    ),
    "BERT": tuple(  # type: ignore[dict-item]
        [(f"bert.encoder.layer.0.attention.self.{part}.{kind}", (HEAD,)) for kind in ("weight", "bias")]
        for part in ("query", "key")
    ),
}
NORMS: dict[str, tuple[list[Place], list[Place]]] = {
    "GPT-2": (
        [(f"{FIRST}.ln_2.weight", (3,)), (f"{FIRST}.ln_2.bias", (3,))],
        [(f"{FIRST}.mlp.c_fc.weight", (3,))],
    ),
    "ViT": (
        [("vit.layers.0.layernorm_after.weight", (3,)), ("vit.layers.0.layernorm_after.bias", (3,))],
        [("vit.layers.0.mlp.fc1.weight", (ALL, 3))],
    ),
}


def gauges() -> dict[str, tuple[str, Callable[[Problem], Curve]]]:
    found: dict[str, tuple[str, Callable[[Problem], Curve]]] = {}
    for kind, table in (("scale of queries and keys", QUERIES), ("scale of a norm", NORMS)):
        for name, (up, down) in table.items():
            found[f"{name}, {kind}"] = name, lambda problem, up=up, down=down: scaled(problem, up, down)
    for name, places in HEADS.items():
        found[f"{name}, rotation of values"] = (
            name,
            lambda problem, places=places, last=name == "GPT-2": turned(problem, places[:2], places[2], last),
        )
    return found


GAUGES = gauges()


@pytest.mark.parametrize("gauge", GAUGES)
def test_a_gauge_is_flat_along_its_orbit(gauge: str) -> None:
    """Along the straight ray of the same velocity it looks dead of order 2: the control."""
    name, make = GAUGES[gauge]
    problem = problem_of(name)
    orbit, velocity = unit_speed(problem, make(problem))
    along = fisher_along(problem, orbit)
    assert max(along.fisher) < along.fisher_floor and max(along.divergence) < along.divergence_floor
    assert order(along).kind is Kind.FLAT
    assert order(fisher_along(problem, velocity)).k == 2
