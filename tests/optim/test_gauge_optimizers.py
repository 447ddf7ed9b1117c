"""DDCAdam and DDCMuon: closed forms, a second implementation, equivariance with a control, and what torch expects."""

from __future__ import annotations

import copy
import dataclasses
import math
import warnings
from collections.abc import Callable

import pytest
import torch
from hostile_values import hostile_values
from torch import Tensor, nn

from ddtheory.errors import DDTheoryError, InvalidValueError, MeasurementError
from ddtheory.gauges import Gauge, Group, Leg, Motion, find_gauges, moved
from ddtheory.optim import DDCAdam, DDCMuon, UnitDeathWarning, largest_surviving_decay
from ddtheory.optim.muon import orthogonalised
from ddtheory.testing import check_equivariance
from ddtheory.workbench.measurements.rescaling import descend, gauge_adam

Make = Callable[[nn.Module], torch.optim.Optimizer]
PAIR = Gauge("chain", Group.POSITIVE, 1, (Leg("a"), Leg("b", 1, dual=True)))


class Pair(nn.Module):
    """b·a x, one channel: the smallest chain. Its blocks are whole parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor([[0.8, -0.4, 0.3]], dtype=torch.float64))
        self.b = nn.Parameter(torch.tensor([[0.5], [-0.9]], dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.a.mT @ self.b.mT


class Transformer(nn.Module):
    """One block, its last norm and a head: every row of the table that a transformer has."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=True)
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.block(x)))


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))


def drawn(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = make().double()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(0.4 * torch.randn_like(parameter))
    return model


def batch(model: nn.Module) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    shape = (4, 5, 8) if isinstance(model, Transformer) else (20, 3)
    inputs = torch.randn(shape, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(0, 3, shape[:-1], generator=generator)


def trained(model: nn.Module, make: Make, steps: int) -> Tensor:
    inputs, labels = batch(model)
    optimizer = make(model)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs).flatten(0, -2), labels.flatten()).backward()
        optimizer.step()
    return model(inputs).detach().log_softmax(-1)


def gap(model: nn.Module, gauge: Gauge, make: Make, steps: int = 15) -> float:
    other = copy.deepcopy(model)
    there = moved(gauge, {name: value.detach() for name, value in other.named_parameters()}, Motion(2))
    with torch.no_grad():
        for name, value in other.named_parameters():
            value.copy_(there[name])
    ends = [trained(copy.deepcopy(model), make, steps), trained(other, make, steps)]
    return float((ends[0] - ends[1]).abs().max())


def adam(model: nn.Module) -> DDCAdam:
    return DDCAdam(model, 0.01, weight_decay=0.1, inputs=batch(model)[0], softmax=True)


def muon(model: nn.Module) -> DDCMuon:
    return DDCMuon(model, 0.01, weight_decay=0.1, inputs=batch(model)[0], softmax=True)


def clipped(model: nn.Module) -> DDCAdam:
    """Clipped hard, with an ε that makes the size of what enters count."""
    return DDCAdam(model, 0.01, eps=1e-2, inputs=batch(model)[0], softmax=True, max_norm=1e-2, foreach=True)


def clipped_by_gradient(model: nn.Module) -> DDCAdam:
    """The control: the norm of the gradient is no invariant."""
    found = DDCAdam(model, 0.01, eps=1e-2, inputs=batch(model)[0], softmax=True)
    found.register_step_pre_hook(lambda *_: nn.utils.clip_grad_norm_(model.parameters(), 1e-2) and None)
    return found


# --- equivariance -----------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("make", [perceptron, Transformer])
@pytest.mark.parametrize("optimizer", [adam, muon, clipped])
def test_a_step_commutes_with_every_gauge_that_is_claimed(make: Callable[[], nn.Module], optimizer: Make) -> None:
    model = drawn(make)
    gauges = optimizer(model).gauges  # type: ignore[attr-defined]
    assert {gauge.group for gauge in gauges} >= {Group.POSITIVE, Group.PERMUTATION, Group.SHIFT}
    for gauge in gauges:
        assert gap(model, gauge, optimizer) < 1e-12, gauge


