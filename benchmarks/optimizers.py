"""What a step of DDCAdam and of DDCMuon costs, in steps of AdamW on the same transformer.

    python benchmarks/optimizers.py --threads 1 --clock processor --dtype float32

The transformer has every row of the table of gauges but rotations without heads: rescaling of ReLU channels, scales of
layer norms, of queries and keys, of values and outputs, and the shift of logits. Gradients are made once, so that steps
alone are timed, round by round beside AdamW; the cost of a forward and a backward pass stands beside them. Before
anything is timed, a step of DDCAdam with foreach has to agree with one without it.

What does not depend on the machine is counted: entries that kernels read and write for each parameter, wherever they
lie, in a cache or not, and floating-point operations of matrix products. Singular values are in neither.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from harness import interleaved, paired, prepare, save, show, spread, synchronise, torch_options
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from ddtheory.gauges import FoundGauges, Group, find_gauges
from ddtheory.gauges.tape import tensors
from ddtheory.optim import DDCAdam, DDCMuon

SIZES = {10**5: (48, 1), 10**6: (144, 4), 10**7: (448, 4)}  # parameters, about → width, blocks
HEADS, TOKENS, SAMPLES, VOCABULARY = 4, 16, 16, 512
UNIT = "AdamW"
AGREE = 1e-5  # of one step in float32 by two ways


class Transformer(nn.Module):
    """Vectors (samples, tokens, width) to logits."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        layers = [
            nn.TransformerEncoderLayer(width, HEADS, 4 * width, 0.0, batch_first=True, norm_first=True)
            for _ in range(blocks)
        ]
        self.blocks, self.norm = nn.Sequential(*layers), nn.LayerNorm(width)
        self.head = nn.Linear(width, VOCABULARY)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.blocks(x)))


Make = Callable[[nn.Module, FoundGauges], torch.optim.Optimizer]


def scales(found: FoundGauges) -> list[Any]:
    """What DDCAdam respects."""
    return [gauge for gauge in found.gauges if gauge.group in (Group.POSITIVE, Group.PERMUTATION, Group.SHIFT)]


MAKES: dict[str, Make] = {
    UNIT: lambda model, _: torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.1),
    "AdamW, foreach": lambda model, _: torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.1, foreach=True),
    "AdamW, fused": lambda model, _: torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.1, fused=True),
    "DDCAdam": lambda model, found: DDCAdam(model, 1e-4, weight_decay=0.1, gauges=scales(found)),
    "DDCAdam, foreach": lambda model, found: DDCAdam(model, 1e-4, weight_decay=0.1, gauges=scales(found), foreach=True),
    "DDCAdam, no gauges": lambda model, _: DDCAdam(model, 1e-4, weight_decay=0.1, gauges=[]),
    "DDCMuon": lambda model, found: DDCMuon(model, 1e-4, weight_decay=0.1, gauges=found),
    "Muon and AdamW": lambda model, _: Both(model),
}


