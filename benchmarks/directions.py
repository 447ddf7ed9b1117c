"""Derivatives along eight directions under vmap, in the cost of eight single ones: why profiles take them in turn.

    python benchmarks/directions.py --threads 1 --clock processor

A perceptron with two hidden tanh layers. Each direction has its own position θ + t v, as in a profile, so nothing but
dispatch can be shared. The two ways have to agree before they are timed.
"""

from __future__ import annotations

from typing import Any

import torch
from harness import interleaved, paired, prepare, save, show, torch_options
from torch import Tensor, nn
from torch.func import functional_call, jvp, vmap

COUNT, RADIUS = 8, 0.1
SIZES = ((16, 100), (64, 256), (256, 256))  # width, samples


def measure(chosen: Any, width: int, samples: int) -> dict[str, Any]:
    device, dtype = chosen.device, getattr(torch, chosen.dtype)
    model = nn.Sequential(
        nn.Linear(width, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 10)
    ).to(device, dtype)
    inputs = torch.randn(samples * chosen.scale, width, device=device, dtype=dtype)
    truth = {name: value.detach() for name, value in model.named_parameters()}
    directions = {name: torch.randn(COUNT, *value.shape, device=device, dtype=dtype) for name, value in truth.items()}

    def derivative(direction: dict[str, Tensor]) -> Tensor:
        place = {name: value + RADIUS * direction[name] for name, value in truth.items()}
        found: Tensor = jvp(lambda theta: functional_call(model, theta, inputs), (place,), (direction,))[1]
        return found

    def in_turn() -> Tensor:
        return torch.stack([derivative({n: v[i] for n, v in directions.items()}) for i in range(COUNT)])

    def together() -> Tensor:
        return vmap(derivative)(directions)

    first, second = in_turn(), together()
    if not torch.allclose(first, second, rtol=1e-4 if dtype is torch.float32 else 1e-10):
        raise SystemExit("The derivatives of the two ways differ; nothing is timed.")
    times = interleaved({"in turn": in_turn, "vmap": together}, device=device, clock=chosen.clock)
    return {"width": width, "samples": len(inputs), "vmap": paired(times, "vmap", "in turn")}


def main() -> None:
    chosen = torch_options((__doc__ or "").splitlines()[0], "directions").parse_args()
    prepare(chosen)
    rows = [measure(chosen, *size) for size in (SIZES[:1] if chosen.quick else SIZES)]
    columns = ("width", "samples", "vmap, in eight single derivatives")
    show(
        "Eight directions",
        columns,
        [[str(row["width"]), str(row["samples"]), f"{row['vmap']['median']:.2f}"] for row in rows],
    )
    save(chosen, rows)


if __name__ == "__main__":
    main()
