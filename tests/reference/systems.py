"""Log canonical thresholds by Macaulay2 and Singular, each germ in a process of its own with a time limit.

Both compute the b-function of the ideal over ℂ, globally: lct(ideal) of Macaulay2's Dmodules, and bfctVarAnn of
Singular's dmodvar, whose largest root α gives codim − 1 − α. Seconds are processor time
of the kernel, without start-up.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

INSTALL = {
    "Macaulay2": "Debian's package macaulay2, or pip install passagemath-macaulay2",
    "Singular": "Debian's package singular, or pip install passagemath-singular",
}
_PROGRAM = {"Macaulay2": "M2", "Singular": "Singular"}
_WHEELS = f"{sysconfig.get_path('purelib')}/sage_wheels/bin"  # where the wheels put their programs


@dataclass(frozen=True)
class Answer:
    """A threshold with the kernel's time, or the reason why there is none."""

    value: Fraction | None
    seconds: float | None
    failure: str = ""


def threshold(system: str, variables: Sequence[str], generators: Sequence[str], limit: float = 60.0) -> Answer:
    """The log canonical threshold of an ideal over ℂ; polynomials with rational coefficients only."""
    return _asked(system, *_CALL[system](variables, generators), limit)


def local_threshold(variables: Sequence[str], polynomial: str, limit: float = 60.0) -> Answer:
    """The threshold at the origin of one polynomial with an isolated singularity there, by Singular's gmssing."""
    return _asked("Singular", *_gauss_manin(variables, polynomial), limit)


def _asked(system: str, options: list[str], script: str, limit: float) -> Answer:
    command = [program_of(system) or _PROGRAM[system], *options]
    try:
        run = subprocess.run(command, input=script, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return Answer(None, None, f"no answer in {limit:g} s")
    found = re.search(r"answer (-?\d+(?:/\d+)?) after ([\d.]+(?:e-?\d+)?)", run.stdout)
    if not found:
        return Answer(None, None, " ".join((run.stderr or run.stdout).split())[-160:] or f"exit {run.returncode}")
    return Answer(Fraction(found[1]), float(found[2]))


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
    return ["--script", "/dev/stdin"], script


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
if (vdim(std(jacob(f))) < 1) {{ print("the singularity is not isolated"); exit; }}
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
