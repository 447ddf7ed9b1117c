"""Signatures of layers against dense twins, closed forms, and the controls that must differ."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy
import pytest
import torch
from torch import nn

from ddtheory.errors import DDTheoryError, InvalidValueError, MeasurementError, UnknownNameError
from ddtheory.measure import (
    Gaussian,
    LayerDirection,
    NoisyTargets,
    Problem,
    SignatureRecorder,
    Trajectory,
    gradient_gram,
    signatures,
)

SAMPLES = 40


def network(seed: int = 0, hidden: int = 4) -> nn.Sequential:
    generator = torch.Generator().manual_seed(seed)
    net = nn.Sequential(nn.Linear(3, hidden), nn.Tanh(), nn.Linear(hidden, 2), nn.Identity()).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return net


def data(seed: int = 1, size: int = SAMPLES) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(size, 3, generator=generator, dtype=torch.float64),
        torch.randn(size, 2, generator=generator, dtype=torch.float64),
    )


def by_hand(net: nn.Sequential, x: torch.Tensor, y: torch.Tensor) -> dict[str, numpy.ndarray]:
    """X of the output layer and G of the hidden one, by the chain rule in numpy."""
    first, second = (net[i].weight.detach().numpy() for i in (0, 2))
    hidden = numpy.tanh(x.numpy() @ first.T + net[0].bias.detach().numpy())
    residual = hidden @ second.T + net[2].bias.detach().numpy() - y.numpy()
    gradient = (residual @ second) * (1 - hidden**2)
    return {"X": hidden, "G": gradient.T @ gradient / len(x), "residual": residual}


def test_readings_are_those_of_a_dense_twin() -> None:
    net, (x, y) = network(), data()
    problem = Problem.from_module(net, x, Gaussian())
    found = signatures(problem, ["0", "2"], labels=NoisyTargets(lambda _: y, 0))
    twin = by_hand(net, x, y)
    sigma = numpy.linalg.svd(twin["X"], compute_uv=False)[-1] / math.sqrt(SAMPLES)
    # two outputs: G has rank above two here, since the slopes of tanh differ from sample to sample
    eigenvalues = numpy.linalg.eigvalsh(twin["G"])
    assert found["2"].sigma_min == pytest.approx(sigma, rel=1e-10)
    assert found["0"].lambda_plus == pytest.approx(eigenvalues[0], rel=1e-8)
    assert found["0"].log_det_plus == pytest.approx(numpy.log(eigenvalues).sum(), rel=1e-8)
    assert found.residual == pytest.approx((twin["residual"] ** 2).mean(), rel=1e-12)
    # controls: labels of the model, and the other layer, give other numbers
    assert signatures(problem, ["0"])["0"].lambda_plus != pytest.approx(eigenvalues[0], rel=0.1)
    assert found["0"].sigma_min != pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("labels", [None, NoisyTargets(lambda x: x[:, :2], 0.25)])
def test_batches_and_the_single_layer_path_agree(labels: NoisyTargets | None) -> None:
    net, (x, _) = network(), data()
    whole = Problem.from_module(net, x, Gaussian(0.5))
    parts = Problem.from_module(net, x, Gaussian(0.5), batch_size=7)
    one, several = signatures(whole, ["0", "2"], labels=labels), signatures(parts, ["0", "2"], labels=labels)
    alone = gradient_gram(whole, "0", labels=labels).spectrum()
    for reading, value in one.readings().items():
        assert several.readings()[reading] == pytest.approx(value, rel=1e-9), reading
    assert one["0"].lambda_plus == pytest.approx(alone.smallest_positive, rel=1e-12)


@pytest.mark.parametrize("per", ["sample", "label"])
def test_targets_of_outputs_without_a_label_count_nothing(per: str) -> None:
    """Positions of two sequences: the second has one label, and what stands in the places of the others is padding."""
    net, (x, y) = network(), data(size=6)
    x, y, mask = x.reshape(2, 3, 3), y.reshape(2, 3, 2), torch.tensor([[True, True, True], [True, False, False]])
    problem = Problem.from_module(net, x, Gaussian(), mask=mask, per=per)
    padding = torch.where(mask[..., None], y, 1e3)
    one, other = (signatures(problem, ["0"], labels=NoisyTargets(lambda _, y=y: y, 0)) for y in (y, padding))
    assert other.readings() == one.readings()
    residual = by_hand(net, x.flatten(0, 1), y.flatten(0, 1))["residual"][mask.flatten().numpy()]
    assert one.residual == pytest.approx((residual**2).mean(), rel=1e-12)
    noisy = signatures(problem, ["0"], labels=NoisyTargets(lambda _: padding, 0.25))
    assert noisy.residual == pytest.approx((residual**2).mean() + 0.25, rel=1e-12)
    # the control: without a mask the padding is data
    whole = Problem.from_module(net, x, Gaussian())
    assert signatures(whole, ["0"], labels=NoisyTargets(lambda _: padding, 0)).residual > 1e5


def test_weights_of_samples_count() -> None:
    net, (x, y) = network(), data(size=6)
    weights = torch.tensor([0.5, 0.5, 0, 0, 0, 0], dtype=torch.float64)
    labels = NoisyTargets(lambda _: y, 0)
    weighted = signatures(Problem.from_module(net, x, Gaussian(), weights=weights), ["2"], labels=labels)
    two = signatures(Problem.from_module(net, x[:2], Gaussian()), ["2"], labels=NoisyTargets(lambda _: y[:2], 0))
    six = signatures(Problem.from_module(net, x, Gaussian()), ["2"], labels=labels)
    assert weighted.residual == pytest.approx(two.residual, rel=1e-12) != six.residual
    assert weighted["2"].lambda_plus == pytest.approx(two["2"].lambda_plus, rel=1e-9)


def linear(*widths: int) -> nn.Sequential:
    generator = torch.Generator().manual_seed(5)
    net = nn.Sequential(*(nn.Linear(a, b, bias=False) for a, b in itertools.pairwise(widths))).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return net


def test_exact_zeros_are_counted_and_their_cap_is_named() -> None:
    x = data()[0]
    net = linear(3, 2, 5, 1)
    found = signatures(Problem.from_module(net, x, Gaussian()), ["0", "1", "2"])
    assert found["2"].sigma_min == 0.0 < found["2"].sigma_plus
    assert found["2"].activation_spectrum.zeros == 3
    assert found["2"].caps["activation"] == {"linear in the activation of 1": 2}
    assert found["0"].caps["gradient"] == {"linear in the gradient of 2": 1}
    assert found["1"].gradient_spectrum.zeros == 4
    # controls: few samples, a silent unit, and a nonlinear map are other reasons, or none
    few = signatures(Problem.from_module(linear(3, 4, 1), x[:2], Gaussian()), ["1"])
    assert few["1"].caps["activation"] == {"samples": 2}
    curved = nn.Sequential(net[0], nn.Tanh(), net[1], nn.Tanh(), net[2])
    free = signatures(Problem.from_module(curved, x, Gaussian()), ["2", "4"])
    assert free["4"].caps["activation"] == {} and free["4"].activation_spectrum.zeros == 0


def test_a_silent_unit_is_a_cap() -> None:
    net = network()
    with torch.no_grad():
        net[0].weight[1], net[0].bias[1] = 0, 0
    found = signatures(Problem.from_module(net, data()[0], Gaussian()), ["2"])
    assert found["2"].caps["activation"] == {"silent units": 3} and found["2"].sigma_min == 0
    with torch.no_grad():
        net[0].bias[1] = 1e-9  # nearly dead is no zero
    near = signatures(Problem.from_module(net, data()[0], Gaussian()), ["2"])
    assert near["2"].caps["activation"] == {} and 1e-10 < near["2"].sigma_min < 1e-8


def test_values_far_below_rounding_of_the_gram_are_read() -> None:
    """X = (x, 1e-11 z) with orthonormal columns: λ_min(XᵀX/n) = 1e-22/n, which eigvalsh of the Gram cannot see."""
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.diag(torch.tensor([1.0, 1e-11])))
    problem = Problem.from_module(net, torch.eye(2, dtype=torch.float64), Gaussian())
    read = signatures(problem, ["1"])["1"]
    assert read.sigma_min == pytest.approx(1e-11 / math.sqrt(2), rel=1e-4)
    formed = torch.linalg.eigvalsh(read.activation.matrix() + 1e-12 * torch.eye(2))[0]  # with a ridge, as is usual
    assert float(formed) > 1e9 * read.sigma_min**2


def test_a_named_direction_stands_beside_its_null() -> None:
    net, (x, _) = network(), data()
    with torch.no_grad():
        net[2].weight[:, 1] = 1e-6
    unit = torch.eye(4, dtype=torch.float64)
    directions = {"dead": LayerDirection("0", "gradient", unit[1]), "live": LayerDirection("0", "gradient", unit[0])}
    found = signatures(Problem.from_module(net, x, Gaussian()), ["0"], directions=directions, null=200).directions
    second, hidden = net[2].weight.detach(), torch.tanh(net[0](x)).detach()
    expected = float((second[:, 1].square().sum() * (1 - hidden[:, 1] ** 2).square()).mean())
    assert found["dead"].value == pytest.approx(expected, rel=1e-10)
    assert found["dead"].share_below == 0 and found["live"].share_below > 0.05
    assert len(found["dead"].null) == 200 and list(found["dead"].null) == sorted(found["dead"].null)
    assert found["dead"].null[0] < found["dead"].null_median < found["dead"].null[-1]


def test_held_out_data_are_read_with_the_same_parameters() -> None:
    net, (x, y), (fresh, other) = network(), data(1), data(2)
    problem = Problem.from_module(net, x, Gaussian())
    found = signatures(
        problem, ["2"], labels=NoisyTargets(lambda _: y, 0), held_out=(fresh, NoisyTargets(lambda _: other, 0))
    )
    alone = signatures(replace(problem, inputs=fresh), ["2"], labels=NoisyTargets(lambda _: other, 0))
    assert found.held_out is not None and found.held_out.readings() == alone.readings()
    assert found.held_out.residual != pytest.approx(found.residual, rel=1e-3)
    assert found.readings()["held-out residual"] == alone.residual


def test_a_mask_of_the_training_data_is_not_put_on_others() -> None:
    net, (x, _) = network(), data(size=6)
    mask = torch.tensor([[True, True, True], [True, False, False]])
    problem = Problem.from_module(net, x.reshape(2, 3, 3), Gaussian(), mask=mask)
    with pytest.raises(InvalidValueError, match="is that of its own samples"):
        signatures(problem, ["2"], held_out=(x.reshape(2, 3, 3), None))
    assert signatures(replace(problem, mask=None), ["2"], held_out=(x.reshape(2, 3, 3), None)).held_out is not None


def test_nothing_global_moves() -> None:
    problem = Problem.from_module(network(), data()[0], Gaussian())
    before = torch.get_rng_state()
    direction = {"one": LayerDirection("2", "activation", torch.ones(4))}
    first = signatures(problem, ["2"], directions=direction)
    assert torch.equal(before, torch.get_rng_state())
    assert first.directions["one"].null == signatures(problem, ["2"], directions=direction).directions["one"].null
    assert (
        first.directions["one"].null != signatures(problem, ["2"], directions=direction, seed=1).directions["one"].null
    )


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda p: signatures(p, []), InvalidValueError, "nothing to read"),
        (lambda p: signatures(p, "02"), InvalidValueError, "must be a list"),
        (lambda p: signatures(p, ["7"]), UnknownNameError, "no layer named '7'"),
        (lambda p: signatures(p, ["2"], directions={"u": 3}), InvalidValueError, "LayerDirection"),
        (
            lambda p: signatures(p, ["2"], directions={"u": LayerDirection("0", "gradient", torch.ones(4))}),
            UnknownNameError,
            "that is read",
        ),
        (
            lambda p: signatures(p, ["2"], directions={"u": LayerDirection("2", "gradient", torch.ones(4))}),
            InvalidValueError,
            "needs shape",
        ),
        (lambda p: LayerDirection("2", "sideways", torch.ones(4)), InvalidValueError, "'activation' or 'gradient'"),
        (lambda p: LayerDirection("2", "gradient", torch.zeros(4)), InvalidValueError, "length above 0"),
        (lambda p: signatures(p, ["2"], held_out=data()[0]), InvalidValueError, "give a pair"),
        (lambda p: signatures(p, ["2"], null=0), InvalidValueError, "1 or more"),
        (lambda p: signatures(p, ["2"])["0"], UnknownNameError, "no layer with a signature"),
        (lambda p: Trajectory((1, 1), {}), InvalidValueError, "do not ascend"),
        (lambda p: Trajectory((1, 2), {"a": (1.0,)}), InvalidValueError, "1 numbers for 2 steps"),
        (lambda p: Trajectory((1,), {"a": (1.0,)})["b"], UnknownNameError, "no column"),
    ],
)
def test_what_cannot_be_read_is_refused(call, error: type[DDTheoryError], says: str) -> None:
    with pytest.raises(error, match=says):
        call(Problem.from_module(network(), data()[0], Gaussian()))


def test_a_layer_that_runs_twice_or_never_is_refused() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.idle = nn.Linear(3, 3).double(), nn.Linear(3, 3).double()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(self.layer(x))

    problem = Problem.from_module(Twice(), data()[0], Gaussian())
    for layer, says in (("layer", "runs twice"), ("idle", "does not run")):
        with pytest.raises(MeasurementError, match=says):
            signatures(problem, [layer])


def test_a_recorder_reads_the_model_as_it_trains_and_leaves_it_alone() -> None:
    net, (x, y) = network().float(), data()
    record = SignatureRecorder(Problem.from_module(net, x, Gaussian()), ["0", "2"], every=2)
    plain = network().float()
    for step in range(5):
        for model in (net, plain):
            loss = (model(x.float()) - y.float()).square().mean()
            model.zero_grad()
            loss.backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter -= 0.1 * parameter.grad
        record(step, net, loss=loss.item())
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), plain.parameters(), strict=True))
    record.event("end", 4)
    record.event("end", 9)  # the first time counts
    found = record.trajectory
    assert found.steps == (0, 2, 4) and found.events == {"end": 4}
    here = signatures(Problem.from_module(net, x, Gaussian()), ["0", "2"])
    assert found["2.sigma_min"][-1] == pytest.approx(here["2"].sigma_min, rel=1e-12)
    assert found["2.sigma_min"][0] != pytest.approx(here["2"].sigma_min, rel=1e-6)
    assert next(iter(found.records()))["step"] == 0
    assert found.first("loss", lambda value: value < 0) is None
    with pytest.raises(InvalidValueError, match="Take another name"):
        record(6, net, residual=1.0)


def test_a_recorder_refuses_running_statistics_that_moved() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).eval()
    record = SignatureRecorder(Problem.from_module(net, data()[0], Gaussian()), ["2"])
    record(0, net)
    net[1].running_mean += 1
    with pytest.raises(MeasurementError, match="running_mean"):
        record(1, net)


def test_a_recorder_and_a_trajectory_refuse_what_they_cannot_keep() -> None:
    record = SignatureRecorder(Problem.from_module(network(), data()[0], Gaussian()), ["2"], every=2)
    for step in (0, 1):  # also where nothing is recorded
        with pytest.raises(InvalidValueError, match="The model is None"):
            record(step, None)
    with pytest.raises(InvalidValueError, match='called "step"'):
        Trajectory((0, 10), {"step": (1.0, 2.0)})
    assert list(Trajectory((0, 10), {"steps": (1.0, 2.0)}).records())[1] == {"step": 10, "steps": 2.0}


def test_results_show_themselves() -> None:
    problem = Problem.from_module(network(), data()[0], Gaussian())
    found = signatures(problem, ["0", "2"], directions={"u": LayerDirection("2", "activation", torch.ones(4))})
    assert "2 layers" in repr(found) and "<table>" in found._repr_html_() and "σ⁺" in repr(found["2"])
    assert "random directions" in str(found.directions["u"])
    shown = Trajectory((0, 5), {"loss": (1.0, 0.5)}, {"transition": 5})
    assert "transition at 5" in repr(shown) and "<td>0.5</td>" in shown._repr_html_()


def test_a_layer_that_all_samples_share_is_refused() -> None:
    """Positions go through it once for all samples, so that its rows are of no sample."""

    class Placed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.places = torch.nn.Linear(1, 3)
            self.last = torch.nn.Linear(3, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(x + self.places(torch.ones(1, 1, dtype=x.dtype)))

    problem = Problem.from_module(Placed(), torch.ones(4, 3), Gaussian())
    assert signatures(problem, ["last"])["last"].gradient.width == 1
    with pytest.raises(MeasurementError, match="makes 3 numbers of 4 samples and 3 of one of them"):
        signatures(problem, ["places"])
