"""A network to read: six squared ReLU units that were trained on two; weight decay has killed the other four.

ddtheory read student.py:make_problem --n 10000
"""

from __future__ import annotations

from ddtheory.measure import Problem
from ddtheory.testbeds import teacher_student


def make_problem() -> Problem:
    """Model, parameters, inputs and the law of the label. Of your own: Problem.from_module(model, inputs, head)."""
    return teacher_student().problem()
