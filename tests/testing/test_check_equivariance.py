"""`check_equivariance`: verdicts that follow by hand, causes that were planted, the criterion, and bad input.

A gauge acts by θ ↦ Aθ on parameters, so gradients are carried by A⁻ᵀ. A step that is linear in the history of
gradients, θ − η Σ β^j g, commutes with it exactly where A⁻ᵀ = A: rotations, permutations, signs. A shift θ ↦ θ + s
leaves gradients where they are. Everything below is a consequence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ddtheory.errors import InvalidValueError, MeasurementError, UnknownNameError
from ddtheory.gauges import Gauge, Group, Leg, Motion, find_gauges, moved
from ddtheory.optim import DDCAdam, DDCMuon
from ddtheory.testing import EquivarianceReport, EquivarianceVerdict, check_equivariance
from ddtheory.testing.equivariance.judging import MARGIN, RESOLUTION, judge, noise
from ddtheory.testing.equivariance.runs import NUDGE, UNIT

EXACT, BROKEN, UNDECIDED = EquivarianceVerdict.EXACT, EquivarianceVerdict.BROKEN, EquivarianceVerdict.UNDECIDED
PAIR = Gauge("chain", Group.POSITIVE, 1, (Leg("a"), Leg("b", 1, dual=True)))
Make = Callable[[nn.Module], object]


class Every(nn.Module):
    """Rescaling, signs, permutations, a rotation and the shift of logits, in one small classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.bent, self.read = nn.Linear(3, 4), nn.Linear(4, 3, bias=False)
        self.odd, self.even = nn.Linear(3, 4, bias=False), nn.Linear(4, 3, bias=False)
        self.out = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.even(torch.tanh(self.odd(x))).relu() + self.read(F.relu(self.bent(x))))


class Straight(nn.Module):
    """Two maps and nothing between them."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 4, bias=False), nn.Linear(4, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x))


class Pair(nn.Module):
    """b·a x, one channel: its blocks are whole parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor([[0.8, -0.4, 0.3]], dtype=torch.float64))
        self.b = nn.Parameter(torch.tensor([[0.5], [-0.9]], dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.a.mT @ self.b.mT


def drawn(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = make().double()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(0.5 * torch.randn_like(parameter) + 0.1)
    return model


def rows(count: int = 12) -> Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


LABELS = torch.arange(12) % 3
TARGETS = torch.sin(rows() @ torch.tensor([[1.0, 2.0], [0.0, -1.0], [2.0, 1.0]], dtype=torch.float64))


def classified(make: Make, model: Callable[[], nn.Module], **settings: object) -> EquivarianceReport:
    return check_equivariance(make, drawn(model), (rows(), LABELS), steps=6, representatives=2, **settings)  # type: ignore[arg-type]


def paired(make: Make, **settings: object) -> EquivarianceReport:
    return check_equivariance(make, Pair(), (rows(), TARGETS), [PAIR], steps=6, representatives=2, **settings)  # type: ignore[arg-type]


# --- verdicts that follow by hand -------------------------------------------------------------------------------------


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=0.05)


def adam(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), 0.02)


def coupled(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), 0.02, weight_decay=0.1)


def adamw(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), 0.02, weight_decay=0.1)