@pytest.mark.long
@pytest.mark.parametrize(
    ("optimizer", "group"),
    [
        (lambda model: torch.optim.Adam(model.parameters(), 0.01), Group.POSITIVE),
        (lambda model: torch.optim.Adam(model.parameters(), 0.01), Group.ROTATION),
        (lambda model: torch.optim.SGD(model.parameters(), 0.1), Group.POSITIVE),
        (clipped_by_gradient, Group.POSITIVE),
        (adam, Group.ROTATION),
    ],
    ids=["Adam, scales", "Adam, rotations", "SGD, scales", "clipped gradients, scales", "DDCAdam, rotations"],
)
def test_control_others_do_not(optimizer: Make, group: Group) -> None:
    model = drawn(Transformer)
    gauges = [each for each in find_gauges(model, batch(model)[0], softmax=True).gauges if each.group is group]
    assert max(gap(model, gauge, optimizer) for gauge in gauges) > 1e-5


def test_what_is_left_is_told() -> None:
    model = drawn(Transformer)
    adding = {Group.TRANSLATION, Group.KERNEL, Group.BIAS}
    assert {gauge.group for gauge in adam(model).gauges_left} == {Group.ROTATION, *adding}
    assert {gauge.group for gauge in muon(model).gauges_left} == adding
    found = find_gauges(model, batch(model)[0], softmax=True)
    given = DDCMuon(model, 0.01, gauges=found)
    assert {gauge.group for gauge in given.gauges_left} == adding
    assert {*given.gauges, *given.gauges_left} == set(found.gauges)
    with pytest.raises(InvalidValueError, match=r"Leave the gauge out of the list\."):
        DDCMuon(model, 0.01, gauges=found.gauges)


