# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Does your optimiser see the representative?
#
# A ReLU channel may be scaled by $c$ at its entry and by $1/c$ at its exit: another set of weights, the same function.
# Two trainings from two such sets should do the same, if the optimiser is to know the function alone. Here are two
# starts on one orbit, two optimisers, four curves.

# %%
# %matplotlib inline
import copy

import torch
from IPython.display import display
from matplotlib.figure import Figure
from torch import nn

from ddtheory.gauges import Motion, find_gauges, moved
from ddtheory.optim import DDCAdam, largest_surviving_decay
from ddtheory.testbeds import sparse_parity
from ddtheory.testing import check_equivariance

torch.manual_seed(0)
teacher = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).double()
student = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 2)).double()
inputs = torch.randn(256, 4, dtype=torch.float64)
targets = teacher(inputs).detach()

found = find_gauges(student, inputs)
for gauge in found.gauges:
    print(gauge)

# %% [markdown]
# ## Two starts on one orbit
#
# Each channel is scaled by its own $c$ between $1/8$ and $8$. The functions agree to rounding.

# %%
rescaling = found.gauges[0]
there = moved(rescaling, {name: value.detach() for name, value in student.named_parameters()}, Motion(seed=1))
twin = copy.deepcopy(student)
twin.load_state_dict(there)
print("the functions differ by", float((student(inputs) - twin(inputs)).detach().abs().max()))
print("a row of weights:", student[0].weight[0].tolist(), "and", twin[0].weight[0].tolist())

# %% [markdown]
# ## Two optimisers, four curves

# %%
STEPS = 300


def train(start, make):
    model = copy.deepcopy(start)
    optimizer = make(model)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = (model(inputs) - targets).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


makers = {
    "AdamW": lambda model: torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0.01),
    "DDCAdam": lambda model: DDCAdam(model, 0.01, weight_decay=0.01, inputs=inputs),
}
curves = {(name, where): train(start, make) for name, make in makers.items()
          for where, start in (("start", student), ("its twin", twin))}  # fmt: skip

figure = Figure(figsize=(6, 3.4), layout="constrained")
axes = figure.subplots()
colours = {"AdamW": "#b3541e", "DDCAdam": "#1f6f8b"}
for (name, where), losses in curves.items():
    dashed = where == "its twin"
    axes.plot(losses, color=colours[name], linestyle="--" if dashed else "-", linewidth=3 if dashed else 1.2,
              alpha=0.5 if dashed else 1, label=f"{name}, {where}")  # fmt: skip
axes.set(xscale="log", yscale="log", xlabel="step", ylabel="loss", title="Two starts of one function")
axes.legend(frameon=False)
display(figure)

apart = {name: max(abs(a - b) / a for a, b in zip(curves[name, "start"], curves[name, "its twin"], strict=True))
         for name in makers}  # fmt: skip
print(apart)
assert apart["DDCAdam"] < 1e-6 < 0.1 < apart["AdamW"]

# %% [markdown]
# ## A bed that can be learnt by heart
#
# The bed `sparse_parity` asks for the product of three signs out of thirty. Here the same 2000 samples are seen at
# every step, so a network may fit them and know nothing: the training loss falls either way, the held-out loss tells.
# The same four curves, at one rate.

# %%
bed = sparse_parity()
(x, y), (fresh, fresh_y) = (bed.inputs, bed.targets), bed.held_out
parity = bed.module()
channels = find_gauges(parity, x[:64]).gauges[0]
print(channels)
parity_twin = copy.deepcopy(parity)
parity_twin.load_state_dict(moved(channels, {n: v.detach() for n, v in parity.named_parameters()}, Motion(seed=1)))


def loss_of(model, inputs, labels):
    return nn.functional.softplus(-model(inputs) * labels).mean()


def memorise(start, make, steps=300, look=10):
    model = copy.deepcopy(start)
    optimizer = make(model)
    losses = []
    for step in range(steps + 1):
        optimizer.zero_grad()
        loss = loss_of(model, x, y)
        loss.backward()
        if step % look == 0:
            with torch.no_grad():
                losses.append((step, float(loss.detach()), float(loss_of(model, fresh, fresh_y))))
        optimizer.step()
    return losses


over = {
    "AdamW": lambda model: torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0.01),
    "DDCAdam": lambda model: DDCAdam(model, 0.01, weight_decay=0.01, gauges=[channels]),
}
histories = {(name, where): memorise(start, make) for name, make in over.items()
             for where, start in (("start", parity), ("its twin", parity_twin))}  # fmt: skip

figure = Figure(figsize=(8, 3.4), layout="constrained")
for axes, column, title in zip(figure.subplots(1, 2, sharey=True), (1, 2), ("training", "held out"), strict=True):
    for (name, where), history in histories.items():
        dashed = where == "its twin"
        axes.plot([row[0] for row in history], [row[column] for row in history], color=colours[name],
                  linestyle="--" if dashed else "-", linewidth=3 if dashed else 1.2, alpha=0.5 if dashed else 1,
                  label=f"{name}, {where}")  # fmt: skip
    axes.set(yscale="log", xlabel="step", title=title)
