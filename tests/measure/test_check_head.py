"""`check_head`: every head of the table passes at drawn outputs, and each way to be wrong is refused by its name."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Mapping

import pytest
import torch
from head_cases import CASES, Case, outputs
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from ddtheory import measure
from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure import HEADS, Categorical, ExponentialFamily, Gaussian, Head, HeadKind, check_head


def forgotten(exported: Collection[str], table: Mapping[str, HeadKind], cases: Collection[str]) -> list[str]:
    """What is missing, one sentence each."""
    return [
        sentence.format(name)
        for there, here, sentence in (
            (exported, table, "The head {} is not in the table: add a row to HEADS in measure/heads/heads.py."),
            (table, exported, "The head {} is not exported: add it to measure/__init__.py."),
            (table, cases, "The head {} has no case: add outputs for it to tests/measure/head_cases.py."),
            (cases, table, "The case {} is that of no head."),
        )
        for name in there
        if name not in here
    ]


def is_head(value: object) -> bool:
    return inspect.isclass(value) and value is not Head and all(hasattr(value, m) for m in ("whitened", "divergence"))


EXPORTED = [name for name, value in vars(measure).items() if is_head(value)]


def test_the_table_is_complete() -> None:
    missing = forgotten(EXPORTED, HEADS, CASES)
    assert not missing, "\n".join(missing)
    assert len(EXPORTED) >= 5
    assert all(kind.head is getattr(measure, name) and kind.law.endswith(".") for name, kind in HEADS.items())


def test_what_is_forgotten_is_named() -> None:
    laplace = HeadKind(type("Laplace", (), {}), "y ~ exp(−|y − f|)/2.")
    assert forgotten([*EXPORTED, "Laplace"], HEADS, CASES) == [
        "The head Laplace is not in the table: add a row to HEADS in measure/heads/heads.py."
    ]
    assert [sentence.split(":")[0] for sentence in forgotten(EXPORTED, {**HEADS, "Laplace": laplace}, CASES)] == [
        "The head Laplace is not exported",
        "The head Laplace has no case",
    ]
    assert forgotten(EXPORTED, HEADS, [*CASES, "Laplace"]) == ["The case Laplace is that of no head."]


@pytest.mark.parametrize("name", CASES)
@given(data=st.data(), seed=st.integers(0, 10))
def test_every_head_of_the_table(name: str, data: st.DataObject, seed: int) -> None:
    head, at = data.draw(CASES[name])
    assert isinstance(head, HEADS[name].head)
    found = check_head(head, at, seed=seed)
    assert (found.head, found.directions) == (name, 8)
    assert 1 <= found.samples <= len(at)
    assert found.gap.contains(0.0) and found.gap.width < 0.05


class Of:
    """A head from two functions."""

    def __init__(self, whitened: Callable[[Tensor, Tensor], object], divergence: Callable[[Tensor, Tensor], object]):
        self.whitened, self.divergence = whitened, divergence


def naive(f: Tensor, g: Tensor) -> Tensor:
    """KL of two categoricals by its definition, with all its cancellation."""
    q, p = torch.log_softmax(f, -1), torch.log_softmax(g, -1)
    return (q.exp() * (q - p)).sum(-1)


CATEGORICAL = Categorical()


@given(at=outputs(low=-3, high=3, fewest=2, axes=2), seed=st.integers(0, 10))
@settings(max_examples=15)
@example(at=torch.tensor([[-3.0, 0.0], [0.0, 0.0]], dtype=torch.float64), seed=10)  # agreed by chance
def test_a_right_head_of_somebody_else_passes(at: Tensor, seed: int) -> None:
    """The categorical by definition, laws of any scale and laws with a domain, in whatever way they round."""
    assert check_head(Of(CATEGORICAL.whitened, naive), at, seed=seed).gap.width < 1e-3
    for scale in (1e-6, 1.0, 1e4):
        # location of a Cauchy law: KL = log(1 + δ²/(4s²)), Fisher information 1/(2s²)
        cauchy = Of(
            lambda f, v, s=scale: v / (math.sqrt(2) * s),
            lambda f, g, s=scale: torch.log1p(((g - f) / (2 * s)).square()).sum(-1),
        )
        assert check_head(cauchy, at, seed=seed).gap.width < 1e-3
    coins = Of(lambda f, v: v / (f * (1 - f)).sqrt(), _of_coins)
    assert check_head(coins, torch.sigmoid(at), seed=seed).samples == len(at)


def _of_coins(q: Tensor, p: Tensor) -> Tensor:
    """KL of coins with chances q and p; there is no coin outside of (0, 1), where the larger steps lead."""
    if not bool(((p > 0) & (p < 1)).all()):
        raise ValueError("no chance")
    return (q * torch.log(q / p) + (1 - q) * torch.log((1 - q) / (1 - p))).sum(-1)


WRONG: dict[str, tuple[Head, str]] = {
    "the ½ is missing": (
        Of(CATEGORICAL.whitened, lambda f, g: 2 * CATEGORICAL.divergence(f, g)),
        r"½‖whitened.*2 times as much in every direction",
    ),
    "the square root is missing": (
        Of(lambda f, v: v / 0.25, lambda f, g: Gaussian(0.25).divergence(f, g)),
        r"0\.25 times as much in every direction",
    ),
    "one part in a hundred thousand": (
        Of(CATEGORICAL.whitened, lambda f, g: 1.00001 * CATEGORICAL.divergence(f, g)),
        "1 times as much|ratio changes",
    ),
    "the cross term is missing": (
        Of(lambda f, v: torch.softmax(f, -1).sqrt() * v, CATEGORICAL.divergence),
        "the ratio changes with the direction.*cross term",
    ),
    "the diagonal only": (
        Of(lambda f, v: (torch.softmax(f, -1) * (1 - torch.softmax(f, -1))).sqrt() * v, CATEGORICAL.divergence),
        "the ratio changes with the direction|times as much",
    ),
    "another law": (Of(Gaussian().whitened, CATEGORICAL.divergence), r"D\(f, f \+ εv\)/ε² →"),
    "absolute values": (
        Of(lambda f, v: CATEGORICAL.whitened(f, v).abs(), CATEGORICAL.divergence),
        "not linear in the tangents",
    ),
    "a length of its own": (
        Of(lambda f, v: v * v.square().sum(-1, keepdim=True).sqrt(), Gaussian().divergence),
        "not linear in the tangents",
    ),
    "an offset": (
        Of(lambda f, v: CATEGORICAL.whitened(f, v) + 1e-3, CATEGORICAL.divergence),
        "not linear in the tangents",
    ),
    "a sum over samples": (
        Of(CATEGORICAL.whitened, lambda f, g: CATEGORICAL.divergence(f, g).sum()),
        r"divergence returns shape \(\).*shape \(batch,\)",
    ),
    "a column": (
        Of(CATEGORICAL.whitened, lambda f, g: CATEGORICAL.divergence(f, g)[:, None]),
        r"divergence returns shape \(\d+, 1\).*shape \(batch,\)",
    ),
    "no row a sample": (
        Of(lambda f, v: CATEGORICAL.whitened(f, v).reshape(-1), CATEGORICAL.divergence),
        r"whitened returns shape \(\d+,\).*one row a sample",
    ),
    "no tensor": (Of(lambda f, v: v.tolist(), CATEGORICAL.divergence), "whitened returns list, not a tensor"),
    "single precision": (
        Of(CATEGORICAL.whitened, lambda f, g: CATEGORICAL.divergence(f, g).float()),
        "float64 into torch.float32",
    ),
    "a sign": (Of(CATEGORICAL.whitened, lambda f, g: -CATEGORICAL.divergence(f, g)), "< 0. A divergence has one sign"),
    "not zero at the truth": (
        Of(CATEGORICAL.whitened, lambda f, g: CATEGORICAL.divergence(f, g) + 1e-6),
        "of a law to itself is 1e-06, not 0",
    ),
    "a kink": (
        Of(CATEGORICAL.whitened, lambda f, g: (g - f).abs().sum(-1)),
        "has no limit.*quadratic in small steps",
    ),
    "of fourth order": (
        Of(CATEGORICAL.whitened, lambda f, g: (g - f).square().sum(-1).square()),
        r"D\(f, f \+ εv\)/ε² →",
    ),
    "a metric that is zero": (Of(lambda f, v: 0 * v, CATEGORICAL.divergence), r"½‖whitened\(f, v\)‖² = 0"),
    "a metric that is NaN": (Of(lambda f, v: v / 0.0, CATEGORICAL.divergence), "whitened is NaN or infinite"),
    "a divergence that is NaN": (Of(CATEGORICAL.whitened, lambda f, g: (g - f).sum(-1) / 0.0), "NaN or infinite|not 0"),
    "a method that fails": (
        Of(CATEGORICAL.whitened, lambda f, g: f[:, 99]),
        "divergence fails on outputs of shape.*index 99",
    ),
    "nothing at all": (Of(lambda f, v: 0 * v, lambda f, g: 0 * (g - f).sum(-1)), "nothing is compared"),
}


@pytest.mark.parametrize("name", WRONG)
@given(at=outputs(low=-3, high=3, fewest=3, axes=2), seed=st.integers(0, 10))
@settings(max_examples=10)
def test_a_wrong_head_is_refused(name: str, at: Tensor, seed: int) -> None:
    head, message = WRONG[name]
    with pytest.raises(MeasurementError, match=rf"(?s)^Of.*({message})"):
        check_head(head, at, seed=seed)


@pytest.mark.parametrize("name", CASES)
@given(data=st.data(), factor=st.sampled_from([0.5, 0.999, 1.001, 2.0]))
@settings(max_examples=10)
def test_a_factor_is_seen_in_every_head(name: str, data: st.DataObject, factor: float) -> None:
    head, at = data.draw(CASES[name])
    case: Case = (Of(head.whitened, lambda f, g: factor * head.divergence(f, g)), at)
    with pytest.raises(MeasurementError, match=r"times as much|ratio changes"):
        check_head(*case)


def test_a_wrong_sample_among_right_ones_is_named() -> None:
    """Twice the divergence where the first output is above ten: only the third sample."""
    at = torch.tensor([[0.0, 1.0], [2.0, -1.0], [20.0, 0.5]], dtype=torch.float64)

    def divergence(f: Tensor, g: Tensor) -> Tensor:
        return torch.where(f[:, 0] > 10, 2.0, 1.0) * Gaussian().divergence(f, g)

    with pytest.raises(MeasurementError, match=r"at sample 2, .* 2 times as much"):
        check_head(Of(Gaussian().whitened, divergence), at)
    assert check_head(Of(Gaussian().whitened, divergence), at[:2]).samples == 2


def test_the_gap_is_that_of_a_closed_form() -> None:
    """A divergence 1 + 10⁻⁷ times too large, below what is refused, is reported: 10⁻⁷ of the metric."""
    at = torch.tensor([[0.3]], dtype=torch.float64)
    head = Of(Gaussian().whitened, lambda f, g: (1 + 1e-7) * Gaussian().divergence(f, g))
    found = check_head(head, at)
    assert found.gap.estimate == pytest.approx(1e-7, rel=1e-2)
    assert found.gap.contains(0.0) and not check_head(Gaussian(), at).gap.contains(1e-5)


@pytest.mark.long
def test_samples_without_a_metric_are_not_counted() -> None:
    """e^η underflows at η = −800: nothing can be said there, and one sample that says something is left."""
    poisson, at = ExponentialFamily(torch.exp), torch.tensor([[-800.0], [0.0]], dtype=torch.float64)
    assert check_head(poisson, at).samples == 1
    with pytest.raises(MeasurementError, match="nothing is compared"):
        check_head(poisson, at[:1])


@pytest.mark.parametrize(
    ("at", "options", "message"),
    [
        (torch.zeros(2, 2), {}, r"\(2, 2\) torch.float32; give a float64 tensor"),
        (torch.zeros((), dtype=torch.float64), {}, "give a float64 tensor"),
        (torch.zeros(0, 2, dtype=torch.float64), {}, "give a float64 tensor"),
        ([[0.0]], {}, "The outputs are list"),
        (torch.full((1, 1), math.nan, dtype=torch.float64), {}, "NaN or infinite"),
        (torch.zeros(1, 1, dtype=torch.float64), {"directions": 1}, "directions is 1"),
    ],
)
def test_bad_input(at: object, options: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        check_head(Gaussian(), at, **options)  # type: ignore[arg-type]


def test_the_same_answer_twice_and_no_global_state() -> None:
    at = torch.tensor([[0.1, -2.0, 0.7]], dtype=torch.float64)
    state = torch.random.get_rng_state()
    assert check_head(CATEGORICAL, at) == check_head(CATEGORICAL, at)
    assert torch.equal(state, torch.random.get_rng_state())
    assert check_head(CATEGORICAL, at, seed=1).gap != check_head(CATEGORICAL, at).gap