class Grouped(nn.Module):
    """One matrix makes the queries of two heads, and the keys and values that both share, and that of a head alone."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.fused, self.out, self.head = (
            nn.LayerNorm(8),
            nn.Linear(8, 20),
            nn.Linear(12, 8),
            nn.Linear(8, 3),
        )

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.fused(self.norm(x)).split([12, 4, 4], -1)
        q = q.unflatten(-1, (3, 4)).transpose(1, 2)
        k, v = (each.unsqueeze(1).expand_as(q) for each in (k, v))
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.head(x + self.out(mixed.transpose(1, 2).flatten(-2)))


def shared(group: Group) -> list[Gauge]:
    """Keys against the three heads of queries, and values against the three heads that the output map reads."""
    names = ("fused.weight", "fused.bias")
    queries = tuple(Leg(name, 0, False, 4 * head) for name in names for head in range(3))
    keys, values = (tuple(Leg(name, 0, dual, start) for name in names) for dual, start in ((True, 12), (False, 16)))
    reads = tuple(Leg("out.weight", 1, True, 4 * head) for head in range(3))
    norm = (Leg("norm.weight"), Leg("norm.bias"), Leg("fused.weight", 1, True))
    found = [Gauge("shared keys", group, 4, (*queries, *keys)), Gauge("shared values", group, 4, (*values, *reads))]
    return [*found, Gauge("norm", Group.POSITIVE, 8, norm)]


@pytest.mark.long
@pytest.mark.parametrize(("make", "group"), [(DDCAdam, "POSITIVE"), (DDCMuon, "POSITIVE"), (DDCMuon, "ROTATION")])
def test_heads_that_share_keys_in_one_matrix(make: type[DDCAdam], group: str) -> None:
    model = drawn(Grouped)
    inputs = torch.randn(4, 5, 8, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    labels = torch.randint(0, 3, (4, 5), generator=torch.Generator().manual_seed(6))
    gauges = shared(Group[group])
    settings = {"steps": 5, "representatives": 2, "causes": False}

    def verdicts(make_optimizer: Make) -> set[str]:
        return set(check_equivariance(make_optimizer, model, (inputs, labels), gauges, **settings).verdicts.values())

    assert verdicts(lambda copied: make(copied, 0.01, weight_decay=0.1, gauges=gauges)) == {"exact to rounding"}
    assert verdicts(lambda copied: torch.optim.Adam(copied.parameters(), 0.01)) == {"broken"}


# --- closed forms and a second implementation -------------------------------------------------------------------------


def test_one_gauge_is_the_step_of_the_paper() -> None:
    """The blocks of one gauge against the algebra of the book, which knows neither pieces nor frames."""
    x = torch.randn(7, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y = torch.randn(7, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    model = Pair()
    start = [model.a.detach().clone(), model.b.detach().clone()]

    def loss(w: list[Tensor]) -> Tensor:
        return ((x @ w[0].mT @ w[1].mT - y) ** 2).mean()

    path = descend(loss, start, gauge_adam(0.02, decay=0.3, differences=False), 25)
    optimizer = DDCAdam(model, 0.02, weight_decay=0.3, gauges=[PAIR])
    for _ in range(25):
        optimizer.zero_grad()
        loss([model.a, model.b]).backward()
        optimizer.step()
    for found, expected in zip((model.a, model.b), path[-1], strict=True):
        assert torch.allclose(found, expected, rtol=1e-11, atol=0)
    without_decay = descend(loss, start, gauge_adam(0.02, differences=False), 25)
    assert float((without_decay[-1][0] - model.a).detach().abs().max()) > 1e-3


def outwards(decay: float) -> float:
    """log of the norm after 200 steps down −log |b a|, a pull that never ends; one entry a block."""
    model = nn.ParameterDict({"a": torch.full((1, 1), 0.7), "b": torch.full((1, 1), 0.7)}).double()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnitDeathWarning)
        optimizer = DDCAdam(model, 1e-2, weight_decay=decay, gauges=[PAIR])
    start = float(model["a"].detach().log())
    for _ in range(200):
        optimizer.zero_grad()
        (-(model["a"] * model["b"]).log()).sum().backward()
        optimizer.step()
    return float(model["a"].detach().log()) - start


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.6, 1.0])
def test_growth_against_decay_is_the_law(decay: float) -> None:
    """ĝ = −1 at every step, so r = η/√2 and nothing turns: log ρ moves by η/√2 + log(1 − ηλ) a step."""
    expected = 200 * (1e-2 / math.sqrt(2) + math.log1p(-1e-2 * decay))
    assert outwards(decay) == pytest.approx(expected, abs=1e-6)


def test_the_largest_decay_that_is_survived() -> None:
    most = largest_surviving_decay(1e-2)
    assert outwards(most) == pytest.approx(0, abs=1e-6)
    assert outwards(most + 0.05) < -0.05 and outwards(most - 0.05) > 0.05
    lr, turning = 1e-2, 7.0
    decay = largest_surviving_decay(lr, 2, turning)
    assert (1 - lr * decay) ** 2 * (math.exp(2 * lr / math.sqrt(2)) + lr**2 * turning) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("turning", [0.0, 1e300])
@pytest.mark.parametrize("lr", [1e4, 1e200])
def test_a_rate_whose_exponential_no_float_holds_survives_what_leaves_nothing(lr: float, turning: float) -> None:
    """There e^r outgrows every decay but δ = 1 − ηλ = 0."""
    assert largest_surviving_decay(lr, 2, turning) == pytest.approx(1 / lr, rel=1e-15)


@pytest.mark.parametrize("arguments", [(0.0,), (1e-3, 0), (1e-3, "2"), (1e-3, 1.5), (1e-3, 2, -1.0), (math.inf,)])
def test_the_law_refuses_what_means_nothing(arguments: tuple[float, ...]) -> None:
    with pytest.raises(InvalidValueError):
        largest_surviving_decay(*arguments)  # type: ignore[arg-type]


def test_a_decay_that_kills_is_warned_of() -> None:
    with pytest.warns(UnitDeathWarning, match=r"0\.71"):
        DDCAdam(Pair(), weight_decay=0.71, gauges=[PAIR])
    DDCAdam(Pair(), weight_decay=0.70, gauges=[PAIR])  # warnings are errors here
    DDCAdam(Pair(), weight_decay=0.9, gauges=[])  # no blocks, nothing to die


FIRST = torch.tensor([[0.3, -1.2], [2.0, 0.1], [-0.7, 0.4], [0.5, 0.9]], dtype=torch.float64)
SECOND = torch.tensor([[1.1, 0.2], [-0.4, 0.6], [0.8, -1.5], [0.3, 0.7]], dtype=torch.float64)


class Tall(nn.Module):
    """One matrix of four rows and two columns, whose gradients are written down."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([[1.0, 0.5], [-0.3, 2.0], [0.7, -0.6], [0.2, 0.1]], dtype=torch.float64))

    def stepped(self, optimizer: torch.optim.Optimizer, *gradients: Tensor) -> Tensor:
        for gradient in gradients:
            self.w.grad = gradient.clone()
            optimizer.step()
        return self.w.detach()


