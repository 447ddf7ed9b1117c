"""The table of detectors: name, hypothesis, what it proposes, how that is repaired, and along which direction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ddtheory.errors import InvalidValueError, shown
from ddtheory.fields import require
from ddtheory.reads import detectors
from ddtheory.reads.proposal import Proposal
from ddtheory.reads.survey import Survey
from ddtheory.shown import Shown


@dataclass(frozen=True, repr=False)
class Detector(Shown):
    """A kind of candidate. `dd.read(…, detectors=[…])` takes those of the table, and others of this type.

    Attributes:
        name: of the row.
        hypothesis: where the candidate is a singular point.
        proposes: what is looked for.
        repaired: the singular point θ* near the checkpoint.
        direction: along which the order is read.
        find: a survey of the checkpoint ↦ proposals. None of them is believed before it is measured.

    Raises:
        InvalidValueError: a field of another type.
    """

    name: str
    hypothesis: str
    proposes: str
    repaired: str
    direction: str
    find: Callable[[Survey], Iterable[Proposal]]

    def __post_init__(self) -> None:
        require(self, str, "name", "hypothesis", "proposes", "repaired", "direction")
        if not callable(self.find):
            raise InvalidValueError(f"find of the detector {self.name!r} is {shown(self.find)}, not a function.")

    def __str__(self) -> str:
        return f"{self.name}: {self.proposes}"

    def rows(self) -> Mapping[str, str]:
        return {
            "detector": self.name,
            "hypothesis": self.hypothesis,
            "proposes": self.proposes,
            "repaired": self.repaired,
            "direction": self.direction,
        }


_TABLE = (
    Detector(
        "node death",
        "f = … + a·φ(w·x + b) with φ(0) = 0, so that f vanishes to order p + 1 in (w, b, a), p the order of φ at 0.",
        "each unit of a hidden layer, linear or convolution (in groups too), its gates and a norm before φ included",
        "w = b = a = 0; behind a BatchNorm γ = β = a = 0",
        "weights in, bias and weights out together, each side at the same length",
        detectors.node_death,
    ),
    Detector(
        "duplicated units",
        "φ(w·x) twice, up to a factor: only a₁ + a₂ is seen. Where a₁ and a₂ are parallel, w₁ − w₂ is seen to order 2.",
        "pairs of units whose activations are multiples of one another on the data, opposite ones included",
        "both weights at one place between the two",
        "out: a₁ against a₂, flat; in: w₁ against w₂ with a₁dw₁ + a₂dw₂ = 0",
        detectors.duplicates,
    ),
    Detector(
        "rank deficiency",
        "W'W has a rank below the number of channels and below its own sizes: what one map leaves the other one skips.",
        "directions among the channels between two linear maps, values and outputs or queries and keys of a head "
        "included, in the basis of WWᵀ + W'ᵀW', where a gap parts them from the others",
        "the direction taken out of both maps",
        "both maps along what the other channels do not span",
        detectors.rank_deficiency,
    ),
    Detector(
        "dead heads",
        "A head adds W_O·(averages of W_V x), so it vanishes to order 2 in (W_V, W_O).",
        "each head of the values of an attention; where heads of queries share it, with all that they make of it",
        "W_V = W_O = 0 in the head",
        "values and output map together, each side at the same length",
        detectors.dead_heads,
    ),
    Detector(
        "dead queries",
        "A head attends by (W_Q x)·(W_K y), so it vanishes to order 2 in (W_Q, W_K), and attends to everything alike.",
        "each head of the keys of an attention that meet queries in inner products only, turned by rotary positions "
        "or not; where heads of queries share it, with all of them",
        "W_Q = W_K = 0 in the head, biases too",
        "queries and keys together, each side at the same length",
        detectors.dead_queries,
    ),
    Detector(
        "constant units",
        "φ(w·x + b) is one number c on all inputs, so that a·c and the bias behind the unit are seen as a sum.",
        "units with a bias, read by maps with a bias, that spread over less than a twentieth of their size",
        "w = 0 and the bias at the mean of w·x + b",
        "a against the bias behind it, flat",
        detectors.constant_units,
    ),
    Detector(
        "dead scales",
        "What reads the channel sees γx̂ + β times its weights, which vanishes to order 2 in (γ, β, weights).",
        "each channel of a LayerNorm or RMSNorm that only affine maps read",
        "γ = β = 0, and the weights that read the channel",
        "scale, shift and weights together, each side at the same length",
        detectors.dead_scales,
    ),
    Detector(
        "unused rows",
        "No input looks the row up, and nothing else reads the table.",
        "the rows of an embedding, or of a table that is sliced, that are not used, all at once",
        "the rows at zero",
        "a drawn direction in these rows, flat",
        detectors.unused_rows,
    ),
)

DETECTORS: Mapping[str, Detector] = MappingProxyType({row.name: row for row in _TABLE})
"""The rows by name."""
