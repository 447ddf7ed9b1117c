"""Kronecker factors and spectra of every layer of a transformer, in training steps of the same model.

    python benchmarks/layers.py --threads 1 --clock processor
    python benchmarks/layers.py --threads 1 --clock processor --parts depth width   # the others keep their numbers

Three routes to A and G of every linear layer: `kronecker_factors` layer by layer; one pass that all layers share, into
the same triangular factors; and a dense twin, one shared pass into Gram matrices that are formed. The last two know
nothing of `ddtheory.measure.matrices.kronecker`: gradients come from autograd, labels are enumerated. Before anything
is timed the routes have to agree on every layer, and factors of a batch without its last sample must not.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from harness import Timing, interleaved, paired, prepare, save, show, spread, torch_options
from layers_memory import peaks
from layers_model import CLASSES, LARGE, Case, build, training_step
from layers_routes import Factors, Grams, by_layer, dense_grams, shared_factors

from ddtheory.measure import (
    Categorical,
    Problem,
    activation_gram,
    fisher_gram,
    fisher_matrix,
    kronecker_factors,
)

TOLERANCE = 1e-10  # of two routes, in the norm of the Gram; rounding gives 1e-14, a batch less one sample 1e-2
PARTS = ("large", "depth", "width", "memory", "twins")
DEPTHS, AT_WIDTH = (2, 4, 8, 16), 32
WIDTHS, AT_DEPTH = (32, 64, 128, 256), 1
TOKENS_SEEN = 1024  # in the runs against width: no Gram is short of rank, so that the powers of the width show
Row = dict[str, Any]


def disagreement(first: Grams, second: Grams) -> float:
    """The largest relative distance of two Grams, over layers and over A and G."""
    return max(
        float((one - other).norm() / other.norm())
        for layer, pair in second.items()
        for one, other in zip(first[layer], pair, strict=True)
    )


def formed(factors: Factors) -> Grams:
    return {layer: (a.matrix(), g.matrix()) for layer, (a, g) in factors.items()}


def check(case: Case, factors: Factors) -> Row:
    """Stops the script unless the routes agree on every layer; the control has to disagree."""
    found, dense = formed(factors), dense_grams(case)
    distance = disagreement(found, dense)
    shared = disagreement(formed(shared_factors(case)), dense)
    control = disagreement(dense_grams(case.without_last()), dense)
    spectra = max(
        abs(sum(gram.spectrum().eigenvalues) / float(torch.linalg.eigvalsh(matrix).sum()) - 1)
        for layer, pair in factors.items()
        for gram, matrix in zip(pair, dense[layer], strict=True)
    )
    if max(distance, shared, spectra) > TOLERANCE or control < 1e3 * TOLERANCE:
        raise SystemExit(f"The routes disagree: {distance:.1e}, {shared:.1e}, {spectra:.1e}; control {control:.1e}.")
    return {"layers": len(found), "by_layer": distance, "shared": shared, "traces": spectra, "control": control}


def layer_calls(case: Case) -> dict[str, Callable[[], object]]:
    """What is compared on one model; spectra are of factors that are there already."""
    factors, dense = shared_factors(case), dense_grams(case)
    step = training_step(case)
    return {
        "training step": step,
        "factors, layer by layer": lambda: by_layer(case),
        "factors, one shared pass": lambda: shared_factors(case),
        "dense Grams, one shared pass": lambda: dense_grams(case),
        "spectra of A and G, singular values": lambda: [gram.spectrum() for pair in factors.values() for gram in pair],
        "spectra of A and G, dense eigenvalues": lambda: [
            torch.linalg.eigvalsh(matrix) for pair in dense.values() for matrix in pair
        ],
    }


def measure(case: Case, chosen: Any) -> Row:
    """Many rounds of a small model."""
    agreement = check(case, by_layer(case))
    times = interleaved(layer_calls(case), clock=chosen.clock, seconds=3.0, least=1, most=7)
    return row_of(case, times, agreement)


def measure_large(case: Case, chosen: Any) -> Row:
    """Few rounds of a large model, without one that is not counted; the factors that are timed are checked."""
    for call in layer_calls(build(1, 16, classes=CLASSES)).values():
        call()  # loads code
    factors: Factors = {}
    calls = layer_calls(case) | {"factors, layer by layer": lambda: factors.update(by_layer(case))}
    calls["training step"]()  # allocates the state of the optimiser
    repeats = dict.fromkeys(calls, 1) | {"training step": 5}
    times = interleaved(calls, clock=chosen.clock, least=chosen.rounds, most=chosen.rounds, repeats=repeats)
    return row_of(case, times, check(case, factors))


def row_of(case: Case, times: Timing, agreement: Row) -> Row:
    return {
        "depth": case.depth,
        "width": case.width,
        "parameters": case.problem.dimension,
        "samples": case.inputs.shape[0],
        "layers": len(case.layers),
        "rounds": len(times["training step"]),
        "step_seconds": spread(times["training step"]),
        "seconds": {name: spread(found) for name, found in times.items()},
        "steps": {name: paired(times, name, "training step") for name in times},
        "agreement": agreement,
    }


def operations(depth: int, width: int, samples: int, tokens: int) -> dict[str, float]:
    """Floating-point operations of each call, from matrix products, QR (2n²(m − n/3)) and singular values (8n³/3)."""
    rows, blocks = samples * tokens, depth
    forward = 2.0 * rows * width * width * 12 * blocks
    layers = 4 * blocks
    into, out = (width, width, width, 4 * width), (3 * width, width, 4 * width, width)

    def qr(m: float, n: float) -> float:
        return 2 * min(m, n) ** 2 * (max(m, n) - min(m, n) / 3)

    triangles = blocks * sum(qr(rows, n) for n in into)
    triangles += blocks * sum(qr(rows, n) + (CLASSES - 1) * qr(rows + n, n) for n in out)
    formed_too = blocks * sum(2.0 * rows * n * n for n in (*into, *CLASSES * out))
    halves = (blocks + 1) / (2 * blocks)  # a gradient runs back to its layer: half the way on average
    return {
        "training step": 3 * forward,
        "factors, layer by layer": layers * forward * (3 + CLASSES * halves) + triangles,
        "factors, one shared pass": forward * (1 + CLASSES) + triangles,
        "dense Grams, one shared pass": forward * (1 + CLASSES) + formed_too,
        "spectra of A and G, singular values": blocks * sum(8 / 3 * n**3 for n in (*into, *out)),
        "spectra of A and G, dense eigenvalues": blocks * sum(4 / 3 * n**3 for n in (*into, *out)),
    }


LIMITS = {  # exponent of the operation count as the size grows without end: (depth, width)
    "training step": (1, 2),
    "factors, layer by layer": (2, 3),
    "factors, one shared pass": (1, 3),
    "dense Grams, one shared pass": (1, 2),
    "spectra of A and G, singular values": (1, 3),
    "spectra of A and G, dense eigenvalues": (1, 3),
}


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Slope of log cost against log size by least squares."""
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
    above = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True))
    return above / sum((a - middle_x) ** 2 for a in x)