def polar(matrix: Tensor) -> Tensor:
    """The iteration, by singular values."""
    u, values, vh = torch.linalg.svd(matrix, full_matrices=False)
    values = values / values.norm()
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    return (u * values) @ vh


@pytest.mark.parametrize("scaled", [False, True])
def test_two_steps_of_muon_are_those_that_its_docstring_writes(scaled: bool) -> None:
    """W ← (1 − ηλ)W − η√(4/2) L O(L M), M ← βM + g, L = diag of the norms of rows, or 1 without a gauge."""
    rate, beta, decay = 0.1, 0.5, 0.3
    w, m = Tall().w.detach(), torch.zeros(4, 2, dtype=torch.float64)
    for gradient in (FIRST, SECOND):
        m = beta * m + gradient
        metric = torch.diag(w.square().sum(1).sqrt()) if scaled else torch.eye(4, dtype=torch.float64)
        w = (1 - rate * decay) * w - rate * math.sqrt(2) * metric @ polar(metric @ m)
    model = Tall()
    gauges = [Gauge("scale", Group.POSITIVE, 4, (Leg("w"),))] if scaled else []
    found = model.stepped(DDCMuon(model, rate, beta, decay, gauges=gauges), FIRST, SECOND)
    assert torch.allclose(found, w, rtol=1e-11, atol=1e-13)


def test_a_wide_matrix_and_a_vector_have_the_scale_of_muon() -> None:
    """s = √max(1, rows/columns): 1 for two rows of four columns, √3 for a vector of three."""
    wide, vector = nn.Linear(4, 2, bias=False), nn.Module()
    vector.v = nn.Parameter(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    wide.double()
    before = wide.weight.detach().clone()
    wide.weight.grad = FIRST.mT.clone()
    DDCMuon(wide, 0.1, gauges=[]).step()
    assert torch.allclose(wide.weight, before - 0.1 * polar(FIRST.mT), rtol=1e-11, atol=1e-13)
    vector.v.grad = torch.tensor([3.0, 0.0, 4.0], dtype=torch.float64)
    DDCMuon(vector, 0.1, gauges=[]).step()
    moved_by = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64) - vector.v.detach()
    assert torch.allclose(moved_by, 0.1 * math.sqrt(3) * polar(torch.tensor([[3.0], [0.0], [4.0]]).double())[:, 0])


