"""What the checkpoint of a trained network holds: its gauges, its dead directions, and how large λ can be."""

from ddtheory.extras import need as _need
from ddtheory.offered import offered as _offered

_need("torch", "ddtheory.reads")

from ddtheory.reads.assembly import Assembly as Assembly
from ddtheory.reads.assembly import assemble as assemble
from ddtheory.reads.bracket import Bracket as Bracket
from ddtheory.reads.bracket import bracket as bracket
from ddtheory.reads.census import read as read
from ddtheory.reads.document import SCHEMA as SCHEMA
from ddtheory.reads.joint import JointSet as JointSet
from ddtheory.reads.proposal import Proposal as Proposal
from ddtheory.reads.rank import Rank as Rank
from ddtheory.reads.result import Census as Census
from ddtheory.reads.result import LayerSummary as LayerSummary
from ddtheory.reads.result import Reading as Reading
from ddtheory.reads.result import Row as Row
from ddtheory.reads.table import DETECTORS as DETECTORS
from ddtheory.reads.table import Detector as Detector
from ddtheory.reads.verdicts import Standing as Standing

__dir__ = _offered(globals())
