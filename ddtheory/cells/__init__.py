"""Ground truth: constructed singular models, one family a file, each with a symbolic and a torch face.

`catalogue()` lists them, `find(name, **parameters)` makes one, and each says which independent routes agree on its
learning coefficient.
"""

from ddtheory.cells.arrangement import arrangement as arrangement
from ddtheory.cells.attention_product import attention_product as attention_product
from ddtheory.cells.attention_softmax import attention_softmax as attention_softmax
from ddtheory.cells.brieskorn import brieskorn as brieskorn
from ddtheory.cells.contingency_table import contingency_table as contingency_table
from ddtheory.cells.deep_linear import deep_linear as deep_linear
from ddtheory.cells.exponential_curve import exponential_curve as exponential_curve
from ddtheory.cells.factor_analysis import factor_analysis as factor_analysis
from ddtheory.cells.hidden_layer import hidden_layer as hidden_layer
from ddtheory.cells.isolated import isolated as isolated
from ddtheory.cells.latent_forest import latent_forest as latent_forest
from ddtheory.cells.line_and_point import line_and_point as line_and_point
from ddtheory.cells.mean_map import gaussian_location as gaussian_location
from ddtheory.cells.mean_map import mean_map as mean_map
from ddtheory.cells.minors import minors as minors
from ddtheory.cells.mixture import mixture as mixture
from ddtheory.cells.mixture import mixture_fixed as mixture_fixed
from ddtheory.cells.mixture import mixture_problem as mixture_problem
from ddtheory.cells.naive_bayes import naive_bayes as naive_bayes
from ddtheory.cells.node_death import node_death as node_death
from ddtheory.cells.nonnegative_factorisation import nonnegative_factorisation as nonnegative_factorisation
from ddtheory.cells.normal_crossing import normal_crossing as normal_crossing
from ddtheory.cells.normalisation import normalisation as normalisation
from ddtheory.cells.reduced_rank import reduced_rank as reduced_rank
from ddtheory.cells.semiregular import semiregular as semiregular
from ddtheory.cells.shared.cell import Cell as Cell
from ddtheory.cells.shared.cell import Relation as Relation
from ddtheory.cells.shared.cell import Size as Size
from ddtheory.cells.shared.cell import SymbolicFace as SymbolicFace
from ddtheory.cells.shared.families import Family as Family
from ddtheory.cells.shared.families import catalogue as catalogue
from ddtheory.cells.shared.families import families as families
from ddtheory.cells.shared.families import find as find
from ddtheory.cells.shared.families import find_text as find_text
from ddtheory.cells.shared.truth import Provenance as Provenance
from ddtheory.cells.shared.truth import Route as Route
from ddtheory.cells.shared.truth import RouteResult as RouteResult
from ddtheory.cells.shared.truth import Side as Side
from ddtheory.cells.shared.truth import Status as Status
from ddtheory.cells.shared.truth import Truth as Truth
from ddtheory.cells.simple_singularity import simple_singularity as simple_singularity
from ddtheory.cells.superposition import superposition as superposition
from ddtheory.cells.superposition import superposition_polygon as superposition_polygon
from ddtheory.cells.swiglu import swiglu as swiglu
from ddtheory.cells.topic_model import topic_model as topic_model
from ddtheory.offered import offered as _offered

__dir__ = _offered(globals())