def lbfgs(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.LBFGS(model.parameters(), 0.1, max_iter=2)


def muon(model: nn.Module) -> list[torch.optim.Optimizer]:
    matrices = [value for value in model.parameters() if value.ndim == 2]
    others = [value for value in model.parameters() if value.ndim != 2]
    return [torch.optim.Muon(matrices, 0.02), *([torch.optim.SGD(others, 0.02)] if others else [])]


def ddcadam(model: nn.Module) -> torch.optim.Optimizer:
    return DDCAdam(model, 0.02, weight_decay=0.1, inputs=rows(), softmax=True)


def ddcmuon(model: nn.Module) -> torch.optim.Optimizer:
    return DDCMuon(model, 0.02, weight_decay=0.1, inputs=rows(), softmax=True)


ORTHOGONAL = ("sign flips", "permutation", "logit shift")
BY_HAND: dict[Make, dict[str, EquivarianceVerdict]] = {
    # linear in gradients: exact where A⁻ᵀ = A. Decay keeps a shift on its orbit, (1 − ηλ)(θ + s). C⁻¹ ≠ C for scales.
    sgd: {"rescaling": BROKEN, **dict.fromkeys((*ORTHOGONAL, "rotation"), EXACT)},
    # an odd function of each entry: commutes with signs and orders of entries, not with O: at the first step it is the
    # sign, and sign(Og) ≠ O sign(g); for scales sign(g/c) = sign(g), so W ↦ cW − η sign(g) ≠ c(W − η sign(g))
    adam: {"rescaling": BROKEN, "rotation": BROKEN, **dict.fromkeys(ORTHOGONAL, EXACT)},
    # coupled decay feeds λ(θ + s) to a function that is not linear, so it sees the shift
    coupled: {
        "rescaling": BROKEN,
        "rotation": BROKEN,
        "logit shift": BROKEN,
        "sign flips": EXACT,
        "permutation": EXACT,
    },
    # decoupled decay is linear and beside it
    adamw: {"rescaling": BROKEN, "rotation": BROKEN, **dict.fromkeys(ORTHOGONAL, EXACT)},
    # inner products of gradients and of steps, which orthogonal maps keep; but torch divides the first step by the sum
    # of all |g_i|, which is invariant under signs and orders of entries, and not under rotations
    lbfgs: {"rescaling": BROKEN, "rotation": BROKEN, **dict.fromkeys(ORTHOGONAL, EXACT)},
    # the claims of their docstrings
    ddcadam: {"rotation": BROKEN, "rescaling": EXACT, **dict.fromkeys(ORTHOGONAL, EXACT)},
    ddcmuon: {"rotation": EXACT, "rescaling": EXACT, **dict.fromkeys(ORTHOGONAL, EXACT)},
}


@pytest.mark.long
@pytest.mark.parametrize("make", BY_HAND, ids=lambda make: make.__name__)
def test_the_verdicts_are_those_that_follow_by_hand(make: Make) -> None:
    every = classified(make, Every, causes=False)
    assert set(every.verdicts) == {"rescaling", *ORTHOGONAL}
    straight = classified(make, Straight, gauges="rotation", causes=False)
    expected = BY_HAND[make]
    assert {**every.verdicts, **straight.verdicts} == expected
    assert every.passed is (
        set(expected.values()) - {expected["rotation"]} <= {EXACT} and expected["rescaling"] is EXACT
    )
    for result in (*every.results, *straight.results):
        assert result.control == 1
        assert result.step == (1 if result.verdict is BROKEN else None)


def test_the_gap_after_one_step_is_that_of_a_computation_by_hand() -> None:
    """ℓ = ab at (1, 1): a step of descent makes (1 − η)² of the function ab, and (c − η/c)(1/c − ηc) from (c, 1/c)."""

    class Product(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = (nn.Parameter(torch.ones(1, 1, dtype=torch.float64)) for _ in range(2))

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.a @ self.b

    one, rate = torch.ones(1, 1, dtype=torch.float64), 0.01
    report = check_equivariance(
        lambda model: torch.optim.SGD(model.parameters(), rate), Product(), (one, one), PAIR,
        steps=2, loss=lambda outputs, _: outputs.sum(), representatives=4, seed=7, causes=False,
    )  # fmt: skip
    (result,) = report.results
    factors = [float(moved(PAIR, {"a": one, "b": one}, Motion(seed))["a"]) for seed in range(7, 11)]
    for c, gaps in zip(factors, result.gaps, strict=True):
        assert gaps[1] == pytest.approx(rate * abs(c**2 + c**-2 - 2), rel=1e-10)
    found = sorted(gaps[1] for gaps in result.gaps)
    assert result.at_break is not None
    assert (result.at_break.lower, result.at_break.estimate, result.at_break.upper) == (found[0], found[2], found[3])
    assert report.loss == "<lambda>" and len(set(factors)) == 4


def test_gauges_that_do_not_commute_are_tested_one_at_a_time() -> None:
    """Rotations and scales of the same channels generate the linear group; DDCMuon commutes with all of it."""
    legs = (Leg("first.weight"), Leg("second.weight", 1, dual=True))
    gauges = [Gauge("turn", Group.ROTATION, 4, legs), Gauge("scale", Group.POSITIVE, 4, legs)]
    assert classified(ddcmuon, Straight, gauges=gauges).passed
    assert classified(sgd, Straight, gauges=gauges, causes=False).verdicts == {"turn": EXACT, "scale": BROKEN}


def test_muon_of_torch_breaks_rotations_because_it_computes_in_bfloat16() -> None:
    """Its polynomial of OM is O times that of M in exact arithmetic; bfloat16 rounds other entries otherwise."""
    (result,) = classified(muon, Straight, gauges="rotation")["rotation"]
    assert result.verdict is BROKEN and result.terms == ("arithmetic below float64",)
    assert 1e-5 < result.gap.estimate < 0.1


# --- causes that were planted -----------------------------------------------------------------------------------------


class Relative(torch.optim.Optimizer):
    """W ← W − η (ρ² + ε) g, ρ = |W|: under W ↦ cW, g ↦ g/c the step is carried by c, at ε = 0 and with nothing else.

    Terms that break it can be added: decay in the gradient, a displacement of W (which is carried by c) in the place of
    a gradient, clipping of the gradients, ε times decay, a step in float32.
    """

    def __init__(self, model: nn.Module, **terms: object) -> None:
        plain = {"eps": 0.0, "weight_decay": 0.0, "momentum": 0.0, "max_norm": None, "mixed": 0.0, "short": False}
        super().__init__(model.parameters(), {"lr": 0.05, **plain, **terms})

    @torch.no_grad()
    def step(self, closure: object = None) -> None:  # type: ignore[override]
        (group,) = self.param_groups
        if group["max_norm"] is not None:
            nn.utils.clip_grad_norm_(group["params"], group["max_norm"])
        for w in group["params"]:
            before = self.state[w].get("before", w.clone())
            self.state[w]["before"] = w.clone()
            force = w.grad + group["weight_decay"] * w + group["momentum"] * (w - before)
            both = group["mixed"] * (group["eps"] > 1e-200) * (group["weight_decay"] > 0)
            change = (w.square().sum() + group["eps"]) * force + both * w.grad
            w.sub_(group["lr"] * (change.float().double() if group["short"] else change))


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ({"eps": 0.1}, ("ε",)),
        ({"eps": 1e-9}, ("ε",)),
        ({"weight_decay": 0.1}, ("weight decay",)),
        ({"momentum": 0.5}, ("momentum",)),
        ({"max_norm": 0.1}, ("clipping",)),
        ({"short": True}, ("arithmetic below float64",)),
        ({"eps": 0.1, "momentum": 0.5}, ("momentum", "ε")),
    ],
)
def test_the_cause_is_the_term_that_was_planted(terms: dict[str, object], found: tuple[str, ...]) -> None:
    (result,) = paired(lambda model: Relative(model, **terms)).results
    assert result.verdict is BROKEN and result.terms == found
    assert result.removals[0].verdict is EXACT and set(result.removals[0].terms) == set(terms_of(terms))


