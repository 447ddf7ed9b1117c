"""The runs of one check: what is shared between gauges is run once."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError
from ddtheory.gauges import Gauge, Motion, moved
from ddtheory.testing.equivariance.judging import Judgement, gap, judge, noise
from ddtheory.testing.equivariance.runs import NO_TERMS, Training

_LEAST = 1e-4
"""Training must move the function by more than this, relative to its largest value."""


class Study:
    """Trainings from one start and from representatives of its orbits."""

    def __init__(self, training: Training, motions: tuple[Motion, ...]) -> None:
        self.training = training
        self.motions = motions
        self.start = training.start()
        self._bases: dict[frozenset[str], tuple[Tensor, Tensor]] = {}

    def base(self, removed: frozenset[str] = NO_TERMS) -> tuple[Tensor, Tensor]:
        """The functions from the start as it is, and their distance after roundings.

        Raises:
            MeasurementError: the training moves nothing.
        """
        if removed not in self._bases:
            found = self.training.run(self.start, removed)
            moved_by = float(gap(found, found[:1]).max())
            if not moved_by > _LEAST:
                raise MeasurementError(
                    f"Training moves the function by {moved_by:.0e} of its largest value, so there is nothing to "
                    "compare. Train for more steps, or at a larger rate, and give the optimiser the parameters."
                )
            self._bases[removed] = (found, gap(found, self.training.run(self.start, removed, jitter=1)))
        return self._bases[removed]

    def check_repeatable(self) -> None:
        """Whether a training is the same under other seeds of torch.

        Raises:
            MeasurementError: it is not.
        """
        if not torch.equal(self.base()[0], self.training.run(self.start, seed=1)):
            raise MeasurementError(
                "Two trainings from one start differ, so the model or the optimiser is random, or remembers its last "
                "use. Put dropout out of action (model.eval(), or a rate of 0), take noise away, and let "
                "make_optimizer build a new optimiser each time."
            )

    def judged(self, gauge: Gauge, removed: frozenset[str] = NO_TERMS) -> Judgement:
        """All representatives against the start."""
        base, distance = self.base(removed)
        gaps, noises = [], []
        for number, motion in enumerate(self.motions):
            there = moved(gauge, self.start, motion)
            found = self.training.run(there, removed)
            gaps.append(gap(base, found))
            noises.append(noise(distance, gap(found, self.training.run(there, removed, jitter=2 + number))))
        return judge(gaps, noises)

    def control(self, gauge: Gauge) -> Judgement:
        """A representative that is nudged after its first step, which is along no gauge."""
        base, distance = self.base()
        there = moved(gauge, self.start, self.motions[0])
        return judge([gap(base, self.training.run(there, nudge=1))], [noise(distance)])

    @cached_property
    def terms(self) -> frozenset[str]:
        """Names of the terms that take part: to take one out changes the training."""
        return frozenset(term for term in self.training.terms() if self._differs(frozenset({term})))

    def _differs(self, removed: frozenset[str]) -> bool:
        try:
            return not torch.equal(self.base()[0], self.training.run(self.start, removed))
        except MeasurementError:  # without it the training fails
            return True
