"""The beds by name. Adding one is a file, a row here, and a line of `__init__.pyi`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ddtheory.testbeds.bed import Bed
from ddtheory.testbeds.deep_linear import deep_linear
from ddtheory.testbeds.modular_addition import modular_addition
from ddtheory.testbeds.modular_transformer import modular_transformer
from ddtheory.testbeds.reduced_rank import reduced_rank
from ddtheory.testbeds.sparse_parity import sparse_parity
from ddtheory.testbeds.superposition import superposition
from ddtheory.testbeds.teacher_student import teacher_student
from ddtheory.testbeds.vision_transformer import vision_transformer

TESTBEDS: Mapping[str, Callable[..., Bed]] = MappingProxyType(
    {
        made.__name__: made
        for made in (
            reduced_rank,
            deep_linear,
            teacher_student,
            modular_addition,
            sparse_parity,
            superposition,
            modular_transformer,
            vision_transformer,
        )
    }
)
"""Name → the function of a seed. `TESTBEDS[name]()` is the bed whose checkpoints are kept."""
