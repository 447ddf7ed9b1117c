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
# # What the signatures read
#
# Dead-Direction Signatures (arXiv 2606.21158) proposes to watch two numbers of a layer while a network trains: the
# smallest singular value $\sigma_{\min}$ of its activations, and the smallest positive eigenvalue $\lambda^+$ of the
# Gram of its gradients. Both fall by orders of magnitude where units die. This notebook lets them fall, and then asks
# what made them: the singular structure, a clock, the residual of the sample, or the arithmetic.

# %%
# %matplotlib inline
import math

import numpy as np
import torch
from IPython.display import display
from matplotlib.figure import Figure
from torch import nn

from ddtheory import measure, plots, testbeds, verify
from ddtheory.cells import reduced_rank

# %% [markdown]
# ## A student whose units die
#
# Two teachers, six students, squared ReLU, weight decay. Four students are not needed. The layer `"0"` makes the units,
# the layer `"2"` reads them.

# %%
bed = testbeds.teacher_student()
record = measure.SignatureRecorder(bed.problem(), ["0", "2"], every=400, labels=bed.labels())
bed.train(watch=record)
record.event("four units dead", bed.transition_step)
run = record.trajectory
display(plots.trajectory(run))

# %% [markdown]
# The loss is done long before the readings are. $\lambda^+$ dips by two orders at step 2000 and comes back: there the
# gradient of a unit passes through zero, and nothing happens to the model. Then both fall on straight lines, whose
# slopes come from the settings of the optimiser and from no property of the model: a unit of degree $p = 2$ without a
# gradient falls like $q^{pt}$ with $q = 1 - \eta w/(1 - \mu)$, and its entry of the Gram like $q^{2pt}$.
# $\sigma_{\min}$ keeps to the clock; $\lambda^+$ is on its way, as the direction of the unit still turns.

# %%
rate, decay, momentum, degree = bed.settings["rate"], bed.settings["decay"], 0.9, 2
clock = -rate * decay / (1 - momentum) * degree
for name, column, times in (("σ_min", "2.sigma_min", 1), ("λ⁺", "0.lambda_plus", 2)):
    slopes = np.diff(np.log(run[column])) / np.diff(run.steps)
    print(f"{name}: {slopes[-4]:.2e}, then {slopes[-1]:.2e} a step; the clock says {times * clock:.2e}")

# %% [markdown]
# ## Fourteen cells, in the sample and on fresh data
#
# Reduced-rank regression with 10 inputs and 5 outputs, all hidden widths and ranks, at the maximum of the likelihood.
# The paper orders the cells by $\log\det^+$ of the Gram at the output, and finds a rank correlation near $-1$ with the
# learning coefficient $\lambda$. The noise is the same in all cells here.

# %%
INPUTS, OUTPUTS, SAMPLES, NOISE = 10, 5, 1000, 0.1
basis = torch.linalg.qr(torch.randn(SAMPLES, 2 * INPUTS + 2 * OUTPUTS, generator=torch.Generator().manual_seed(1),
                                    dtype=torch.float64)).Q * math.sqrt(SAMPLES)  # fmt: skip
