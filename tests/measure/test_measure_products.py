"""Weights that no submodule of its own runs, layers that samples share, and labels at random with their error bars."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, MeasurementError, UnknownNameError
from ddtheory.measure import (
    Categorical,
    Gaussian,
    GramFactor,
    ModelLabels,
    Problem,
    activation_gram,
    gradient_gram,
    kronecker_factors,
    kronecker_factors_of_all,
)
from ddtheory.measure.matrices import labels, products


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Attending(nn.Module):
    """Attention of torch, pooled, to three classes."""

    def __init__(self, batch_first: bool, cross: bool, **options: int) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=batch_first, **options)
        self.read = nn.Linear(4, 3)
        self.batch_first, self.cross = batch_first, cross

    def forward(self, x: Tensor) -> Tensor:
        other = torch.sin(x)[..., : self.attention.kdim] if self.cross else x
        values = other[..., : self.attention.vdim]
        if not self.batch_first:
            x, other, values = (part.transpose(0, 1) for part in (x, other, values))
            values = other if values.shape == other.shape else values
            x = other if not self.cross else x
        mixed, _ = self.attention(x, other, values)
        return self.read(mixed.mean(dim=1 if self.batch_first else 0))


def by_hand(net: Attending, x: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """A and G of the four projections, a sample and a label at a time, from attention written out."""
    net = net.double()
    inner = net.attention
    if inner.in_proj_weight is not None:
        weights = inner.in_proj_weight.chunk(3)
    else:
        weights = (inner.q_proj_weight, inner.k_proj_weight, inner.v_proj_weight)
    biases = inner.in_proj_bias.chunk(3)
    found: dict[str, tuple[Tensor, Tensor]] = {}

    def add(name: str, a: Tensor, g: Tensor) -> None:
        before = found.get(name, (0.0, 0.0))
        found[name] = (before[0] + a / len(x), before[1] + g / len(x))

    for sample in x:
        other = torch.sin(sample) if net.cross else sample
        sources = [sample, other[:, : inner.kdim], other[:, : inner.vdim]]
        sources = [source.detach() for source in sources]
        outs = [s @ w.mT + b for s, w, b in zip(sources, weights, biases, strict=True)]
        outs = [out.detach().requires_grad_() for out in outs]
        q, k, v = (out.reshape(-1, 2, 2).transpose(0, 1) for out in outs)
        mixed = torch.softmax(q @ k.mT / math.sqrt(2), -1) @ v
        mixed = mixed.transpose(0, 1).reshape(-1, 4)
        last = F.linear(mixed, inner.out_proj.weight, inner.out_proj.bias)
        scores = torch.log_softmax(net.read(last.mean(0)), -1)
        names = [*(f"attention.{name}" for name in ("query", "key", "value")), "attention.out_proj"]
        for name, source in zip(names, [*sources, mixed.detach()], strict=True):
            add(name, source.mT @ source, torch.zeros(4, 4, dtype=torch.float64))
        for label in range(3):
            gradients = torch.autograd.grad(scores[label], [*outs, last], retain_graph=True)
            for name, gradient in zip(names, gradients, strict=True):
                add(name, 0.0, float(scores[label].detach().exp()) * gradient.mT @ gradient)
    return found


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(("cross", "options"), [(False, {}), (True, {}), (True, {"kdim": 3, "vdim": 2})])
@pytest.mark.parametrize("positions", [4, 5])
def test_projections_of_attention(batch_first: bool, cross: bool, options: dict[str, int], positions: int) -> None:
    """As many positions as samples once: which axis is which is then not seen from shapes."""
    net, x = Attending(batch_first, cross, **options), drawn(4, positions, 4)
    weights = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    problem = Problem.from_module(net, x, Categorical())
    found = kronecker_factors_of_all(problem)
    expected = by_hand(net, x)
    assert set(found) == {*expected, "read"} and not found.left_out
    for name, (a, g) in expected.items():
        assert torch.allclose(found[name].activation.matrix(), a, rtol=1e-10, atol=1e-12)
        assert torch.allclose(found[name].gradient.matrix(), g, rtol=1e-9, atol=1e-13)
        assert found[name].positions == positions
        one = kronecker_factors(problem, name)
        assert torch.allclose(one.gradient.matrix(), g, rtol=1e-9, atol=1e-13)
    weighted = kronecker_factors_of_all(Problem.from_module(net, x, Categorical(), weights=weights))
    parts = [by_hand(net, x[i : i + 1]) for i in range(4)]
    for name in expected:
        a, g = (sum(w * part[name][i] for w, part in zip(weights, parts, strict=True)) for i in (0, 1))
        assert torch.allclose(weighted[name].activation.matrix(), a, rtol=1e-10, atol=1e-12)
        assert torch.allclose(weighted[name].gradient.matrix(), g, rtol=1e-9, atol=1e-13)


def test_the_hidden_projections_do_not_change_the_model() -> None:
    for options in ({"bias": False}, {"add_bias_kv": True}, {"add_zero_attn": True}):
        torch.manual_seed(1)
        net = Attending(True, False)
        net.attention = nn.MultiheadAttention(4, 2, batch_first=True, **options)
        problem = Problem.from_module(net, drawn(3, 5, 4), Categorical())
        found = kronecker_factors_of_all(problem)
        # diag p − ppᵀ at the outputs of the model as torch runs it
        p = torch.softmax(net.double()(drawn(3, 5, 4)), -1).detach()
        expected = (torch.diag_embed(p) - p[:, :, None] * p[:, None, :]).mean(0)
        assert torch.allclose(found["read"].gradient.matrix(), expected, rtol=1e-10, atol=1e-14)
        assert {"attention.query", "attention.out_proj"} < set(found)


class Handed(nn.Module):
    """Weights that a function gets: of a submodule that never runs, of its own, and one that two operations read."""

    def __init__(self, tied: bool = False) -> None:
        super().__init__()
        self.words, self.never, self.tied = nn.Embedding(5, 3), nn.Linear(3, 3), tied
        self.own = nn.Parameter(drawn(4, 3).float())
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, ids: Tensor) -> Tensor:
        hidden = torch.tanh(F.linear(self.words(ids), bias=self.never.bias, weight=self.never.weight))
        out = F.linear(hidden, self.own) * self.scale
        return out if not self.tied else torch.cat([out, F.linear(hidden, self.words.weight)], -1)


def test_weights_that_a_function_gets() -> None:
    ids = torch.tensor([[0, 1], [2, 4], [3, 3]])
    net = Handed()
    found = kronecker_factors_of_all(Problem.from_module(net, ids, Gaussian(0.5)))
    assert set(found) == {"words", "never", "own"} and set(found.left_out) == {""}
    # G of the last is scale²/σ² at each of two positions; A of the first is that of the embedded words
    assert torch.allclose(found["own"].gradient.matrix(), 4 * torch.eye(4, dtype=torch.float64), rtol=1e-12)
    rows = net.words.weight.detach().double()[ids].reshape(-1, 3)
    assert torch.allclose(found["never"].activation.matrix(), rows.mT @ rows / 3, rtol=1e-12)


def test_a_weight_that_two_operations_read_has_no_factors_of_one() -> None:
    """Only the embedding runs as a layer; the second use is seen all the same."""
    problem = Problem.from_module(Handed(tied=True), torch.tensor([[0, 1], [2, 4]]), Gaussian())
    found = kronecker_factors_of_all(problem)
    assert set(found) == {"never", "own"}
    assert "2 operations do" in found.left_out["words"]
    with pytest.raises(MeasurementError, match="2 operations do"):
        kronecker_factors(problem, "words")
    with pytest.raises(UnknownNameError, match="Did you mean own"):
        kronecker_factors(problem, "owm")


class Positioned(nn.Module):
    """Positions that all samples share, as many as there are samples."""

    def __init__(self, shared: bool) -> None:
        super().__init__()
        self.words, self.places, self.shared = nn.Embedding(5, 3), nn.Embedding(4, 3), shared

    def forward(self, ids: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1])
        return torch.tanh(self.words(ids) + self.places(places if self.shared else places.expand_as(ids)))


def test_a_layer_that_samples_share_is_left_out() -> None:
    """Its gradient would be the sum over samples, squared: three times too large or worse."""
    ids = torch.randint(0, 5, (4, 4), generator=torch.Generator().manual_seed(0))
    for shared in (True, False):
        problem = Problem.from_module(Positioned(shared), ids, Gaussian())
        found = kronecker_factors_of_all(problem)
        assert ("places" in found) is not shared
        for door in (gradient_gram, kronecker_factors, activation_gram):
            if shared:
                with pytest.raises(MeasurementError, match="12 numbers of 4 samples and 12 of one"):
                    door(problem, "places")
            else:
                door(problem, "places")


class Folding(nn.Module):
    """Samples folded into windows before a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.reshape(-1, 2, 3)).reshape(len(x), -1, 2)


