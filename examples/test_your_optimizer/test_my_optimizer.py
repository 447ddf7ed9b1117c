import torch
from my_optimizer import my_optimizer

from ddtheory.testing import check_equivariance


def test_my_optimizer_keeps_the_order_of_channels_and_no_more():
    model = torch.nn.Sequential(torch.nn.Linear(3, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3)).double()
    inputs, labels = torch.randn(20, 3, dtype=torch.float64), torch.arange(20) % 3
    report = check_equivariance(lambda copy: my_optimizer(copy, inputs), model, (inputs, labels))
    report.assert_exact("permutation")
    assert report.verdicts["rescaling"] == report.verdicts["logit shift"] == "broken"