@pytest.mark.parametrize("share", [0.1, 0.5, 10.0])
def test_the_first_step_of_a_clipped_adam(share: float) -> None:
    """At the first step A(x) = x/(|x| + ε), so with ε = 1 the size of what enters is seen: min(1, share) of it."""
    rate, eps, gradients = 0.1, 1.0, {"a": FIRST[:3, :1].mT.clone(), "b": FIRST[2:, 1:].clone()}
    blocks = {name: value.detach().clone() for name, value in Pair().named_parameters()}
    sizes = {name: float(block.norm()) for name, block in blocks.items()}
    along = {name: float((gradients[name] * block).sum()) for name, block in blocks.items()}
    invariants = {n: sizes[n] * (gradients[n] - along[n] * block / sizes[n] ** 2) for n, block in blocks.items()}
    total = math.sqrt(sum(float(invariants[n].square().sum()) + 2 * along[n] ** 2 for n in blocks))
    model, kept = Pair(), min(1.0, share)
    for name, value in model.named_parameters():
        value.grad = gradients[name]
    DDCAdam(model, rate, eps=eps, gauges=[PAIR], max_norm=share * total).step()
    for name, block in blocks.items():
        u = kept * invariants[name] / (kept * invariants[name].abs() + eps)
        u = u - (u * block).sum() * block / sizes[name] ** 2
        radial = kept * math.sqrt(2) * along[name] / (kept * math.sqrt(2) * abs(along[name]) + eps)
        expected = math.exp(-rate / math.sqrt(2) * radial) * block - rate * sizes[name] * u
        assert torch.allclose(model.get_parameter(name), expected, rtol=1e-11, atol=1e-13), name


def test_without_gauges_it_is_adamw() -> None:
    found = trained(drawn(perceptron), lambda m: DDCAdam(m, 0.01, weight_decay=0.2, gauges=[]), 20)
    expected = trained(drawn(perceptron), lambda m: torch.optim.AdamW(m.parameters(), 0.01, weight_decay=0.2), 20)
    assert torch.allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_the_iteration_is_that_of_its_singular_values() -> None:
    a, b, c = 3.4445, -4.7750, 2.0315
    values = torch.tensor([3.0, 1.0, 0.2], dtype=torch.float64)
    u = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).Q
    v = torch.linalg.qr(torch.randn(5, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)).Q
    expected = values / values.norm()
    for _ in range(5):
        expected = a * expected + b * expected**3 + c * expected**5
    assert torch.allclose(orthogonalised((u * values) @ v.mT), (u * expected) @ v.mT, atol=1e-12)
    assert torch.equal(orthogonalised(torch.zeros(2, 3)), torch.zeros(2, 3))


@pytest.mark.long
@pytest.mark.parametrize("make", [DDCAdam, DDCMuon])
def test_the_loss_goes_to_a_minimum_that_is_known(make: type[DDCAdam]) -> None:
    """Regression onto a matrix of rank one, which b·a can be: the loss falls to zero as the rate does."""
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    target = torch.tensor([[1.0], [-2.0]], dtype=torch.float64) @ torch.tensor([[0.5, 1.0, -1.0]], dtype=torch.float64)
    model = Pair()
    optimizer = make(model, 0.03, gauges=[PAIR])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 600)
    for _ in range(600):
        optimizer.zero_grad()
        loss = ((model(x) - x @ target.mT) ** 2).mean()
        loss.backward()
        optimizer.step()
        schedule.step()
    assert loss.detach() < 1e-6


# --- what torch expects -----------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("optimizer", [adam, muon])
def test_resuming_goes_on_where_it_stopped(optimizer: Make) -> None:
    expected = trained(drawn(Transformer), optimizer, 8)
    half, kept = drawn(Transformer), []

    def remembered(model: nn.Module) -> torch.optim.Optimizer:
        kept.append(optimizer(model))
        return kept[-1]

    def resumed(model: nn.Module) -> torch.optim.Optimizer:
        found = optimizer(model)
        found.load_state_dict(copy.deepcopy(kept[-1].state_dict()))
        return found

    trained(half, remembered, 4)
    assert torch.equal(trained(copy.deepcopy(half), resumed, 4), expected)
    assert not torch.equal(trained(half, optimizer, 4), expected)  # without the state it is another path


def test_a_state_of_other_gauges_is_refused() -> None:
    for other in (DDCAdam(Pair(), gauges=[]), torch.optim.Adam(Pair().parameters())):
        with pytest.raises(InvalidValueError, match="other gauges"):
            DDCAdam(Pair(), gauges=[PAIR]).load_state_dict(other.state_dict())