def terms_of(terms: dict[str, object]) -> list[str]:
    names = {"eps": "ε", "weight_decay": "weight decay", "max_norm": "clipping", "short": "arithmetic below float64"}
    return [names.get(key, key) for key in terms]


def test_without_terms_it_is_exact_and_no_cause_is_told() -> None:
    (result,) = paired(Relative).results
    assert result.verdict is EXACT and result.terms == () and result.removals == () and result.reason == ""
    assert result.gap.upper <= MARGIN * result.noise < 1e-12


def test_an_epsilon_below_rounding_is_rounding() -> None:
    assert paired(lambda model: Relative(model, eps=1e-17)).passed


def test_terms_that_break_only_together_are_told_together() -> None:
    """The planted product is there when both are; ε is far below rounding by itself, and decay is of a size that is."""
    (result,) = paired(lambda model: Relative(model, eps=1e-18, weight_decay=1e-18, mixed=0.1)).results
    assert result.verdict is BROKEN and result.terms == ()
    assert result.reason.startswith("several together: without weight decay, ε")


def test_a_step_that_breaks_by_itself_says_so() -> None:
    (result,) = paired(lambda model: torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)).results
    assert result.terms == () and result.reason == "the step itself: it breaks without momentum too"
    (bare,) = paired(lambda model: torch.optim.SGD(model.parameters(), 0.05)).results
    assert bare.reason == "the step itself: it has no term that could be taken out" and bare.removals == ()