class Both(torch.optim.AdamW):
    """Muon of torch for matrices, AdamW for the rest."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__([value for value in model.parameters() if value.ndim != 2], 1e-4)
        self.matrices = torch.optim.Muon([value for value in model.parameters() if value.ndim == 2], 1e-4)

    def step(self, closure: Any = None) -> None:
        super().step()
        self.matrices.step()


def agree(model: nn.Module, found: FoundGauges) -> float:
    """The relative distance of a step of DDCAdam with and without foreach; stops the script where it is large."""
    ends = []
    for name in ("DDCAdam", "DDCAdam, foreach"):
        own = with_gradients(model)
        MAKES[name](own, found).step()
        ends.append(torch.cat([value.detach().flatten() for value in own.parameters()]))
    start = torch.cat([value.detach().flatten() for value in model.parameters()])
    distance = float((ends[0] - ends[1]).norm() / (ends[0] - start).norm())
    if not distance < AGREE:
        raise SystemExit(f"A step of DDCAdam by two ways differs by {distance:.1e}; nothing is timed.")
    return distance


class Transfers(TorchDispatchMode):
    """Entries that kernels read and write; a view is neither, and what is changed in place is both."""

    def __init__(self) -> None:
        super().__init__()
        self.entries = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if func.is_view:
            return found
        given = dict(zip((each.name for each in func._schema.arguments), args, strict=False)) | (kwargs or {})
        for each in func._schema.arguments:
            written = each.alias_info is not None and each.alias_info.is_write
            times = 1 if each.is_out or not written else 2
            self.entries += times * sum(tensor.numel() for tensor in tensors(given.get(each.name)))
        if not any(each.alias_info for each in func._schema.returns):
            self.entries += sum(tensor.numel() for tensor in tensors(found))
        return found


def counted(step: Callable[[], object], parameters: int) -> dict[str, float]:
    """Of one step: entries read and written, and operations of matrix products, for each parameter."""
    with Transfers() as transfers:
        step()
    with FlopCounterMode(display=False) as products:
        step()
    return {"entries": transfers.entries / parameters, "products": products.get_total_flops() / parameters}


def with_gradients(model: nn.Module) -> nn.Module:
    own = copy.deepcopy(model)
    for value, other in zip(own.parameters(), model.parameters(), strict=True):
        value.grad = None if other.grad is None else other.grad.clone()
    return own


def measure(chosen: Any, size: int) -> dict[str, Any]:
    width, blocks = SIZES[size]
    device, dtype = chosen.device, getattr(torch, chosen.dtype)
    model = Transformer(width, blocks)
    inputs = torch.randn(SAMPLES * chosen.scale, TOKENS, width)
    labels = torch.randint(0, VOCABULARY, (SAMPLES * chosen.scale * TOKENS,))
    found = find_gauges(model, inputs[:2, :4], softmax=True)
    model, inputs, labels = model.to(device, dtype), inputs.to(device, dtype), labels.to(device)

    def passes() -> None:
        model.zero_grad()
        nn.functional.cross_entropy(model(inputs).flatten(0, 1), labels).backward()

    passes()
    synchronise(device)
    distance = agree(model, found)
    steps = {name: make(with_gradients(model), found).step for name, make in MAKES.items()}
    parameters = sum(value.numel() for value in model.parameters())
    for step in steps.values():
        step()  # makes the averages
    counts = {name: counted(step, parameters) for name, step in steps.items()}
    times = interleaved(
        {**steps, "forward and backward": passes}, device=device, clock=chosen.clock, seconds=chosen.seconds
    )
    return {
        "parameters": parameters,
        "gauges": len(found.gauges),
        "agree": distance,
        "unit_seconds": spread(times[UNIT]),
        "counted": counts,
        "steps_of_adamw": {name: paired(times, name, UNIT) for name in times},
    }


COLUMNS = ("parameters", "AdamW, ms", *(name for name in (*MAKES, "forward and backward") if name != UNIT))


COUNTED = ("parameters", *MAKES)


def counts(row: dict[str, Any], what: str) -> list[str]:
    return [f"{row['parameters']:,}", *(f"{row['counted'][name][what]:.3g}" for name in MAKES)]


def line(row: dict[str, Any]) -> list[str]:
    cells = [
        f"{row['steps_of_adamw'][name]['median']:.2f} "
        f"({row['steps_of_adamw'][name]['min']:.2f}–{row['steps_of_adamw'][name]['max']:.2f})"
        for name in COLUMNS[2:]
    ]
    return [f"{row['parameters']:,}", f"{1e3 * row['unit_seconds']['median']:.1f}", *cells]


def main() -> None:
    parser = torch_options((__doc__ or "").splitlines()[0], "optimizers")
    parser.add_argument("--sizes", nargs="+", type=float, default=[1e5, 1e6, 1e7], metavar="N")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each size")
    chosen = parser.parse_args()
    prepare(chosen)
    sizes = [10**5] if chosen.quick else [int(size) for size in chosen.sizes]
    rows = []
    for size in sizes:
        if size not in SIZES:
            parser.error(f"Sizes are {', '.join(map(str, SIZES))}.")
        rows.append(measure(chosen, size))
    show("Entries read and written, for each parameter", COUNTED, [counts(row, "entries") for row in rows])
    show("Operations of matrix products, for each parameter", COUNTED, [counts(row, "products") for row in rows])
    show("A step, in steps of AdamW", COLUMNS, [line(row) for row in rows])
    save(chosen, rows)


if __name__ == "__main__":
    main()