@pytest.mark.parametrize(
    "change",
    [
        {"group": Group.SIGN},
        {"legs": (Leg("a"), Leg("b", 0, dual=True))},
        {"legs": (Leg("a", start=1), Leg("b", 1, dual=True))},
    ],
)
def test_a_state_of_gauges_that_act_elsewhere_is_refused(change: dict[str, object]) -> None:
    """They read the same where only names, the rule and the channels are said."""

    def square() -> nn.Module:
        model = nn.Module()
        model.a, model.b = (nn.Parameter(torch.eye(2, dtype=torch.float64) + 0.1) for _ in range(2))
        return model

    other = dataclasses.replace(PAIR, **change)
    assert str(other) == str(PAIR)
    saved = DDCAdam(square(), gauges=[PAIR]).state_dict()
    with pytest.raises(InvalidValueError, match="other gauges"):
        DDCAdam(square(), gauges=[other]).load_state_dict(saved)
    DDCAdam(square(), gauges=[dataclasses.replace(PAIR)]).load_state_dict(saved)


def test_foreach_gives_the_same_numbers() -> None:
    one, other = (
        trained(drawn(Transformer), lambda m, f=f: DDCAdam(m, inputs=batch(m)[0], foreach=f), 6) for f in (False, True)
    )
    assert torch.allclose(one, other, rtol=1e-12, atol=1e-13)


def stored(turned: bool) -> nn.Module:
    """The same numbers, whose matrices lie in memory by rows or by columns."""
    model = drawn(perceptron)
    if turned:
        for layer in (model[0], model[2], model[4]):  # type: ignore[index]
            layer.weight = nn.Parameter(layer.weight.detach().mT.contiguous().mT)
    return model


def test_how_a_matrix_lies_in_memory_changes_no_number() -> None:
    """The fused kernel of torch goes through memory: two layouts side by side are mixed up in silence."""
    ends, states = [], []
    for turned in (False, True):
        kept: list[DDCAdam] = []
        ends.append(trained(stored(turned), lambda m, kept=kept: kept.append(adam(m)) or kept[0], 5))
        states.append(copy.deepcopy(kept[0].state_dict()))
    assert torch.allclose(*ends, rtol=1e-11, atol=1e-13)

    def resumed(model: nn.Module, state: dict[str, object]) -> DDCAdam:
        found = adam(model)
        found.load_state_dict(state)
        return found

    again = [trained(stored(True), lambda m, state=state: resumed(m, state), 3) for state in states]
    assert torch.allclose(*again, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("make", [DDCAdam, DDCMuon])
def test_a_closure_is_called_once_with_gradients(make: type[DDCAdam]) -> None:
    model, calls = Pair(), []
    optimizer = make(model, gauges=[PAIR])

    def closure() -> Tensor:
        optimizer.zero_grad()
        calls.append(torch.is_grad_enabled())
        loss = model(torch.ones(1, 3, dtype=torch.float64)).square().sum()
        loss.backward()
        return loss

    before = model.a.detach().clone()
    assert float(optimizer.step(closure).detach()) > 0 and calls == [True] and not torch.equal(before, model.a)


def test_autocast_with_float32_parameters_trains() -> None:
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
    inputs = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
    optimizer = DDCAdam(model, inputs=inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model(inputs).square().mean()
    loss.backward()
    optimizer.step()
    assert all(bool(torch.isfinite(value).all()) for value in model.parameters())


# --- bad input --------------------------------------------------------------------------------------------------------

LEGS = (Leg("0.weight"), Leg("0.bias"), Leg("2.weight", 1, dual=True))
TURN, SCALE = Gauge("turn", Group.ROTATION, 3, LEGS), Gauge("scale", Group.POSITIVE, 3, LEGS)
SHIFT, PART = Gauge("shift", Group.SHIFT, 3, LEGS[:1]), Gauge("part", Group.POSITIVE, 3, LEGS[:1])


ONE = nn.Parameter(torch.ones(1))


def small() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3))


