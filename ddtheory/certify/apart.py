"""The second wall around a check: a process of its own, which the system stops when the budget inside it does not.

A budget looks at the clock between steps of arithmetic. The system looks always: the process is killed after its time,
and where there are limits of resources (not on Windows) it gets no more memory than it may have.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

from ddtheory.certify.check import check
from ddtheory.certify.limits import Budget
from ddtheory.certify.report import Report, Undecided
from ddtheory.errors import InvalidValueError

_ACCEPTED, _REJECTED, _UNDECIDED, _NO_CERTIFICATE = 10, 11, 12, 13  # 1 is how Python ends after a traceback
_GRACE = 5.0  # seconds to start Python and to print
_PYTHON = 500.0  # megabytes of addresses that Python takes for itself
_LONGEST_WAIT = 1e6

_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from ddtheory.certify.apart import main; main(*sys.argv[2:])"


def check_apart(text: str, as_json: bool, seconds: float, megabytes: float) -> tuple[int, str]:
    """The exit code and the text of a check in another process: 0 accepted, 1 rejected, 2 not decided.

    Raises:
        InvalidValueError: the text is no JSON object, or a limit is no positive number.
        RuntimeError: the process ended as it should not.
    """
    budget = Budget(seconds, megabytes)
    seconds, megabytes = budget.seconds, budget.megabytes
    here = str(Path(__file__).resolve().parents[2])
    # -P: no folder that happens to be the current one is searched for modules
    command = [sys.executable, "-P", "-c", _PROGRAM, here, str(int(as_json)), repr(seconds), repr(megabytes)]
    try:
        ended = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=min(seconds + _GRACE, _LONGEST_WAIT), check=False
        )
    except subprocess.TimeoutExpired:
        return _stopped(f"limit of {seconds:g} s", as_json)
    shown = ended.stdout.decode()
    if ended.returncode == _NO_CERTIFICATE:
        raise InvalidValueError(shown)
    if ended.returncode in (_ACCEPTED, _REJECTED, _UNDECIDED):
        return ended.returncode - _ACCEPTED, shown
    if ended.returncode < 0 or b"MemoryError" in ended.stderr:
        return _stopped("limit of time or memory of the process", as_json)
    raise RuntimeError(f"The check ended unexpectedly: {ended.stderr.decode(errors='replace')[-2_000:]}")


def _stopped(limit: str, as_json: bool) -> tuple[int, str]:
    return 2, rendered(Report(False, undecided=Undecided(limit, "by the process of the check", "")), as_json)


def rendered(report: Report, as_json: bool) -> str:
    """The text of a report, or its JSON in ASCII."""
    return json.dumps(report.document(), indent=2, sort_keys=True) if as_json else str(report)


def main(as_json: str, seconds: str, megabytes: str) -> None:
    """What runs in the process: the text comes from the standard input, the report goes to the standard output."""
    _limit(float(seconds), float(megabytes))
    try:
        report = check(sys.stdin.buffer.read().decode(), seconds=float(seconds), megabytes=float(megabytes))
        code = {"accepted": _ACCEPTED, "rejected": _REJECTED, "not decided": _UNDECIDED}[report.outcome]
        shown = rendered(report, as_json == "1")
    except InvalidValueError as error:
        code, shown = _NO_CERTIFICATE, str(error)
    sys.stdout.buffer.write(shown.encode(errors="backslashreplace"))
    sys.stdout.buffer.flush()
    sys.exit(code)


def _limit(seconds: float, megabytes: float) -> None:
    if sys.platform == "win32":
        return
    import resource

    for what, most in ((resource.RLIMIT_AS, (megabytes + _PYTHON) * 1e6), (resource.RLIMIT_CPU, seconds + _GRACE)):
        _, hard = resource.getrlimit(what)
        if math.isfinite(most) and (hard == resource.RLIM_INFINITY or most < hard):
            resource.setrlimit(what, (math.ceil(most), hard))