def test_clipping_by_the_loop_and_by_a_hook_is_found() -> None:
    (result,) = paired(Relative, max_norm=0.1).results
    assert result.terms == ("clipping",)

    def hooked(model: nn.Module) -> torch.optim.Optimizer:
        found = Relative(model)
        found.register_step_pre_hook(lambda *_: nn.utils.clip_grad_norm_(model.parameters(), 0.1) and None)
        return found

    (result,) = paired(hooked).results
    assert result.terms == ("hooks before the step",)
    assert paired(Relative, max_norm=1e6).passed  # it never clips


def test_a_term_that_nobody_reads_is_no_cause() -> None:
    """SGD with ε in its groups, which it does not read."""

    def make(model: nn.Module) -> torch.optim.Optimizer:
        found = torch.optim.SGD(model.parameters(), 0.05)
        found.param_groups[0]["eps"] = 0.1
        return found

    (result,) = paired(make).results
    assert result.reason == "the step itself: it has no term that could be taken out"


# --- the criterion ----------------------------------------------------------------------------------------------------


def test_the_criterion_from_both_sides() -> None:
    falling = noise(torch.tensor([0.0, 3e-13, 1e-15]))
    assert falling.tolist() == pytest.approx([UNIT, 3e-13, 3e-13])  # what was lost stays lost
    floor = noise(torch.tensor([0.0, 1e-14, 1e-15]), torch.tensor([1e-16, 2e-16, 1e-12]))
    assert floor.tolist() == pytest.approx([UNIT, 1e-14, 1e-12])
    below, above = 0.99 * MARGIN * floor, 1.01 * MARGIN * floor
    assert judge([below], [floor]).verdict is EXACT
    late = torch.cat([below[:2], above[2:]])
    assert (judge([below, late], [floor] * 2).verdict, judge([below, late], [floor] * 2).step) == (BROKEN, 2)
    loud = torch.tensor([UNIT, 1.01 * RESOLUTION / MARGIN])
    assert judge([0 * loud], [loud]).verdict is UNDECIDED
    assert judge([0 * loud], [0.98 * loud]).verdict is EXACT
    assert judge([torch.tensor([0.0, 1.0])], [loud]).verdict is BROKEN


def test_chaos_is_not_taken_for_a_break() -> None:
    """Descent far above the largest stable rate: rounding grows to order one within twenty steps."""
    model = drawn(lambda: nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2)))

    def check(rate: float) -> EquivarianceReport:
        make = lambda own: torch.optim.SGD(own.parameters(), rate)  # noqa: E731
        return check_equivariance(make, model, (rows(), TARGETS), "permutation", steps=30, representatives=2)

    wild, tame = check(2.0), check(0.05)
    assert wild.verdicts == {"permutation": UNDECIDED} and not wild.passed
    assert wild.results[0].gap.upper > 1e-3 and "rounding grows" in wild.results[0].reason
    assert tame.passed


def test_the_control_is_a_nudge_far_above_rounding_and_far_below_breaks() -> None:
    assert 1e4 * UNIT < NUDGE < 1e-4


# --- what it shows ----------------------------------------------------------------------------------------------------


def test_the_report_as_text_table_rows_and_json() -> None:
    report = paired(lambda model: Relative(model, eps=0.1), name="relative <b>")
    assert "1 broken" in str(report) and "ε: without it the step is exact" in report.explain()
    assert "relative &lt;b&gt;" in report._repr_html_()
    document = json.loads(report.to_json())
    assert document["gauges"][0]["verdict"] == "broken" and document["gauges"][0]["terms"] == ["ε"]
    assert document["settings"]["steps"] == 6 and document["passed"] is False
    assert len(document["gauges"][0]["gaps"]) == 2 and len(document["gauges"][0]["gaps"][0]) == 7
    (row,) = report.records()
    assert row["optimizer"] == "relative <b>" and row["gap_lower"] <= row["gap"] <= row["gap_upper"]
    with pytest.raises(AssertionError, match="broken"):
        report.assert_exact("chain")
    with pytest.raises(UnknownNameError, match="chain"):
        report["chin"]
    paired(Relative).assert_exact()