def frozen() -> nn.Module:
    model = small()
    model.get_parameter("2.weight").requires_grad_(False)
    return model


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: DDCAdam(small()), "gauges="),
        (lambda: DDCAdam(small().named_parameters(), gauges=[SCALE], inputs=torch.ones(1, 2)), "module"),
        (lambda: DDCAdam([(name, ONE) for name in "ab"], gauges=[]), "a and b are one tensor"),
        (lambda: DDCAdam(frozen(), gauges=[SCALE]), r"2\.weight does not train"),
        (lambda: DDCAdam(small(), gauges=[TURN]), "DDCMuon"),
        (lambda: DDCAdam(small(), gauges=["scale"]), "gauge"),
        (lambda: DDCAdam(small(), gauges=[SCALE, SCALE]), "commute"),
        (lambda: DDCAdam(small(), gauges=[SCALE, SHIFT]), "do not commute"),
        (lambda: DDCMuon(small(), gauges=[TURN, PART]), "do not commute"),
        (lambda: DDCAdam(small().bfloat16(), gauges=[]), "float32"),
        (lambda: DDCAdam(nn.Linear(2, 2, dtype=torch.complex64), gauges=[]), "complex"),
        (lambda: DDCAdam(small().parameters(), gauges=[]), "names"),
        (lambda: DDCAdam(3, gauges=[]), "parameters"),
        (
            lambda: DDCAdam([("w", nn.Parameter(torch.ones(1))), ("w", nn.Parameter(torch.ones(1)))], gauges=[]),
            "called",
        ),
        (lambda: DDCAdam([("w", 2 * nn.Parameter(torch.ones(1)))], gauges=[]), "w was computed"),
        (lambda: DDCAdam(small(), gauges=[], softmax=True), "beside gauges="),
        (lambda: DDCMuon(small(), gauges=[], softmax="yes"), "beside gauges="),
        (lambda: DDCAdam(small().named_parameters(), inputs=torch.ones(1, 2)), "module"),
        (lambda: DDCAdam(nn.ReLU(), gauges=[]), "nothing to optimise"),
        (lambda: DDCAdam(small(), lr=-1.0, gauges=[]), "lr"),
        (lambda: DDCAdam(small(), lr=float("nan"), gauges=[]), "lr"),
        (lambda: DDCAdam(small(), betas=(0.9, 1.0), gauges=[]), "beta"),
        (lambda: DDCAdam(small(), betas=0.9, gauges=[]), "betas"),
        (lambda: DDCAdam(small(), eps=0.0, gauges=[]), "eps"),
        (lambda: DDCAdam(small(), max_norm=0.0, gauges=[]), "max_norm"),
        (lambda: DDCAdam(small(), foreach="yes", gauges=[]), "foreach"),
        (lambda: DDCMuon(small(), momentum=1.0, gauges=[]), "momentum"),
        (lambda: DDCAdam(small(), gauges=[]).add_param_group({"params": [torch.zeros(1)]}), "later"),
    ],
)
def test_what_means_nothing_is_refused(make: Callable[[], object], match: str) -> None:
    with pytest.raises(InvalidValueError, match=match):
        make()


@pytest.mark.parametrize(("make", "gauge"), [(DDCAdam, SCALE), (DDCMuon, SCALE), (DDCMuon, TURN)])
def test_a_zero_block_is_refused(make: type[DDCAdam], gauge: Gauge) -> None:
    model = small()
    nn.init.zeros_(model.get_parameter("2.weight"))
    with pytest.raises(MeasurementError, match="zero"):
        make(model, gauges=[gauge])


@pytest.mark.parametrize("make", [DDCAdam, DDCMuon])
def test_a_gauge_by_hand_is_measured_where_there_are_inputs(make: type[DDCAdam]) -> None:
    inputs = torch.randn(8, 2, generator=torch.Generator().manual_seed(1))
    assert make(small(), gauges=[SCALE], inputs=inputs).gauges == (SCALE,)
    bent = nn.Sequential(nn.Linear(2, 3), nn.GELU(), nn.Linear(3, 3))
    with pytest.raises(MeasurementError, match="does not have the gauge scale"):
        make(bent, gauges=[SCALE], inputs=inputs)


