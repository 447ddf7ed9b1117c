"""What signatures cost, in training steps and beside an SGLD estimate, and what that estimate is worth.

    python benchmarks/signatures.py --threads 1 --clock processor

Test beds at their last kept checkpoint. The unit is one training step, forward and backward on all inputs of the bed.
An estimate of the local learning coefficient takes at least its budget of them, for each of its two runs, with what
the sampler adds to a step and the import of its package: the network and the calibration
(`ddtheory.testing.local_coefficient`); the SGLD is that of devinterp 1.3.2. Its verdict stands beside its cost, with
the proven bracket. The step is a share of 1/(nβf + γ), f the largest eigenvalue of the Fisher: the stationary
variance of that direction is 1/(1 − share/4) too large. A cross-entropy has no such estimate here, nor have networks
of more than 512 parameters.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
from harness import CLOCKS, interleaved, paired, prepare, save, show, spread, torch_options
from torch import nn

from ddtheory import testbeds
from ddtheory.measure import Gaussian, fisher_matrix, signatures
from ddtheory.testbeds import Bed

UNIT = "a training step"
BEDS: dict[str, tuple[Callable[[], Bed], list[str], bool]] = {
    # the layers that are read, and whether the coefficient is estimated
    "reduced rank": (lambda: testbeds.reduced_rank(noise=1.0), ["0", "1", "2"], True),
    "teacher–student": (testbeds.teacher_student, ["0", "2"], True),
    "modular addition": (testbeds.modular_addition, ["0", "2"], False),
    "sparse parity": (testbeds.sparse_parity, ["0", "2"], False),
    "transformer": (testbeds.modular_transformer, ["up", "down", "unembed"], False),
    "vision transformer": (testbeds.vision_transformer, ["blocks.0.up", "blocks.0.down", "head"], False),
}
QUICK = ("reduced rank",)


def training_step(bed: Bed) -> Callable[[], None]:
    """Forward and backward on all inputs, at the last checkpoint."""
    module = bed.module()
    module.load_state_dict(dict(bed.checkpoints[-1].parameters))
    classes = bed.targets.argmax(1)

    def step() -> None:
        module.zero_grad()
        with torch.enable_grad():
            outputs = module(bed.inputs)
            squared = isinstance(bed.head, Gaussian)
            loss = (
                nn.functional.mse_loss(outputs, bed.targets)
                if squared
                else nn.functional.cross_entropy(outputs, classes)
            )
            loss.backward()

    return step


def estimate(bed: Bed, chosen: Any) -> dict[str, Any]:
    """An SGLD estimate by devinterp: its cost, its calibration and what it says."""
    from ddtheory.testing import local_coefficient
    from ddtheory.testing.conformance.devinterp_sgld import DevinterpSGLD

    clock, problem, n = CLOCKS[chosen.clock], bed.problem(), len(bed.inputs)
    largest = float(torch.linalg.eigvalsh(fisher_matrix(problem))[-1])
    step_size = chosen.share / (n / math.log(n) * largest + chosen.pin)
    start = clock()
    found = local_coefficient(problem, DevinterpSGLD(step_size), n=n, budget=chosen.budget, localisation=chosen.pin)
    return {
        "seconds": clock() - start,
        "step_size": step_size,
        "settings": dict(found.settings),
        "standing": found.standing.value,
        "estimate": [found.estimate.value, found.estimate.standard_error],
        "calibration": [found.calibration.value, found.calibration.standard_error],
        "exact": found.exact,
        "bracket": [str(side) for side in found.bracket],
        "faults": list(found.faults),
    }


def measure(chosen: Any, name: str) -> dict[str, Any]:
    make, layers, estimated = BEDS[name]
    bed = make()
    problem, labels = bed.problem(), bed.labels()
    calls = {
        UNIT: training_step(bed),
        "one layer": lambda: signatures(problem, layers[:1], labels=labels, null=1),
        "all layers": lambda: signatures(problem, layers, labels=labels, null=1),
    }
    times = interleaved(calls, device=chosen.device, clock=chosen.clock, seconds=chosen.seconds)
    row = {
        "bed": name,
        "parameters": problem.dimension,
        "samples": len(bed.inputs),
        "layers": layers,
        "step_seconds": spread(times[UNIT]),
        "steps": {key: paired(times, key, UNIT) for key in calls if key != UNIT},
    }
    if estimated and chosen.budget and find_spec("devinterp"):
        row["coefficient"] = estimate(bed, chosen)
        row["coefficient_steps"] = row["coefficient"]["seconds"] / row["step_seconds"]["median"]
    return row


COLUMNS = ("bed", "parameters", "step, ms", "one layer", "all layers", "SGLD", "estimate", "λ", "standing")


def line(row: dict[str, Any]) -> list[str]:
    cells = [f"{row['steps'][key]['median']:.1f}" for key in ("one layer", "all layers")]
    found = row.get("coefficient")
    told = (
        ["–"] * 4
        if found is None
        else [
            f"{row['coefficient_steps']:.0f}",
            f"{found['estimate'][0]:.3g} ± {found['estimate'][1]:.1g}",
            " to ".join(found["bracket"]),
            found["standing"],
        ]
    )
    return [row["bed"], f"{row['parameters']:,}", f"{1e3 * row['step_seconds']['median']:.2f}", *cells, *told]


def main() -> None:
    parser = torch_options((__doc__ or "").splitlines()[0], "signatures")
    parser.add_argument("--beds", nargs="+", choices=tuple(BEDS), default=list(BEDS), metavar="BED", help="names")
    parser.add_argument("--seconds", type=float, default=4.0, help="for each bed")
    parser.add_argument("--budget", type=int, default=8000, help="passes of each run of the SGLD; 0 leaves it out")
    parser.add_argument("--pin", type=float, default=10.0, help="γ of the localisation")
    parser.add_argument("--share", type=float, default=0.4, help="of the step, see above")
    chosen = parser.parse_args()
    prepare(chosen)
    if find_spec("devinterp") is None:
        print("devinterp is not installed: its columns are left out. pip install devinterp==1.3.2", file=sys.stderr)
    rows = [measure(chosen, name) for name in (QUICK if chosen.quick else chosen.beds)]
    show("Signatures and an SGLD estimate, in training steps", COLUMNS, [line(row) for row in rows])
    save(chosen, rows)


if __name__ == "__main__":
    main()
