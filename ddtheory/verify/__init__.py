"""Claims, the runner that turns their witnesses into verdicts, and the report.

Importing this package loads neither sympy nor torch nor matplotlib.
"""

from ddtheory.offered import offered as _offered
from ddtheory.verify.book import Book as Book
from ddtheory.verify.book import Entry as Entry
from ddtheory.verify.book import Unreadable as Unreadable
from ddtheory.verify.book import load as load
from ddtheory.verify.book import read as read
from ddtheory.verify.book import select as select
from ddtheory.verify.book import select_among as select_among
from ddtheory.verify.book import transitive_assumptions as transitive_assumptions
from ddtheory.verify.claim import TITLE as TITLE
from ddtheory.verify.claim import Claim as Claim
from ddtheory.verify.claim import Comparison as Comparison
from ddtheory.verify.claim import Curve as Curve
from ddtheory.verify.claim import Experiment as Experiment
from ddtheory.verify.claim import Observation as Observation
from ddtheory.verify.claim import Outcome as Outcome
from ddtheory.verify.proof import AtMost as AtMost
from ddtheory.verify.proof import Equation as Equation
from ddtheory.verify.proof import Proof as Proof
from ddtheory.verify.proof import Prose as Prose
from ddtheory.verify.runner import RunResult as RunResult
from ddtheory.verify.runner import run as run
from ddtheory.verify.verdicts import ClaimResult as ClaimResult
from ddtheory.verify.verdicts import ClauseResult as ClauseResult
from ddtheory.verify.verdicts import WeakFoundation as WeakFoundation
from ddtheory.verify.verdicts import WitnessResult as WitnessResult

__dir__ = _offered(globals())