def test_what_is_not_trained_is_told() -> None:
    def make(model: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD([model.get_parameter("bent.weight"), model.get_parameter("read.weight")], 0.1)

    report = classified(make, Every, gauges="rescaling", causes=False)
    assert report.held == ("bent.bias", "odd.weight", "even.weight", "out.weight", "out.bias")
    assert "Not trained by this optimiser: bent.bias" in report.explain()


def test_nothing_is_changed() -> None:
    model = drawn(Every)
    before = [value.clone() for value in model.parameters()]
    state = torch.random.get_rng_state()
    check_equivariance(sgd, model, (rows(), LABELS), "permutation", steps=2, representatives=1)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert torch.equal(state, torch.random.get_rng_state()) and all(p.grad is None for p in model.parameters())


def test_batches_are_those_of_the_steps_over_and_over() -> None:
    halves = [(rows()[:6], LABELS[:6]), [rows()[6:], LABELS[6:]]]
    report = check_equivariance(sgd, drawn(Every), halves, "permutation", steps=5, representatives=1)
    whole = check_equivariance(sgd, drawn(Every), (rows(), LABELS), "permutation", steps=5, representatives=1)
    assert report.passed and report.results[0].noises != whole.results[0].noises
    float32 = check_equivariance(sgd, drawn(Every).float(), (rows().float(), LABELS), "permutation", steps=2)
    assert float32.passed  # trained in float64


# --- bad input --------------------------------------------------------------------------------------------------------


class Noisy(torch.optim.SGD):
    def step(self, closure: object = None) -> None:  # type: ignore[override]
        super().step()
        for group in self.param_groups:
            for value in group["params"]:
                value.data.add_(1e-6 * torch.randn_like(value))


class Told(torch.optim.SGD):
    def step(self, loss: float) -> None:  # type: ignore[override]
        super().step()


def cube(*extra: nn.Module) -> nn.Module:
    return drawn(lambda: nn.Sequential(nn.Linear(3, 4), *extra, nn.ReLU(), nn.Linear(4, 3)))


OTHERS = cube()
ROWS = Gauge("rows", Group.POSITIVE, 4, (Leg("0.weight"), Leg("2.weight", 0, dual=True)))
WITHOUT_BIAS = Gauge("without bias", Group.POSITIVE, 4, (Leg("0.weight"), Leg("2.weight", 1, dual=True)))
DATA = (rows(), LABELS)


class Unlisted(list[object]):
    """A list whose iterator fails."""

    def __iter__(self) -> Iterator[object]:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"gauges": "rotation"}, MeasurementError, "does not have the gauge 'rotation'"),
        ({"gauges": ["rescaling", "rotation"]}, MeasurementError, "does not have the gauge 'rotation'"),
        ({"gauges": "rescalling"}, UnknownNameError, "rescaling"),
        ({"gauges": [ROWS]}, InvalidValueError, "axis 0 of 2.weight"),
        ({"gauges": [WITHOUT_BIAS]}, MeasurementError, "does not have the gauge"),
        ({"gauges": [3]}, InvalidValueError, "gauge"),
        ({"gauges": []}, InvalidValueError, "no gauges to test"),
        ({"gauges": None}, InvalidValueError, "None"),
        ({"make_optimizer": 3}, InvalidValueError, "make_optimizer"),
        ({"make_optimizer": torch.optim.Adam}, MeasurementError, "called with the model"),
        ({"make_optimizer": lambda _: "adam"}, InvalidValueError, "must return"),
        ({"make_optimizer": lambda _: []}, InvalidValueError, "must return"),
        ({"make_optimizer": lambda _: torch.optim.SGD(OTHERS.parameters(), 0.1)}, InvalidValueError, "not parameters"),
        ({"make_optimizer": lambda m: torch.optim.SGD(m.parameters(), 0.0)}, MeasurementError, "moves the function"),
        ({"make_optimizer": lambda m: torch.optim.SGD([m[2].bias], 0.1)}, MeasurementError, "trains none"),
        ({"make_optimizer": lambda m: torch.optim.SGD(m.parameters(), 1e200)}, MeasurementError, "not finite"),
        ({"make_optimizer": lambda m: Noisy(m.parameters(), 0.1)}, MeasurementError, "random"),
        ({"make_optimizer": lambda m: Told(m.parameters(), 0.1)}, InvalidValueError, "needs loss"),
        ({"model": cube(nn.Dropout(0.5))}, MeasurementError, "eval"),
        ({"model": cube(nn.BatchNorm1d(4))}, MeasurementError, r"buffer 1\.running_mean.*eval"),
        ({"model": nn.Linear(3, 3, dtype=torch.complex64)}, InvalidValueError, "complex"),
        ({"model": 3}, InvalidValueError, "module"),
        ({"data": rows()}, InvalidValueError, "pair"),
        ({"data": []}, InvalidValueError, "pair"),
        ({"data": (rows(), LABELS, LABELS)}, InvalidValueError, "pair"),
        ({"data": (rows(), LABELS[:5])}, InvalidValueError, "labels"),
        ({"data": (rows(), rows(5))}, InvalidValueError, "shape"),
        ({"data": (rows(), "cat")}, InvalidValueError, "loss="),
        ({"data": ("cat", LABELS)}, InvalidValueError, "inputs"),
        ({"data": (torch.ones(12, 7), LABELS)}, MeasurementError, "model fails"),
        ({"data": Unlisted()}, InvalidValueError, "cannot be listed: its iterator raises ZeroDivisionError"),
        ({"data": [Unlisted()]}, InvalidValueError, "cannot be listed: its iterator raises ZeroDivisionError"),
        ({"loss": "mse"}, InvalidValueError, "loss"),
        ({"loss": lambda outputs, _: outputs}, InvalidValueError, "one real number"),
        ({"steps": 1}, InvalidValueError, "steps"),
        ({"representatives": 0}, InvalidValueError, "representatives"),
        ({"size": 1.0}, InvalidValueError, "size"),
        ({"max_norm": 0.0}, InvalidValueError, "max_norm"),
        ({"seed": -1}, InvalidValueError, "seed"),
        ({"softmax": "yes"}, InvalidValueError, "softmax"),
        ({"causes": "yes"}, InvalidValueError, "causes"),
        ({"name": 3}, InvalidValueError, "name"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused(arguments: dict[str, object], error: type[Exception], match: str) -> None:
    given: dict[str, object] = {"make_optimizer": sgd, "model": cube(), "data": DATA, "steps": 3, **arguments}
    with pytest.raises(error, match=match):
        check_equivariance(**given)  # type: ignore[arg-type]


def test_evaluation_mode_puts_dropout_and_batch_statistics_out_of_action() -> None:
    model = cube(nn.BatchNorm1d(4), nn.Dropout(0.5)).eval()
    assert check_equivariance(sgd, model, DATA, "logit shift", steps=3).passed


def test_sparse_gradients_are_refused() -> None:
    model = drawn(lambda: nn.Sequential(nn.Embedding(5, 4, sparse=True), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3)))
    data = (torch.arange(5), LABELS[:5])
    with pytest.raises(InvalidValueError, match=r"0\.weight is sparse"):
        check_equivariance(lambda own: torch.optim.SGD(own.parameters(), 0.1), model, data, steps=2)


def test_a_model_without_gauges_is_refused() -> None:
    with pytest.raises(MeasurementError, match="a gauge of the table"):
        check_equivariance(sgd, drawn(lambda: nn.Linear(3, 2)), (rows(), TARGETS), steps=2)


def test_a_gauge_that_the_model_has_only_in_evaluation_mode_is_refused() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.second((F.gelu if self.training else F.relu)(self.first(x)))

    model = drawn(Two)
    assert "rescaling" in {gauge.rule for gauge in find_gauges(model, rows()).gauges}
    with pytest.raises(MeasurementError, match="in the mode in which it is trained"):
        check_equivariance(sgd, model, DATA, "rescaling", steps=2)


def test_an_optimiser_that_is_not_new_each_time_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="its argument"):
        kept: list[torch.optim.Optimizer] = []

        def make(model: nn.Module) -> torch.optim.Optimizer:
            kept.append(kept[0] if kept else sgd(model))
            return kept[0]

        check_equivariance(make, cube(), DATA, steps=2)