seen, fresh = basis[:, :INPUTS], basis[:, INPUTS : 2 * INPUTS]
noises = NOISE * basis[:, 2 * INPUTS : 2 * INPUTS + OUTPUTS], NOISE * basis[:, 2 * INPUTS + OUTPUTS :]
fitted_noise = NOISE * torch.randn(OUTPUTS, INPUTS, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
fitted_noise /= math.sqrt(SAMPLES)


def cell(hidden, rank):
    truth = torch.zeros(OUTPUTS, INPUTS, dtype=torch.float64)
    truth[range(rank), range(rank)] = 1.0
    left, values, right = torch.linalg.svd(truth + fitted_noise, full_matrices=False)
    root = values[:hidden].sqrt()
    first, second = (nn.Linear(*shape, bias=False).double() for shape in ((INPUTS, hidden), (hidden, OUTPUTS)))
    with torch.no_grad():
        first.weight.copy_(root[:, None] * right[:hidden])
        second.weight.copy_(left[:, :hidden] * root)
    network = nn.Sequential(first, second)
    found = []
    for inputs, map_, noise in ((seen, truth + fitted_noise, noises[0]), (fresh, truth, noises[1])):
        targets = inputs @ map_.mT + noise
        problem = measure.Problem.from_module(network, inputs, measure.Gaussian())
        labels = measure.NoisyTargets(lambda _, y=targets: y, 0.0)
        found.append(measure.signatures(problem, ["1"], labels=labels)["1"].log_det_plus)
    return float(reduced_rank(inputs=INPUTS, hidden=hidden, outputs=OUTPUTS, rank=rank).rlct.lam), *found


shapes = [(hidden, rank) for hidden in range(2, 6) for rank in range(1, hidden + 1)]
cells = [cell(*shape) for shape in shapes]

# %%
whole = 2 * OUTPUTS * math.log(NOISE)
figure = Figure(figsize=(7, 3), layout="constrained")
for axes, column, title in zip(figure.subplots(1, 2), (1, 2), ("in the sample", "on fresh data"), strict=True):
    axes.scatter([found[0] for found in cells], [found[column] - whole for found in cells], s=14)
    axes.set(title=title, xlabel="λ", ylabel="log det⁺, less that of the noise")
display(figure)

# %% [markdown]
# The two pictures are mirror images, up to a constant. What orders the cells is $\kappa$, how much noise the fit keeps:
# it is taken off in the sample and added outside of it, some hundredths in a reading of $-23$. A monitor that reads the
# data it trains on reads its own residual, and no singularity.

# %%
print(
    measure.compare_ranks(
        [found[1] for found in cells],
        [found[0] for found in cells],
        fresh=[found[2] for found in cells],
        proxies={"H·r": [hidden * rank for hidden, rank in shapes]},
    )
)

# %% [markdown]
# ## Ranks cannot tell, slopes can
#
# Along a run everything that is monotone has rank correlation one with everything else that is. The null of random
# directions needs the slope of the logarithms: 2 along the unit that dies, 0 along any other.

# %%
dying, others = [], []
sizes = 2.0 ** -np.arange(1, 9)
directions = torch.randn(20, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
for size in sizes:
    network = nn.Sequential(nn.Linear(3, 3, bias=False), nn.ReLU(), nn.Linear(3, 3, bias=False)).double()
    with torch.no_grad():
        network[0].weight.copy_(torch.eye(3) + 0.5)
        network[2].weight.copy_(torch.eye(3))
        network[0].weight[2] *= size
        network[2].weight[:, 2] *= size
    inputs = torch.linspace(0.2, 2, 30, dtype=torch.float64).reshape(10, 3) ** torch.arange(1, 4)
    found = measure.signatures(measure.Problem.from_module(network, inputs, measure.Gaussian()), ["0", "2"])
    dying.append((found["2"].sigma_min, found["0"].gradient.along(torch.eye(3, dtype=torch.float64)[2])))
    others.append([found["0"].gradient.along(direction) for direction in directions])

figure = Figure(figsize=(5, 3.2), layout="constrained")
axes = figure.subplots()
x = [sigma for sigma, _ in dying]
axes.loglog(x, others, color="0.75", linewidth=1)
axes.loglog(x, [reading for _, reading in dying], color="C3", marker="o", markersize=3)
axes.set(xlabel="σ_min", ylabel="uᵀGu", title="the unit that dies, and twenty random directions")
display(figure)

# %% [markdown]
# ## What a slope counts
#
# Published are slopes of $\log\det^+$ of 6.9, 13.8, 21.0 and 27.8 for one to four dead axes, read as a count. With axes
# that share one $t$ any window gives one number times $r$. Under SGD every axis is a random walk of its own. Left:
# the published slopes over that of one axis; right: what two axes count in single runs, against $\lambda^+$.

# %%
draw = torch.Generator().manual_seed(0)
axes_of_runs = [nn.Parameter(torch.full((2000, 2), 0.01, dtype=torch.float64)) for _ in range(2)]
optimiser = torch.optim.SGD(axes_of_runs, lr=0.05, weight_decay=0.02)
for _ in range(400):
    x, noise = (2.0 * torch.randint(2, (2000, 2), generator=draw) - 1 for _ in range(2))
    optimiser.zero_grad()
    ((axes_of_runs[0] * axes_of_runs[1] * x - noise).square().sum() / 2).backward()
    optimiser.step()
fallen = 2 * (axes_of_runs[1].detach() / 0.01).log()
counts = (fallen.sum(1) / fallen.amin(1)).numpy()

figure = Figure(figsize=(7, 3), layout="constrained")
published, ours = figure.subplots(1, 2)
published.plot([1, 2, 3, 4], np.array([6.9, 13.8, 21.0, 27.8]) / 6.9, "o", [1, 4], [1, 4], "0.7")
published.set(title="published", xlabel="dead axes", ylabel="slope over that of one")
ours.hist(counts[np.abs(counts) < 4], bins=40, color="C3")
ours.axvline(2, color="0.4")
ours.set(title="two axes under SGD, 2000 runs", xlabel="log det⁺ over λ⁺")
display(figure)

# %% [markdown]
# ## Widths, or how long
#
# Published is a $\lambda^+$ that falls over eighteen powers of ten from the narrowest to the widest network. Here are
# two widths on modular addition, with the decay of the optimiser. The narrow one needs all its units. The wide one has
# idle ones, and its curve is a clock: at step 300 the widths are two powers of ten apart, at step 1800 a dozen.

# %%
figure = Figure(figsize=(5, 3.2), layout="constrained")
axes = figure.subplots()
for hidden in (32, 64):
    bed = testbeds.modular_addition(modulus=11, hidden=hidden, steps=1800)
    start = measure.Problem.from_module(bed.module(), bed.inputs, bed.head)
    record = measure.SignatureRecorder(start, ["0"], every=150, labels=bed.labels())
    bed.train(watch=record)
    axes.semilogy(record.trajectory.steps, record.trajectory["0.lambda_plus"], label=f"{hidden} units")
axes.semilogy([600, 1800], [1e-9, 1e-9 * (1 - 5e-3) ** (4 * 1200)], "0.5", linestyle=":", label="the clock")
axes.set(xlabel="step", ylabel="λ⁺")
axes.legend(frameon=False)
display(figure)

# %% [markdown]
# ## Before the transition, and without one
#
# In sparse parity $\sigma_{\min}$ falls long before the accuracy rises. It falls as early where labels are coin flips
# and nothing can be learnt, so it foretells nothing: the first steps at this rate are too large, and at half of it
# nothing falls. The claim `sig:parity_events` has ten seeds of this and a test of the order, `measure.event_order`.

# %%
figure = Figure(figsize=(7, 3), layout="constrained")
panels = dict(zip(("the parity", "coin flips"), figure.subplots(1, 2, sharey=True), strict=True))
bed = testbeds.sparse_parity(101)
for name, axes in panels.items():
    network, draw = bed.module(), torch.Generator().manual_seed(5)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05)
    seen = []
    for step in range(501):
        if step % 20 == 0:
            problem = measure.Problem.from_module(network, bed.inputs[:400], measure.Gaussian())
            sigma = math.sqrt(measure.activation_gram(problem, "2").spectrum().smallest_positive)
            with torch.no_grad():
                right = (network(bed.held_out[0]).sign() == bed.held_out[1]).double().mean()
            seen.append((step, sigma, float(right)))
        x = 2.0 * torch.randint(2, (32, 30), generator=draw).double() - 1
        flips = 2.0 * torch.randint(2, (32, 1), generator=draw).double() - 1
        optimiser.zero_grad()
        (network(x) - (x[:, :3].prod(1, keepdim=True) if name == "the parity" else flips)).square().mean().backward()
        optimiser.step()
    steps, sigmas, accuracies = zip(*seen, strict=True)
    axes.semilogy(steps, sigmas, label="σ_min")
    axes.semilogy(steps, accuracies, label="accuracy")
    axes.set(title=name, xlabel="step")
panels["the parity"].legend(frameon=False)
display(figure)

# %% [markdown]
# ## What the arithmetic hides
#
# Two units at distance $s$ have $\sigma_{\min} \approx s/\sqrt 2$. Singular values of the activations show it to
# $s \approx u$, the unit roundoff; a Gram that was formed in numbers to $s \approx \sqrt u$; a Tikhonov term $\epsilon$
# flattens the reading at $\lambda = \epsilon$.

# %%
turn = torch.tensor([[math.cos(0.3), -math.sin(0.3)], [math.sin(0.3), math.cos(0.3)]], dtype=torch.float64)
distances = 2.0 ** -np.arange(2.0, 50.0)
readings = {"singular values, float64": [], "Gram, float64": [], "Gram, float32": [], "Gram + 10⁻⁶, float64": []}
for s in distances:
    rows = turn @ torch.tensor([[1.0, 1.0], [0.0, s]], dtype=torch.float64)
    single = rows.float()
    smallest = [float(torch.linalg.eigvalsh(gram)[0]) for gram in (rows.mT @ rows, single.mT @ single)]
    readings["singular values, float64"].append(float(torch.linalg.svdvals(rows)[-1]))
    readings["Gram, float64"].append(math.sqrt(max(smallest[0], 0)))
    readings["Gram, float32"].append(math.sqrt(max(smallest[1], 0)))
    readings["Gram + 10⁻⁶, float64"].append(math.sqrt(max(smallest[0], 0) + 1e-6))

figure = Figure(figsize=(6, 3.2), layout="constrained")
axes = figure.subplots()
for name, values in readings.items():
    axes.loglog(distances, [value or math.nan for value in values], label=name, linewidth=1)
axes.set(xlabel="s", ylabel="reading of σ_min")
axes.legend(frameon=False, fontsize=8)
display(figure)

# %% [markdown]
# ## The verdicts
#
# Each of these readings is a claim of the book, derived, measured and attacked: three hold as they stand, the others
# more narrowly than their titles. Here is what is on record; `ddtheory verify signatures` runs them.

# %%
for entry in verify.select(["signatures"]):
    print(f"{entry.claim.expected.value:10} {entry.claim.id:22} {entry.claim.title}")
