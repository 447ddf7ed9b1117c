"""Which gauges do the optimisers of torch respect? Prints the table of README.md; `--write` puts it there.

Minutes on one core. Shampoo is that of the package pytorch_optimizer; where it is not installed its row is left out,
and the table says so.
"""

import argparse
import importlib.metadata
import importlib.util
from pathlib import Path

import torch
from my_optimizer import AbelianAdam
from torch import nn

from ddtheory.optim import DDCAdam, DDCMuon
from ddtheory.testing import EquivarianceVerdict, check_equivariance

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
STEPS, REPRESENTATIVES, CLASSES = 10, 3, 3


class Transformer(nn.Module):
    """One block without biases, its last norm and a head."""

    def __init__(self):
        super().__init__()
        self.block = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=True, bias=False)
        self.norm, self.head = nn.LayerNorm(8, bias=False), nn.Linear(8, CLASSES, bias=False)

    def forward(self, x):
        return self.head(self.norm(self.block(x)))


def two_layers(between):
    return nn.Sequential(nn.Linear(3, 6, bias=False), between, nn.Linear(6, CLASSES))


ATTENTION = ("query–key scale", "query–key rotation", "value–output scale", "value–output rotation")
MODELS = (  # a model, the shape of its inputs, and the gauges that are read on it
    (lambda: two_layers(nn.ReLU()), (20, 3), ("rescaling", "permutation", "logit shift")),
    (lambda: two_layers(nn.Tanh()), (20, 3), ("sign flips",)),
    (lambda: two_layers(nn.Identity()), (20, 3), ("rotation",)),
    (Transformer, (4, 5, 8), ("normalisation scale", *ATTENTION)),
)
GAUGES = tuple(gauge for _, _, gauges in MODELS for gauge in gauges)


def muon(model):
    """Matrices by Muon; what is no matrix by descent, since Muon takes matrices only."""
    matrices = [value for value in model.parameters() if value.ndim == 2]
    others = [value for value in model.parameters() if value.ndim != 2]
    return [torch.optim.Muon(matrices, 0.02), *([torch.optim.SGD(others, 0.02)] if others else [])]


def shampoo(model):
    from pytorch_optimizer import Shampoo

    return Shampoo(model.parameters(), 0.05)


def of_torch(kind, lr, **settings):
    return lambda model, _: kind(model.parameters(), lr, **settings)


OPTIMIZERS = {
    "SGD": of_torch(torch.optim.SGD, 0.1),
    "SGD, momentum and decay": of_torch(torch.optim.SGD, 0.05, momentum=0.9, weight_decay=0.01),
    "Adam": of_torch(torch.optim.Adam, 0.01),
    "Adam, coupled decay": of_torch(torch.optim.Adam, 0.01, weight_decay=0.1),
    "AdamW": of_torch(torch.optim.AdamW, 0.01, weight_decay=0.1),
    "RMSprop": of_torch(torch.optim.RMSprop, 0.01),
    "Adagrad": of_torch(torch.optim.Adagrad, 0.05),
    "Muon": lambda model, _: muon(model),
    "Shampoo": lambda model, _: shampoo(model),
    "Adam, abelian projection": lambda model, inputs: AbelianAdam(model, inputs, 0.01),
    "DDCAdam": lambda model, inputs: DDCAdam(model, 0.01, weight_decay=0.1, inputs=inputs, softmax=True),
    "DDCMuon": lambda model, inputs: DDCMuon(model, 0.01, weight_decay=0.1, inputs=inputs, softmax=True),
}


def check(make, kind, shape, gauges):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = kind().double()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(0.4 * torch.randn_like(parameter) + 0.1)
        inputs = torch.randn(shape, dtype=torch.float64)
        labels = torch.randint(0, CLASSES, shape[:-1])
    settings = {"steps": STEPS, "representatives": REPRESENTATIVES}
    return check_equivariance(lambda copy: make(copy, inputs), model, (inputs, labels), gauges, **settings)


def cell(results):
    """Exact, or the largest gap of all places of the gauge after the last step."""
    if all(each.verdict is EquivarianceVerdict.EXACT for each in results):
        return "exact"
    if any(each.verdict is EquivarianceVerdict.UNDECIDED for each in results):
        return "?"
    mark = "*" if any(each.terms for each in results) else ""
    return f"{max(each.gap.upper for each in results):.0e}{mark}"


def table():
    left = [] if importlib.util.find_spec("pytorch_optimizer") else ["Shampoo"]
    lines = ["| optimiser | " + " | ".join(GAUGES) + " |", "|---" * (len(GAUGES) + 1) + "|"]
    causes = []
    for name, make in OPTIMIZERS.items():
        if name in left:
            continue
        reports = [(check(make, *model), model[2]) for model in MODELS]
        results = {gauge: report[gauge] for report, gauges in reports for gauge in gauges}
        lines.append(f"| {name} | " + " | ".join(cell(results[gauge]) for gauge in GAUGES) + " |")
        found = {(gauge, ", ".join(each.terms)) for gauge in GAUGES for each in results[gauge] if each.terms}
        causes += [f"- {name}, {gauge}: {terms}." for gauge, terms in sorted(found)]
    packages = ["torch", *(["pytorch_optimizer"] if not left else [])]
    versions = ", ".join(f"{package} {importlib.metadata.version(package).split('+')[0]}" for package in packages)
    closing = [f"{STEPS} steps, {REPRESENTATIVES} representatives of size 8, {versions}."]
    closing += [f"Left out, not installed: {', '.join(left)}."] if left else []
    starred = ["\\* A term does it; without it the step is exact:", *causes, ""] if causes else []
    return "\n".join([*lines, "", *starred, *closing])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="into README.md")
    found = table()
    if parser.parse_args().write:
        before, rest = README.read_text(encoding="utf-8").split(BEGIN)
        after = rest.split(END)[1]
        README.write_text(f"{before}{BEGIN}\n{found}\n{END}{after}", encoding="utf-8")
    print(found)


if __name__ == "__main__":
    main()
