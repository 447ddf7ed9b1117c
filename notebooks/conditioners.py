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
print("the functions differ by", float((student(inputs) - twin(inputs)).abs().max()))
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