@pytest.mark.parametrize("make", [DDCAdam, DDCMuon])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["0.bias", "2.weight"])
def test_a_gradient_that_is_not_finite_moves_nothing(make: type[DDCAdam], value: float, name: str) -> None:
    model = drawn(small)
    optimizer = make(model, gauges=[SCALE])
    inputs = torch.ones(4, 2, dtype=torch.float64)
    model(inputs).square().mean().backward()
    optimizer.step()
    before = copy.deepcopy([model.state_dict(), optimizer.state_dict()])
    model.get_parameter(name).grad.view(-1)[1] = value  # type: ignore[union-attr]
    with pytest.raises(MeasurementError, match=f"gradient of {name} is not finite, and nothing has moved"):
        optimizer.step()
    assert str(before) == str([model.state_dict(), optimizer.state_dict()])
    optimizer.zero_grad()
    model(inputs).square().mean().backward()
    optimizer.step()
    assert all(bool(parameter.isfinite().all()) for parameter in model.parameters())


@pytest.mark.parametrize("make", [DDCAdam, DDCMuon])
@pytest.mark.parametrize("name", ["lr", "weight_decay"])
def test_a_rate_that_becomes_no_number_moves_nothing(make: type[DDCAdam], name: str) -> None:
    model = drawn(small)
    optimizer = make(model, gauges=[SCALE])
    before = copy.deepcopy(model.state_dict())
    model(torch.ones(4, 2, dtype=torch.float64)).square().mean().backward()
    for value in (float("nan"), -1.0):
        optimizer.param_groups[0][name] = value
        with pytest.raises(InvalidValueError, match=name):
            optimizer.step()
    assert str(before) == str(model.state_dict())


@pytest.mark.parametrize("make", [DDCAdam, DDCMuon])
def test_a_parameter_without_entries_stays_so(make: type[DDCAdam]) -> None:
    model = drawn(small)
    model.register_parameter("none", nn.Parameter(torch.zeros(0, 3)))
    optimizer = make(model, gauges=[SCALE])
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = model.get_parameter("0.weight").detach().clone()
    optimizer.step()
    assert not torch.equal(before, model.get_parameter("0.weight"))


@pytest.mark.parametrize("make", [DDCAdam, DDCMuon])
def test_a_sparse_gradient_moves_nothing(make: type[DDCAdam]) -> None:
    model = nn.Sequential(nn.Embedding(4, 2, sparse=True), nn.Linear(2, 1))
    optimizer = make(model, gauges=[])
    before = [value.detach().clone() for value in model.parameters()]
    model(torch.tensor([1, 2])).sum().backward()
    with pytest.raises(InvalidValueError, match="sparse"):
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_a_chain_of_rotations_without_full_rank_is_refused() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 4), nn.Linear(4, 2))
    gauges = [each for each in find_gauges(model, torch.randn(9, 2)).gauges if each.group is Group.ROTATION]
    with pytest.raises(MeasurementError, match="full rank"):
        DDCMuon(model, gauges=gauges)


class OddList(list):  # type: ignore[type-arg]
    def __len__(self) -> int:
        raise RuntimeError("code of somebody else")

    __iter__ = __len__  # type: ignore[assignment]


@pytest.mark.parametrize(("name", "value"), [*hostile_values(), ("a list that throws", OddList([0.9, 0.99]))])
def test_betas_of_any_kind_are_refused(name: str, value: object) -> None:
    with pytest.raises(DDTheoryError):
        DDCAdam(small(), betas=value, gauges=[])


class OddNumber(float):
    """Compares and prints as it likes."""

    def __ge__(self, other: object) -> bool:
        raise RuntimeError("code of somebody else")

    __le__ = __lt__ = __gt__ = __format__ = __repr__ = __ge__  # type: ignore[assignment]


def test_a_decay_is_read_as_the_number_that_it_is() -> None:
    model = small()
    gauges = find_gauges(model, torch.randn(8, 2)).gauges
    with pytest.warns(UnitDeathWarning, match="weight_decay = 5: "):
        DDCAdam(model, weight_decay=OddNumber(5.0), gauges=gauges)