def test_folded_samples_under_a_mean_over_labels() -> None:
    x, mask = drawn(3, 4, 3), torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]])
    problem = Problem.from_module(Folding(), x, Gaussian(), mask=mask, per="label")
    found = kronecker_factors_of_all(problem)["linear"]
    assert torch.allclose(found.gradient.matrix(), torch.eye(2, dtype=torch.float64), rtol=1e-12)  # 7 labels of 7
    flat = x.reshape(-1, 3)
    assert torch.allclose(found.activation.matrix(), flat.mT @ flat / 7, rtol=1e-12)


def classifier(classes: int, batch_size: int | None = None) -> Problem:
    torch.manual_seed(2)
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, classes))
    return Problem.from_module(net, drawn(6, 4), Categorical(), batch_size=batch_size)


@pytest.mark.long
def test_random_labels_agree_with_all_of_them_within_their_errors() -> None:
    """Standard errors are honest: of 12 seeds the diagonal is within 2σ about 95 times in 100, and they shrink."""
    exact = kronecker_factors_of_all(classifier(7), labels=ModelLabels())
    assert exact["0"].gradient.errors is None
    within, many = [], []
    for seed in range(12):
        found = kronecker_factors_of_all(classifier(7, batch_size=4), labels=ModelLabels(draws=40, seed=seed))
        for layer, factors in found.items():
            true, errors = exact[layer].gradient.matrix().diagonal(), factors.gradient.errors
            assert errors is not None and bool((errors > 0).all())
            within += ((factors.gradient.matrix().diagonal() - true).abs() < 2 * errors).tolist()
            many.append(float((errors / true).mean()))
            apart = factors.activation.matrix() - exact[layer].activation.matrix()
            assert float(apart.abs().max()) < 1e-13
    assert 0.88 < sum(within) / len(within) < 0.995
    assert 0.03 < sum(many) / len(many) < 0.3
    more = kronecker_factors_of_all(classifier(7), labels=ModelLabels(draws=640))
    ratio = sum(float((f.gradient.errors / exact[k].gradient.matrix().diagonal()).mean()) for k, f in more.items()) / 2
    assert ratio == pytest.approx(sum(many) / len(many) / 4, rel=0.3)
    one = gradient_gram(classifier(7), "0", labels=ModelLabels(draws=40, seed=3))
    again = gradient_gram(classifier(7), "0", labels=ModelLabels(draws=40, seed=3))
    assert torch.equal(one.matrix(), again.matrix()) and torch.equal(one.errors, again.errors)


