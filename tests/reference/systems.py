"""Log canonical thresholds by Macaulay2 and Singular, each germ in a process of its own with a time limit.

Both compute the b-function of the ideal over ℂ, globally: lct(ideal) of Macaulay2's Dmodules, and bfctVarAnn of
Singular's dmodvar, whose largest root α gives codim − 1 − α. Seconds are processor time
of the kernel, without start-up; `whole` is that of the process and all that it started, start-up included.

No answer is one of three things. The limit ran out, or the question does not apply to the germ: both are an `Answer`
with a reason. Everything else, from a program that does not start to a script that it does not understand, is
`PeerFailed` with all that the program said.
"""

from __future__ import annotations

import functools
import math
import os
import re
import shutil
import signal
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

INSTALL = {
    "Macaulay2": "Debian's package macaulay2, or pip install passagemath-macaulay2",
    "Singular": "Debian's package singular, or pip install passagemath-singular",
}
_PROGRAM = {"Macaulay2": "M2", "Singular": "Singular"}
_WHEELS = f"{sysconfig.get_path('purelib')}/sage_wheels/bin"  # where the wheels put their programs
_WALL = 30  # times the limit, on a clock that goes on while others have the processor
_POSIX = os.name == "posix"
# a program, or the script that started it, got the signal of the limit or, a second later, the one that ends it surely
_AT_THE_LIMIT = (-signal.SIGXCPU, 128 + signal.SIGXCPU, -signal.SIGKILL, 128 + signal.SIGKILL) if _POSIX else ()
_SHOWN = 4000  # characters of what a failed program said


class PeerFailed(RuntimeError):
    """A system that is absent, does not start, breaks off, or says what cannot be read."""


@dataclass(frozen=True)
class Answer:
    """A threshold with the kernel's time; or none, because the limit ran out or the question does not apply."""

    value: Fraction | None
    seconds: float | None
    failure: str = ""
    whole: float | None = field(default=None, compare=False)


def threshold(system: str, variables: Sequence[str], generators: Sequence[str], limit: float = 60.0) -> Answer:
    """The log canonical threshold of an ideal over ℂ; polynomials with rational coefficients only.

    The limit is in seconds of a processor, rounded up, with start-up; on the wall it is thirty times as much.
    """
    return _asked(system, *_CALL[system](variables, generators), limit)


def local_threshold(variables: Sequence[str], polynomial: str, limit: float = 60.0) -> Answer:
    """The threshold at the origin of one polynomial with an isolated singularity there, by Singular's gmssing."""
    return _asked("Singular", *_gauss_manin(variables, polynomial), limit)


