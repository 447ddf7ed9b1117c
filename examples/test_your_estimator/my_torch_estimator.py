"""The same question to a sampler that trains a torch module: Langevin steps on `task.module()`."""

import torch

from ddtheory.testing import EstimationTask, LossSamples


def my_torch_estimator(task: EstimationTask, step: float = 2e-4) -> LossSamples:
    random = torch.Generator().manual_seed(task.seed)
    module, (inputs, targets) = task.module(), task.data()  # at the truth; each forward call is one pass
    truth = module.w.detach().clone()
    trace = []
    for _ in range(task.budget):
        loss = (module(inputs) - targets).square().sum(dim=1).mean()
        (slope,) = torch.autograd.grad(loss, [module.w])
        with torch.no_grad():
            force = task.n_beta * slope + task.localisation * (module.w - truth)
            noise = torch.randn(truth.shape, generator=random, dtype=truth.dtype)
            module.w += -step / 2 * force + step**0.5 * noise
        trace.append(loss.item())
    return LossSamples(trace[len(trace) // 10 :])
