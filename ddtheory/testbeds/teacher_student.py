"""A wide student of a narrow teacher, squared ReLU: the units that are not needed die by weight decay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import torch
from torch import Tensor, nn

from ddtheory import cells
from ddtheory.arguments import as_integer
from ddtheory.testbeds.bed import Bed, Transition, call_of, descend, generator, linear, mean_square, size_of
from ddtheory.testbeds.limit import Limit, joint_order

_DEAD, _ALIVE = 1e-3, 0.5  # sizes |a| ‖w‖² of a unit; the teachers have 1


class SquaredReLU(nn.Module):
    """φ(z) = max(z, 0)²."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.relu(z).square()


def teacher_student(
    seed: int = 0, *, inputs: int = 8, teachers: int = 2, students: int = 6, samples: int = 1024, steps: int = 6000
) -> Bed:
    """y = Σ a_i relu(w_i·x)², trained on a teacher of orthonormal units without noise; the other students die.

    Full-batch gradient descent with momentum 0.9, rate 0.02 and weight decay 3e-3, from normal weights of deviation
    0.3. Near its death a unit feels the decay alone, so a‖w‖² falls like e^{−3ηwt} with η = 0.02/(1 − 0.9). The layers
    are "0" (w), "1" (squared ReLU) and "2" (a).

    Raises:
        InvalidValueError: sizes below 1, more teachers than inputs, or fewer students than teachers.

    >>> bed = teacher_student()
    >>> bed.truth.live, bed.truth.dead, bed.truth.order, bed.truth.bracket
    (2, 4, 3, (Fraction(8, 1), Fraction(10, 1)))
    """
    teachers = size_of(teachers, "teachers", least=1)
    inputs, students = (
        size_of(inputs, "inputs", least=teachers),
        size_of(students, "students", least=teachers),
    )
    samples, steps = size_of(samples, "samples", least=2), size_of(steps, "steps", least=1)
    draw = generator(seed)
    x, fresh = (torch.randn(samples, inputs, generator=draw, dtype=torch.float64) for _ in range(2))
    teacher = torch.linalg.qr(torch.randn(inputs, teachers, generator=draw, dtype=torch.float64)).Q
    y, fresh_y = (torch.relu(data @ teacher).square().sum(1, keepdim=True) for data in (x, fresh))
    start = 0.3 * torch.randn(students, inputs + 1, generator=draw, dtype=torch.float64)

    def module() -> nn.Module:
        return nn.Sequential(linear(start[:, :-1]), SquaredReLU(), linear(start[:, -1:].mT))

    def run() -> Iterator[tuple[int, nn.Module]]:
        network = module()
        optimiser = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9, weight_decay=3e-3)
        return descend(network, optimiser, lambda net: mean_square(net(x), y) / 2, steps)

    def measured(network: nn.Module) -> Mapping[str, float]:
        with torch.no_grad():
            first, last = (network.get_parameter(f"{layer}.weight") for layer in (0, 2))
            sizes = first.square().sum(1) * last[0].abs()
            return {
                "loss": float(mean_square(network(x), y)) / 2,
                "held-out loss": float(mean_square(network(fresh), fresh_y)) / 2,
                "dead units": float((sizes < _DEAD).sum()),
                "live units": float((sizes > _ALIVE).sum()),
            }

    def reached(values: Mapping[str, float]) -> bool:
        return values["dead units"] == students - teachers and values["live units"] == teachers

    def limit() -> Limit:
        regular = Fraction(teachers * inputs, 2)
        return Limit(
            "As the decay goes to 0, one student for each teacher and the others at zero.",
            "Below: a live unit has as many independent derivatives as inputs, its two scales being one, and that of "
            "distinct units are independent. Above: K vanishes where the live units stay and a = 0 for the dead ones.",
            live=teachers,
            dead=students - teachers,
            order=joint_order(cells.node_death(activation="squared relu")) if students > teachers else None,
            bracket=(regular, regular + Fraction(students - teachers, 2)),
        )

    given = {
        "seed": as_integer(seed),
        "inputs": inputs,
        "teachers": teachers,
        "students": students,
        "samples": samples,
        "steps": steps,
    }
    optimiser = {"optimiser": "SGD, momentum 0.9", "rate": 0.02, "decay": 3e-3, "start": 0.3}
    return Bed(
        call_of("teacher_student", given),
        {**given, **optimiser},
        Transition(f"a‖w‖² of {students - teachers} students is below {_DEAD}, of the others above {_ALIVE}", reached),
        limit,
        module,
        x,
        y,
        (fresh, fresh_y),
        steps,
        20,
        run,
        measured,
    )