figure.axes[0].set_ylabel("loss")
figure.axes[0].legend(frameon=False)
display(figure)

ends = {key: history[-1][1:] for key, history in histories.items()}
for key, (training, held_out) in ends.items():
    print(*key, f"training {training:.4f}, held out {held_out:.4f}")
assert abs(ends["DDCAdam", "start"][1] / ends["DDCAdam", "its twin"][1] - 1) < 1e-3
assert abs(ends["AdamW", "start"][1] / ends["AdamW", "its twin"][1] - 1) > 0.1

# %% [markdown]
# DDCAdam finds the parity here, by one curve for both starts. AdamW learns the samples by heart, and how badly that
# ends depends on the start. That is this bed. On two others DDCAdam is behind at first and ahead later, and then its
# held-out loss is the *higher* one: the claim `cond:over_training` has ten seeds of each, and why a unit grows like
# $e^{\sqrt2\eta t}$ under the one and like $(1+\eta t)^2$ under the other. No optimiser over-trains less by its
# symmetry alone.

# %% [markdown]
# ## Which symmetries, and why not
#
# `check_equivariance` does this for every gauge of a model: several representatives, rounding told from a break by what
# one rounding of each parameter comes to in the same training, and a control that must break. Where a gauge breaks, the
# terms of the optimiser are taken out, to see whether one of them does it.

# %%
reports = {name: check_equivariance(make, student, (inputs, targets), name=name) for name, make in makers.items()}
for report in reports.values():
    print(report.explain(), end="\n\n")
assert reports["DDCAdam"].passed and reports["AdamW"].verdicts["rescaling"] == "broken"

# %% [markdown]
# Clipping by the norm of the gradient breaks it, for that norm is no invariant; `max_norm=` of DDCAdam clips by
# invariants. Which of the two is at work is found, not guessed. Clipping needs an $\epsilon$ that makes the size of
# what enters count: Adam forgets a factor.

# %%
coarse = lambda model: DDCAdam(model, 0.01, eps=0.1, inputs=inputs)  # noqa: E731
report = check_equivariance(coarse, student, (inputs, targets), "rescaling", max_norm=0.01, name="clipped gradients")
print(report.explain())
assert report["rescaling"][0].terms == ("clipping",)

within = lambda model: DDCAdam(model, 0.01, eps=0.1, max_norm=0.01, inputs=inputs)  # noqa: E731
assert check_equivariance(within, student, (inputs, targets), "rescaling").passed

# %% [markdown]
# ## What it costs: units die of decay
#
# A step is relative to the norm of a block, so a block grows by at most $\eta/\sqrt2$ a step, and decay takes $\eta w$.
# At $w \ge 1/\sqrt2$ every unit dies, whatever the loss says (the claim `cond:unit_death`).

# %%
print("the decay that is survived:", largest_surviving_decay(0.05))


def sizes(decay, steps=200):
    import warnings

    model = copy.deepcopy(student)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns, as it should
        optimizer = DDCAdam(model, 0.05, weight_decay=decay, gauges=[rescaling])
    found = []
    for _ in range(steps):
        optimizer.zero_grad()
        (model(inputs) - targets).square().mean().backward()
        optimizer.step()
        with torch.no_grad():
            found.append((model[0].weight.norm(dim=1) * model[2].weight.norm(dim=0)).tolist())
    return found


figure = Figure(figsize=(6, 3.4), layout="constrained")
for axes, decay in zip(figure.subplots(1, 2, sharey=True), (0.1, 1.5), strict=True):
    history = sizes(decay)
    axes.plot(history, color="#2b2f33", linewidth=0.8)
    axes.set(yscale="log", xlabel="step", title=f"decay {decay:g}")
    dead = sum(last < 1e-2 * first for first, last in zip(history[0], history[-1], strict=True))
    print(f"decay {decay:g}: {dead} of {len(history[0])} units below a hundredth of their size")
    assert dead == (0 if decay == 0.1 else 12)
figure.axes[0].set_ylabel("norm in times norm out of each unit")
display(figure)

# %% [markdown]
# ## What is not reproduced here
#
# - Over-training as far apart as the paper's direction suggests: an early prototype read held-out losses of 1.9 against
#   15 to 18 on a bed that was not kept, and neither bed of `cond:over_training` comes near.
# - Language models, and anything trained with more than some thousand parameters. At ten million only the cost of a
#   step is measured (`benchmarks/optimizers.py`), on a processor and not on a GPU.
# - The paper's orthogonaliser and its metric for rotations, which are not public: `DDCMuon` has ours.
# - That DDCAdam learns where AdamW fails (quadratic modular addition, in the same prototype): no claim of the book.
# - Which optimiser generalises better. The book has the law of one step, what it does to small units and to starts on
#   one orbit (`cond:dead_units`), and two beds that disagree with a third.
