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
# # Is your learning-coefficient estimate right?
#
# A sampler of the local learning coefficient returns a number, say $0.38 \pm 0.01$ on $K = (xy)^2$, where the textbook
# says $\lambda = \tfrac12$. Is the sampler wrong? It is not: at $n\beta = 579$ it estimates
# $\lambda(n\beta) = n\beta\,E[K]$, which is $0.3799$ there. Here are the four things that an estimate can be, on small
# models whose exact answer is known.

# %%
# %matplotlib inline
from functools import partial

import numpy
from IPython.display import display
from matplotlib.figure import Figure

from ddtheory.testing import Estimate, LossSamples, check_estimator, conformance_cells
from ddtheory.testing.conformance import metropolis, quadrature

cells = {cell.name: cell for cell in conformance_cells()}
print(f"{len(cells)} cells:", *cells, sep="\n  ")

# %% [markdown]
# ## 1. What is estimated is not λ
#
# With multiplicity $m > 1$ the value at finite $n$ lies below $\lambda$ by about $(m-1)/\log n\beta$, at every $n$ that
# anybody samples at.

# %%
figure = Figure(figsize=(6, 3.2), layout="constrained")
axes = figure.subplots()
exponents = numpy.arange(2, 13)
for name in ("x²", "(xy)²", "(xyz)²"):
    values = [float(cells[name].target(10 ** int(power))) for power in exponents]
    axes.plot(10.0**exponents, values, "o-", markersize=3, label=f"{name}, m = {cells[name].rlct.m}")
axes.axhline(0.5, color="#2b2f33", linewidth=1)
axes.set(xscale="log", xlabel="nβ", ylabel="λ(nβ), exact", title="λ = 1/2 in all three")
axes.legend(frameon=False)
display(figure)

# %% [markdown]
# So an estimator is judged against the exact value at its own $(n, \beta)$.
#
# ## 2. An estimator that is right
#
# Metropolis steps from the truth, knowing nothing but $K$ at points. An estimator is any callable that takes a task and
# returns an estimate with its error, or the loss along its chains. It agrees where its interval holds the exact value
# *and* excludes every rival: $\lambda$, the values a quarter below and above, and what a typical mistake would give.

# %%
report = check_estimator(metropolis, budget=200_000)
print(report.explain())
assert report.passed
report.picture()

# %% [markdown]
# The line at 1 is the exact value; crosses are rivals.
#
# ## 3. Three that are not
#
# One is a tenth too large, one is right but cannot say so, one crashes on some cells. A wide interval is no pass.

# %%
some = [cells[name] for name in ("x²", "x⁴", "x² + y⁴", "(xy)²", "(xy)⁴", "(xyz)²")]


def biased(task):
    found = quadrature(task)
    return Estimate(1.1 * found.value, 0.01 * found.value)


def noisy(task):
    found = quadrature(task)
    return Estimate(found.value, 0.4 * found.value)


def fragile(task):
    if task.dimension > 1:
        raise RuntimeError("the chain left the chart")
    return quadrature(task)


for estimator in (biased, noisy, fragile):
    found = check_estimator(estimator, some, budget=10**6)
    print(found.explain(), end="\n\n")
    assert not found.passed

# %% [markdown]
# ## 4. The bias of a step size, exactly as predicted
#
# Langevin steps $w \leftarrow w - \tfrac{\varepsilon}{2} (n\beta \nabla K + \gamma w) + \sqrt{\varepsilon}\,\xi$
# without a correction are the core of SGLD. On a line with $K = x^2$ their stationary law is known: with
# $a = 2 n\beta + \gamma$ the variance is $\frac{1}{a}\,\frac{1}{1 - \varepsilon a/4}$, so the estimate is too large by
# the factor $\frac{1}{1 - \varepsilon a/4}$. The kit finds the bias wherever the error bars allow it to be seen.


# %%
def langevin(task, step, chains=200):
    random = numpy.random.default_rng(task.seed)
    points = numpy.tile(task.truth, (chains, 1))
    trace = numpy.empty((chains, task.budget // chains))
    for draw in range(trace.shape[1]):
        trace[:, draw], slope = task.loss_and_gradient(points)
        force = task.n_beta * slope + task.localisation * (points - task.truth)
        points = points - step / 2 * force + numpy.sqrt(step) * random.standard_normal(points.shape)
    return LossSamples(trace[:, trace.shape[1] // 4 :])


line = [cells["x², γ = 1"]]
steps = [1e-3, 5e-4, 2e-4, 1e-4, 5e-5]
curvature = 2 * 579 + 1
predicted = [float(line[0].target(579)) / (1 - step * curvature / 4) for step in steps]
results = [
    check_estimator(partial(langevin, step=step), line, 400_000, name=f"ε = {step:g}").results[0] for step in steps
]
for step, result, value in zip(steps, results, predicted, strict=True):
    found = result.estimate
    print(
        f"ε = {step:g}: {found.value:.4f} ± {found.standard_error:.4f}, predicted {value:.4f}, {result.verdict.value}"
    )
    assert abs(found.value - value) < 4 * found.standard_error

# %%
figure = Figure(figsize=(6, 3.2), layout="constrained")
axes = figure.subplots()
fine = numpy.geomspace(4e-5, 1.2e-3)
axes.plot(fine, float(line[0].target(579)) / (1 - fine * curvature / 4), color="#7d858c", label="predicted bias")
values = [result.estimate.value for result in results]
errors = [3.3 * result.estimate.standard_error for result in results]
axes.errorbar(steps, values, errors, fmt="o", markersize=4, color="#2e6f9e", label="Langevin, ± 3.3 standard errors")
axes.axhline(float(line[0].target(579)), color="#2b2f33", linewidth=1, label="exact")
axes.set(xscale="log", xlabel="step size ε", ylabel="estimate")
axes.legend(frameon=False)
display(figure)

# %% [markdown]
# ## 5. A trap: the deeper point next door
#
# $K = x^2(1-x)^4$ is regular at 0, with a deeper zero at 1 that lies outside of the box. A chain that leaves the box
# answers for the other point.


# %%
def without_a_box(task, chains=100):
    random = numpy.random.default_rng(task.seed)
    points = numpy.tile(task.truth, (chains, 1))
    losses = task.loss(points)
    trace = numpy.empty((chains, task.budget // chains - 1))
    for draw in range(trace.shape[1]):
        proposals = points + random.choice([0.02, 0.2, 1.0]) * random.standard_normal(points.shape)
        proposed = task.loss(proposals)
        accept = (numpy.log(random.random(chains)) < task.n_beta * (losses - proposed)) & (abs(proposals[:, 0]) < 3)
        points[accept], losses[accept] = proposals[accept], proposed[accept]
        trace[:, draw] = losses
    return LossSamples(trace[:, trace.shape[1] // 4 :])


found = check_estimator(without_a_box, [cells["x²(1−x)⁴ near 0"]], 200_000)
print(found.explain())
assert found.results[0].verdict == "biased"

# %% [markdown]
# The same in ten lines of a test suite is in `examples/test_your_estimator`. `keep="runs.jsonl"` makes a long sweep
# resumable: the file knows which estimator it is of, its code and settings included, and refuses another.
# `executor=` takes any `concurrent.futures.Executor`, such as that of a Dask cluster. Every task runs in a process of
# its own, the functions of this notebook too, so that `time_limit` holds against whatever an estimator does.