def _asked(system: str, options: list[str], script: str, limit: float) -> Answer:
    program = program_of(system)
    if program is None:
        raise PeerFailed(f"{system} is not installed. Get it as {INSTALL[system]}.")
    before = children_seconds()
    # in a file: Macaulay2 since 1.25 does not read a script from a pipe, and Singular would echo one
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script"
        file.write_text(script, encoding="utf-8")
        try:
            run = subprocess.run(
                [program, *options, str(file)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_WALL * limit,
                preexec_fn=functools.partial(_limit_processor, limit) if _POSIX else None,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Answer(None, None, f"no answer in {limit:g} s")
        except OSError as error:
            raise PeerFailed(f"{system} cannot start: {error}") from error
    if run.returncode in _AT_THE_LIMIT:
        return Answer(None, None, f"no answer in {limit:g} s")
    inapplicable = re.search(r"^inapplicable: (.*)", run.stdout, re.MULTILINE)
    if inapplicable:
        return Answer(None, None, inapplicable[1])
    found = re.search(r"^answer (-?\d+(?:/\d+)?) after ([\d.]+(?:e-?\d+)?)", run.stdout, re.MULTILINE)
    # Singular goes on after an error, and what it prints then means nothing
    if not found or re.search(r"^ *\? error occurred", run.stdout, re.MULTILINE):
        raise PeerFailed(
            f"{system} gave no answer, exit {run.returncode}.\n"
            f"It wrote to stderr:\n{run.stderr[-_SHOWN:]}\nand to stdout:\n{run.stdout[-_SHOWN:]}"
        )
    return Answer(Fraction(found[1]), float(found[2]), whole=children_seconds() - before)


def children_seconds() -> float:
    """Processor time, of the user and of the system, of the processes that this one started and has waited for."""
    times = os.times()
    return times.children_user + times.children_system


def _limit_processor(seconds: float) -> None:
    """End this process when it has had so many seconds of a processor, however busy the machine is."""
    import resource  # there is none on Windows

    most = math.ceil(seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))  # at the second one there is no signal of its own


def program_of(system: str) -> str | None:
    """The program, from the search path or from a wheel; None when it is not installed."""
    return shutil.which(_PROGRAM[system]) or shutil.which(_PROGRAM[system], path=_WHEELS)


def version(system: str) -> str:
    """What the program says of itself, or "not installed"."""
    program = program_of(system)
    if program is None:
        return "not installed"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    found = re.search(r"\d+(?:\.\d+)+", said)
    return found[0] if found else "unknown"


def _macaulay2(variables: Sequence[str], generators: Sequence[str]) -> tuple[list[str], str]:
    names = _short_names(variables)
    script = f"""needsPackage "Dmodules";
R = QQ[{", ".join(names.values())}];
I = ideal({", ".join(_rename(generator, names) for generator in generators)});
started = cpuTime();
answer = lct I;
print("answer " | toString answer | " after " | toString(cpuTime() - started));
"""
    return ["--script"], script


def _singular(variables: Sequence[str], generators: Sequence[str]) -> tuple[list[str], str]:
    names = _short_names(variables)
    script = f"""LIB "dmodvar.lib";
system("--ticks-per-sec", 1000);
ring R = 0, ({", ".join(names.values())}), dp;
ideal F = {", ".join(_rename(generator, names) for generator in generators)};
int codimension = nvars(R) - dim(std(F));
int started = timer;
list found = bfctVarAnn(F);
int spent = timer - started;
number largest = -1000;
for (int i = 1; i <= ncols(found[1]); i++) {{
  if (leadcoef(found[1][i]) > largest) {{ largest = leadcoef(found[1][i]); }}
}}
print("answer " + string(codimension - 1 - largest) + " after " + string(spent) + "e-3");
exit;
"""
    return ["-q", "--no-rc"], script


def _gauss_manin(variables: Sequence[str], polynomial: str) -> tuple[list[str], str]:
    names = _short_names(variables)
    script = f"""LIB "gmssing.lib";
system("--ticks-per-sec", 1000);
ring R = 0, ({", ".join(names.values())}), ds;
poly f = {_rename(polynomial, names)};
if (vdim(std(jacob(f))) < 1) {{ print("inapplicable: the singularity is not isolated"); exit; }}
int started = timer;
list found = bernstein(f);
int spent = timer - started;
number largest = -1;
for (int i = 1; i <= ncols(found[1]); i++) {{
  if (leadcoef(found[1][i]) > largest) {{ largest = leadcoef(found[1][i]); }}
}}
print("answer " + string(-largest) + " after " + string(spent) + "e-3");
exit;
"""
    return ["-q", "--no-rc"], script


_CALL: dict[str, Callable[[Sequence[str], Sequence[str]], tuple[list[str], str]]] = {
    "Macaulay2": _macaulay2,
    "Singular": _singular,
}


def _short_names(variables: Sequence[str]) -> dict[str, str]:
    """Names that mean nothing to either system: digits and underscores have a meaning of their own there."""
    return {name: f"q{_letters(number)}" for number, name in enumerate(variables)}


def _letters(number: int) -> str:
    return chr(ord("a") + number // 26) + chr(ord("a") + number % 26)


def _rename(text: str, names: dict[str, str]) -> str:
    return re.sub(r"[A-Za-z][A-Za-z0-9_]*", lambda found: names[found[0]], text)
