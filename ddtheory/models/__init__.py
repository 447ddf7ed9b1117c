"""From a statistical model to its learning coefficient: formula, inputs and truth; then the pair, with proof.

`regression`, `logits`, `exponential_family`, `finite`, `mixture`, `hidden`, `gaussian` and `matrix_product` make a
`Model`. It knows the generators of its divergence with the proof that K ≍ Σ f², its pair (λ, m), orders along
directions, the strata of its zero set, and its torch face. `load` reads a model from a file.
"""

from ddtheory.models.description import Description as Description
from ddtheory.models.description import described as described
from ddtheory.models.description import load as load
from ddtheory.models.factorisation import Factorisation as Factorisation
from ddtheory.models.factorisation import matrix_product as matrix_product
from ddtheory.models.generators import Generators as Generators
from ddtheory.models.kinds import exponential_family as exponential_family
from ddtheory.models.kinds import finite as finite
from ddtheory.models.kinds import gaussian as gaussian
from ddtheory.models.kinds import hidden as hidden
from ddtheory.models.kinds import logits as logits
from ddtheory.models.kinds import mixture as mixture
from ddtheory.models.kinds import regression as regression
from ddtheory.models.model import Model as Model
from ddtheory.models.pair import ModelPair as ModelPair
from ddtheory.offered import offered as _offered

__dir__ = _offered(globals())