def test_a_large_head_is_drawn_and_says_so() -> None:
    problem = classifier(labels.LARGEST_EXACT + 1)
    found = kronecker_factors_of_all(problem)
    assert "G from random draws" in repr(found) and "trace ±" in repr(found["0"].gradient)
    exact = kronecker_factors_of_all(problem, labels=ModelLabels())
    assert "random" not in repr(exact) and exact["0"].gradient.errors is None
    apart = (found["0"].gradient.matrix() - exact["0"].gradient.matrix()).diagonal().abs()
    assert bool((apart < 5 * found["0"].gradient.errors).all()) and bool((apart > 0).all())
    assert kronecker_factors_of_all(classifier(labels.LARGEST_EXACT))["0"].gradient.errors is None


@pytest.mark.parametrize("draws", [0, 1, -1, 2.5, True])
def test_draws_without_an_error_bar(draws: object) -> None:
    with pytest.raises(InvalidValueError, match="draws"):
        ModelLabels(draws=draws)


def test_errors_that_do_not_fit() -> None:
    with pytest.raises(InvalidValueError, match="errors"):
        GramFactor(torch.eye(2).double(), errors=torch.ones(3))


def test_control_projections_in_another_order_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "PROJECTIONS", ("key", "query", "value"))
    net, x = Attending(True, True), drawn(4, 5, 4)
    found, expected = kronecker_factors_of_all(Problem.from_module(net, x, Categorical())), by_hand(net, x)
    assert not torch.allclose(found["attention.query"].gradient.matrix(), expected["attention.query"][1], rtol=1e-3)