def exponents(rows: Sequence[Row], against: str) -> dict[str, Row]:
    """Fitted exponents, over all sizes and over the largest two, beside those of the operation count."""
    sizes = [row[against] for row in rows]
    counts = [operations(row["depth"], row["width"], row["samples"], 16) for row in rows]
    found = {}
    for name, limits in LIMITS.items():
        costs = [row["seconds"][name]["median"] for row in rows]
        counted = [count[name] for count in counts]
        found[name] = {
            "fitted": exponent(sizes, costs),
            "last_two": exponent(sizes[-2:], costs[-2:]),
            "counted": exponent(sizes, counted),
            "counted_last_two": exponent(sizes[-2:], counted[-2:]),
            "limit": limits[0 if against == "depth" else 1],
        }
    return found


def graded() -> Row:
    """A chain whose smallest activation eigenvalue is t⁸/2 exactly: what each route makes of it at t = 2⁻⁹."""
    t = 2.0**-9
    net = torch.nn.Sequential(*(torch.nn.Linear(2, 2, bias=False) for _ in range(5))).double()
    rotation = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    with torch.no_grad():
        for layer in net:
            layer.weight.copy_(torch.diag(torch.tensor([1.0, t], dtype=torch.float64)))
        net[3].weight.copy_(rotation @ net[3].weight)  # hides the small entry from a matrix that is formed
    gram = activation_gram(Problem.from_module(net, torch.eye(2), Categorical()), "4")
    exact = t**8 / 2
    return {
        "exact": exact,
        "singular_values": gram.spectrum().smallest_positive,
        "dense": float(torch.linalg.eigvalsh(gram.matrix())[0]),
    }


