"""The independent checker of derivations: standard library only, and no code in common with what it checks."""

from ddtheory.certify.check import check as check
from ddtheory.certify.files import certify_file as certify_file
from ddtheory.certify.report import Rejection as Rejection
from ddtheory.certify.report import Report as Report
from ddtheory.certify.report import Step as Step
from ddtheory.certify.report import Undecided as Undecided
from ddtheory.certify.statement import Statement as Statement
from ddtheory.offered import offered as _offered

__dir__ = _offered(globals())
