"""Gram spectra by three routes: the dense twin, the singular values of the factor, and the exact cell."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch

from ddtheory.errors import InvalidValueError, MeasurementError, UnknownNameError
from ddtheory.measure import Categorical, Gaussian, Problem, fisher_matrix
from ddtheory.measure.matrices.gram import GramFactor, Spectrum
from ddtheory.measure.matrices.labels import NoisyTargets
from ddtheory.measure.matrices.spectra import SpectrumProfile, activation_gram, fisher_gram, spectra_along
from ddtheory.workbench.chain import axis_inputs, canonical, chain_problem, random_rotation

L, H = 4, 3


def network(seed: int = 0, biased: bool = True) -> torch.nn.Sequential:
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 4, bias=biased), torch.nn.Tanh(), torch.nn.Linear(4, 2, bias=biased)
    ).double()
    torch.random.set_rng_state(torch_state)
    return net


def samples(count: int, width: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def chain(t: float, dead: int = 1, layers: int = L) -> Problem:
    return chain_problem([canonical(t, H, dead)] * layers)


def exact_fisher_spectrum(t: Fraction, layers: int, width: int, dead: int) -> list[Fraction]:
    """dP of the canonical chain is diagonal in its h² entries: Σ_l (B_l)_ii² (A_l)_jj², in rational numbers."""
    values = []
    for i in range(width):
        for j in range(width):
            above = t if i >= width - dead else Fraction(1)
            below = t if j >= width - dead else Fraction(1)
            values.append(sum(above ** (2 * (layers - n)) * below ** (2 * (n - 1)) for n in range(1, layers + 1)))
    return sorted(values, reverse=True)


@pytest.mark.parametrize("dead", [0, 1, 2])
@pytest.mark.parametrize("layers", [2, 3, 4])
def test_three_routes_to_the_fisher_of_the_chain(layers: int, dead: int) -> None:
    t = Fraction(3, 10)
    problem = chain(float(t), dead, layers)
    exact = exact_fisher_spectrum(t, layers, H, dead)
    found = fisher_gram(problem).spectrum()
    assert found.zeros == H * H * (layers - 1) and found.separation > 1e4
    assert found.eigenvalues == pytest.approx([float(value) for value in exact], rel=1e-12)
    dense = torch.linalg.eigvalsh(fisher_matrix(problem)).flip(0)[: H * H]
    assert dense.tolist() == pytest.approx([float(value) for value in exact], rel=1e-9)
    assert exact[-1] == (layers * t ** (2 * layers - 2) if dead else layers)


@pytest.mark.parametrize("dead", [1, 2])
def test_at_the_singularity_there_are_more_zeros(dead: int) -> None:
    """h²(L − 1) gauge zeros at t ≠ 0, and the dead × dead entries of dP at t = 0."""
    assert fisher_gram(chain(0.0, dead)).spectrum().zeros == H * H * (L - 1) + dead * dead


def test_the_factor_reads_what_the_matrix_has_lost() -> None:
    t = 1e-4  # L t^{2L−2} = 4e-24
    problem = chain(t)
    spectrum = fisher_gram(problem).spectrum()
    assert spectrum.smallest_positive == pytest.approx(4 * t**6, rel=spectrum.relative_error)
    assert spectrum.relative_error < 0.05
    dense = torch.linalg.eigvalsh(fisher_matrix(problem))
    assert abs(float(dense[-(H * H)]) / (4 * t**6) - 1) > 1  # the control: what eigh returns there is noise


def test_the_bound_on_rounding_holds_for_random_graded_factors() -> None:
    for seed in range(50):
        left, right = random_rotation(24, seed), random_rotation(24, seed + 100)
        truth = torch.logspace(0, -11, 24, dtype=torch.float64)
        spectrum = GramFactor(left @ torch.diag(truth) @ right).spectrum()
        assert spectrum.zeros == 0
        assert abs(spectrum.smallest_positive / float(truth[-1]) ** 2 - 1) < spectrum.relative_error


@pytest.mark.parametrize("head", [Gaussian(0.25), Categorical()])
@pytest.mark.parametrize("batch_size", [None, 4])
def test_per_sample_gradients_agree_with_the_dense_twin(head: Gaussian | Categorical, batch_size: int | None) -> None:
    problem = Problem.from_module(network(), samples(11, 3), head, batch_size=batch_size)
    dense = fisher_matrix(problem)
    assert torch.allclose(fisher_gram(problem).matrix(), dense, rtol=1e-12, atol=1e-14)
    names = ["2.weight", "0.bias"]
    places = dict.fromkeys(problem.truth)
    start = 0
    for name, value in problem.truth.items():
        places[name] = range(start, start + value.numel())
        start += value.numel()
    chosen = [place for name in names for place in places[name]]
    block = fisher_gram(problem, names=names).matrix()
    assert torch.allclose(block, dense[chosen][:, chosen], rtol=1e-12, atol=1e-14)


def test_elsewhere_than_at_the_truth() -> None:
    problem = Problem.from_module(network(), samples(11, 3), Gaussian())
    moved = {"0.weight": problem.truth["0.weight"] + 0.3}
    assert torch.allclose(fisher_gram(problem, moved).matrix(), fisher_matrix(problem, moved), rtol=1e-12, atol=1e-14)
    assert not torch.allclose(fisher_gram(problem).matrix(), fisher_matrix(problem, moved))


def test_noisy_labels_against_a_loop_over_samples_and_labels() -> None:
    """The noise is averaged in closed form; a two-point noise ±√v with the same moments must give the same Gram."""
    net, inputs, variance = network(biased=False), samples(5, 3), 0.09
    problem = Problem.from_module(net, inputs, Gaussian())
    labels = NoisyTargets(lambda x: x[:, :2], variance)
    names = list(problem.truth)
    slow = torch.zeros(20, 20, dtype=torch.float64)
    for x in inputs:
        for first in (-1.0, 1.0):
            for second in (-1.0, 1.0):
                y = x[:2] + math.sqrt(variance) * torch.tensor([first, second], dtype=torch.float64)
                loss = 0.5 * (net(x[None])[0] - y).square().sum()
                gradient = torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, list(net.parameters()))])
                slow += torch.outer(gradient, gradient) / (4 * len(inputs))
    assert torch.allclose(fisher_gram(problem, names=names, labels=labels).matrix(), slow, rtol=1e-12, atol=1e-14)
    without = fisher_gram(problem, names=names, labels=NoisyTargets(lambda x: x[:, :2], 0.0)).matrix()
    assert not torch.allclose(without, slow, rtol=1e-3)


def test_activations_against_a_sum_over_samples() -> None:
    net, inputs = network(), samples(9, 3)
    problem = Problem.from_module(net, inputs, Gaussian(), batch_size=4)
    hidden = net[1](net[0](inputs)).detach()
    assert torch.allclose(activation_gram(problem, "2").matrix(), hidden.mT @ hidden / 9, rtol=1e-12)
    centred = hidden - hidden.mean(dim=0)
    found = activation_gram(problem, "2", centred=True).matrix()
    assert torch.allclose(found, centred.mT @ centred / 9, rtol=1e-11)
    assert not torch.allclose(found, hidden.mT @ hidden / 9, rtol=1e-3)


def test_weights_are_weights() -> None:
    net, inputs = network(), samples(3, 3)
    weighted = Problem.from_module(net, inputs, Gaussian(), weights=torch.tensor([0.5, 0.25, 0.25]))
    repeated = Problem.from_module(net, inputs[[0, 0, 1, 2]], Gaussian())
    for layer in ("0", "2"):
        for centred in (False, True):
            one = activation_gram(weighted, layer, centred=centred).matrix()
            assert torch.allclose(one, activation_gram(repeated, layer, centred=centred).matrix(), atol=1e-14)
    assert torch.allclose(fisher_gram(weighted).matrix(), fisher_gram(repeated).matrix(), atol=1e-14)


@pytest.mark.parametrize("samples_seen", [1, 2, 5])
def test_fewer_samples_than_width_are_exact_zeros(samples_seen: int) -> None:
    """Rank caps (N < h) are counted, not read as tiny eigenvalues."""
    problem = chain_problem([canonical(0.5, 6)] * 2, inputs=samples(samples_seen, 6))
    spectrum = activation_gram(problem, "2").spectrum()
    assert spectrum.zeros == 6 - samples_seen and spectrum.size == 6
    assert spectrum.smallest_positive > 1e-4


def test_the_volume_multiplies_by_the_rank_and_the_smallest_eigenvalue_does_not() -> None:
    radii = (0.1, 0.05, 0.025)
    for dead in (1, 2):
        profile = spectra_along(lambda t, m=dead: activation_gram(chain(t, m), "4").spectrum(), radii)
        assert [slope for _, slope in profile.smallest_slopes()] == pytest.approx([6, 6], abs=1e-9)
        assert [slope for _, slope in profile.volume_slopes()] == pytest.approx([6 * dead] * 2, abs=1e-9)
        assert profile.zeros == (0, 0, 0)
        assert profile.det_plus[0] == pytest.approx(0.1 ** (6 * dead), rel=1e-9)
        assert profile.eigenvalue(0) == pytest.approx([1, 1, 1])


def test_a_count_of_zeros_that_changes_gives_no_slope() -> None:
    few, many = Spectrum((1.0, 0.5), 0, 0.0, math.inf), Spectrum((1.0,), 1, 0.0, math.inf)
    profile = SpectrumProfile((0.2, 0.1), (few, many))
    for slopes in (profile.smallest_slopes, profile.volume_slopes):
        with pytest.raises(MeasurementError, match="Between 0 and 1"):
            slopes()


def test_an_unclear_cut_is_seen() -> None:
    clear = GramFactor(torch.diag(torch.tensor([1.0, 1e-3, 1e-16], dtype=torch.float64))).spectrum()
    assert clear.zeros == 1 and clear.separation > 1e20
    unclear = GramFactor(torch.diag(torch.tensor([1.0, 3e-13, 2e-13], dtype=torch.float64))).spectrum()
    assert unclear.zeros == 1 and unclear.separation < 1e4


def test_readings_of_a_factor() -> None:
    factor = GramFactor(torch.diag(torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64)))
    assert factor.along(torch.tensor([0.0, 3.0, 0.0])) == 1.0
    assert factor.along(torch.tensor([1.0, 1.0, 0.0])) == pytest.approx(2.5)
    assert factor.entry(0) == 4.0
    assert factor.null_vector().tolist() == [0.0, 0.0, 1.0]
    for direction in (torch.zeros(3), torch.ones(2)):
        with pytest.raises(InvalidValueError, match="positive length"):
            factor.along(direction)
    with pytest.raises(MeasurementError, match="Every eigenvalue"):
        _ = GramFactor(torch.zeros(2, 2, dtype=torch.float64)).spectrum().smallest_positive
    with pytest.raises(MeasurementError, match="NaN"):
        GramFactor(torch.full((1, 1), torch.nan, dtype=torch.float64)).spectrum()


def test_null_vector_of_a_wide_factor() -> None:
    """Fewer rows than columns: the missing rows are zero directions too."""
    vector = GramFactor(torch.tensor([[1.0, -1.0]], dtype=torch.float64)).null_vector()
    assert vector.abs().tolist() == pytest.approx([math.sqrt(0.5)] * 2) and float(vector.prod()) > 0


def test_bad_questions() -> None:
    bare = Problem(lambda p, x: p["w"] * x, {"w": torch.ones(1)}, torch.ones(2, 1), Gaussian())
    with pytest.raises(MeasurementError, match="from_module"):
        activation_gram(bare, "0")
    problem = Problem.from_module(network(), samples(3, 3), Gaussian())
    with pytest.raises(UnknownNameError, match="layer"):
        activation_gram(problem, "7")
    with pytest.raises(InvalidValueError, match=r"no parameter 'weights'. Did you mean"):
        fisher_gram(problem, names=["weights"])
    with pytest.raises(InvalidValueError, match="2048"):
        fisher_gram(Problem.from_module(torch.nn.Linear(60, 60), axis_inputs(60), Gaussian()))
    with pytest.raises(InvalidValueError, match="variance"):
        NoisyTargets(lambda x: x, -1.0)
    with pytest.raises(MeasurementError, match="shape"):
        fisher_gram(problem, labels=NoisyTargets(lambda x: x, 1.0))


def test_a_float32_model_is_cut_at_its_own_rounding() -> None:
    """The gauge zeros of a float32 model carry float32 rounding; cut at that of float64 they would be read as small."""
    module = chain(0.3).model.module
    problem = Problem.from_module(module, axis_inputs(H) + 0.1, Gaussian(), dtype=torch.float32)
    spectrum = fisher_gram(problem).spectrum()
    assert (spectrum.zeros, spectrum.epsilon) == (H * H * (L - 1), torch.finfo(torch.float32).eps)
    naive = GramFactor(fisher_gram(problem).triangle).spectrum()
    assert naive.zeros < spectrum.zeros
    double = fisher_gram(Problem.from_module(module, axis_inputs(H) + 0.1, Gaussian())).spectrum()
    assert spectrum.smallest_positive == pytest.approx(double.smallest_positive, rel=spectrum.relative_error)


@pytest.mark.long
def test_a_transformer_block_against_the_dense_twin() -> None:
    state = torch.random.get_rng_state()
    torch.manual_seed(4)
    block = torch.nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True).double().eval()
    torch.random.set_rng_state(state)
    problem = Problem.from_module(block, samples(12, 4).reshape(3, 4, 4), Gaussian())
    assert torch.allclose(fisher_gram(problem).matrix(), fisher_matrix(problem), rtol=1e-10, atol=1e-12)
    assert activation_gram(problem, "linear2").width == 6
    with pytest.raises(MeasurementError, match="one tensor to one tensor"):
        activation_gram(problem, "self_attn")


def test_a_layer_that_runs_twice_has_no_one_input() -> None:
    layer = torch.nn.Linear(2, 2)
    problem = Problem.from_module(torch.nn.Sequential(layer, layer), torch.eye(2), Gaussian())
    with pytest.raises(MeasurementError, match="runs 2 times"):
        activation_gram(problem, "0")


def test_nothing_is_left_behind() -> None:
    """No hook stays on the module, no gradient is recorded, and the generator is untouched."""
    problem = Problem.from_module(network(), samples(3, 3), Gaussian())
    state = torch.random.get_rng_state()
    activation_gram(problem, "2")
    fisher_gram(problem)
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(not module._forward_hooks for module in problem.model.module.modules())
    assert all(value.grad is None for value in problem.truth.values())