def twins(chosen: Any) -> Row:
    """The whole Fisher of a small model by per-sample gradients and by its dense twin, and one layer's products."""
    torch.manual_seed(chosen.seed)
    small = torch.nn.Sequential(torch.nn.Linear(16, 16), torch.nn.GELU(), torch.nn.Linear(16, CLASSES))
    problem = Problem.from_module(small, torch.randn(128, 16), Categorical())
    gram, matrix = fisher_gram(problem), fisher_matrix(problem)
    distance = float((gram.matrix() - matrix).norm() / matrix.norm())
    if distance > TOLERANCE:
        raise SystemExit(f"fisher_gram and fisher_matrix disagree by {distance:.1e}.")
    case = build(1, 32, classes=CLASSES, seed=chosen.seed)
    factors = kronecker_factors(case.problem, "blocks.0.mix")
    values = torch.tensor(factors.spectrum().eigenvalues, dtype=torch.float64)
    product = torch.kron(factors.gradient.matrix(), factors.activation.matrix())
    dense = torch.linalg.eigvalsh(product).flip(0)[: len(values)]
    apart = float((values - dense).abs().max() / dense[0])
    if apart > TOLERANCE:
        raise SystemExit(f"The eigenvalues of A ⊗ G disagree with those of the product that is formed by {apart:.1e}.")
    times = interleaved(
        {
            "Fisher, factor": lambda: fisher_gram(problem).spectrum(),
            "Fisher, dense": lambda: torch.linalg.eigvalsh(fisher_matrix(problem)),
            "A ⊗ G, factors": factors.spectrum,
            "A ⊗ G, dense": lambda: torch.linalg.eigvalsh(product),
        },
        clock=chosen.clock,
        seconds=2.0,
        least=1,
        most=3,
    )
    return {
        "fisher_parameters": problem.dimension,
        "fisher_disagreement": distance,
        "product_size": product.shape[0],
        "product_disagreement": apart,
        "seconds": {name: spread(found) for name, found in times.items()},
        "dense_over_factor": {
            "Fisher": paired(times, "Fisher, dense", "Fisher, factor"),
            "A ⊗ G": paired(times, "A ⊗ G, dense", "A ⊗ G, factors"),
        },
        "graded": graded(),
    }


def main() -> None:
    parser = torch_options(__doc__ or "", "layers")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=1, help="of the large model")
    chosen = parser.parse_args()
    if chosen.device != "cpu" or chosen.dtype != "float64":
        parser.error("Factors are kept in float64 on a processor.")
    prepare(chosen)
    warnings.filterwarnings("ignore", category=UserWarning)
    kept = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    content: Row = {key: kept[key] for key in ("rows", "depth", "width", "memory", "twins") if key in kept}
    quick = chosen.quick
    if "large" in chosen.parts:
        case = build(*((2, 16) if quick else LARGE), classes=CLASSES, seed=chosen.seed)
        content["rows"] = [measure_large(case, chosen)]
    if "depth" in chosen.parts:
        cases = [build(depth, AT_WIDTH, classes=CLASSES, seed=chosen.seed) for depth in DEPTHS[: 2 if quick else None]]
        rows = [measure(case, chosen) for case in cases]
        content["depth"] = {"rows": rows, "exponents": exponents(rows, "depth")}
    if "width" in chosen.parts:
        samples = TOKENS_SEEN // 16
        widths = WIDTHS[: 2 if quick else None]
        cases = [build(AT_DEPTH, width, classes=CLASSES, samples=samples, seed=chosen.seed) for width in widths]
        rows = [measure(case, chosen) for case in cases]
        content["width"] = {"rows": rows, "exponents": exponents(rows, "width")}
    if "memory" in chosen.parts:
        content["memory"] = peaks((2, 16) if quick else LARGE, chosen.threads)
    if "twins" in chosen.parts:
        content["twins"] = twins(chosen)
    save(chosen, content.pop("rows", []), **content)
    display(json.loads(chosen.out.read_text()))


def display(content: Row) -> None:
    """Everything in the terminal."""
    for row in content["rows"]:
        lines = [
            [name, f"{row['seconds'][name]['median']:.2f}", f"{cost['median']:.1f}"]
            for name, cost in row["steps"].items()
        ]
        show(f"{row['depth']} blocks, {row['parameters']:,} parameters", ("call", "seconds", "training steps"), lines)
    for against in ("depth", "width"):
        if against in content:
            lines = [
                [name, f"{found['fitted']:.2f}", f"{found['counted']:.2f}", str(found["limit"])]
                for name, found in content[against]["exponents"].items()
            ]
            show(f"Exponents against {against}", ("call", "fitted", "operation count", "limit"), lines)
    if "memory" in content:
        lines = [[name, f"{peak / 2**20:.0f}"] for name, peak in content["memory"]["peak_bytes"].items()]
        show("Peak memory above model and data, MiB", ("call", "MiB"), lines)
    if "twins" in content:
        lines = [[name, f"{cost['median']:.1f}"] for name, cost in content["twins"]["dense_over_factor"].items()]
        show("Time of the dense twin over that of the factor", ("quantity", "ratio"), lines)


if __name__ == "__main__":
    main()
