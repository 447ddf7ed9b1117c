"""The standing attack by command.

    python tests/hostile                          a minute of it
    python tests/hostile --seconds 3600 --seed x  an hour, other cases
    python tests/hostile --cases 500 --jobs 2     the first 500 cases of the seed, as in the tests
    python tests/hostile --replay fixed:123       one case, with what it printed

Ends with a table of counts, and with exit code 1 when there was a traceback, an overrun or a run of code.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: a fork has one thread

import argparse
import gc
import json
import pickle
import signal
import sys
import tempfile
import time
import traceback
import warnings

from cases import Case
from commands import CALLS, Command, certificates, run
from judging import Finding, Outcome, Tally, kinds
from planted import missed
from recipes import recipes, unknown_names
from running import Caps, call, in_child, load_what_torch_leaves_for_later, own_folder
from surface import public

from ddtheory.cli.table import VERBS


def attack(seed: str, numbers: range, until: float, parent: int) -> Tally:
    """The cases of these numbers, as far as time allows, and as long as there is somebody to be told."""
    tally = Tally()
    for number in numbers:
        if time.monotonic() > until or os.getppid() != parent:
            break
        case = Case(seed, number)
        try:
            room, told, finding = case.run()
        except Exception:  # a case that the attack cannot make is a defect of its own; the count of an hour is not lost
            room, told = "the attack", "a case that cannot be made"
            finding = Finding(Outcome.TRACEBACK, traceback.format_exc(limit=-1), details=traceback.format_exc())
        tally.add(room, case.id, told, finding)
    return tally


def in_parts(seed: str, cases: int, seconds: float, jobs: int) -> Tally:
    """The same cases dealt out to forks; each sends its tally through a pipe."""
    until, tally, home, workers = time.monotonic() + seconds, Tally(), os.getpid(), {}
    signals = {signal.SIGINT, signal.SIGTERM}
    try:
        for job in range(jobs):
            reading, writing = os.pipe()
            signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # what is raised while Python forks is printed and lost
            worker = os.fork()
            if worker == 0:
                os.close(reading)
                try:
                    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
                    found = attack(seed, range(job, cases, jobs), until, home)
                    with os.fdopen(writing, "wb") as pipe:
                        pickle.dump(found, pipe)
                except BaseException:  # the attack itself is broken: nothing was counted, and the parent says so
                    traceback.print_exc()
                finally:
                    os._exit(0)
            os.close(writing)
            workers[worker] = reading
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        for worker in list(workers):
            with os.fdopen(workers[worker], "rb") as pipe:
                tally.merge(pickle.loads(pipe.read()))
            os.waitpid(worker, 0)
            del workers[worker]
    finally:  # interrupted: left alone, they would go on with one case after the other until their time is over
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
    return tally


def stand_alone() -> None:
    """Makes it independent of how it was started: a shell that sends it to the background has it ignore Ctrl-C.

    Where a stream is closed, a pipe would take its number, and a case that silences itself would write over it.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+"))  # noqa: SIM115  # takes the lowest number that is free


def report(tally: Tally) -> str:
    """Each kind of bad finding with the cases that show it, then the counts."""
    lines = []
    for (_, what, place), found in sorted(kinds(tally.bad).items()):
        _, told, finding = found[0]
        lines += [f"{len(found)} × {what}  [{place}]", f"    {told}", f"    {finding.what}"]
        lines.append(f"    replay: {' '.join(f'--replay {case}' for case, _, _ in found[:3])}")
    return "\n".join([*lines, "", f"{tally.cases} cases", tally.table()])


def wrong_recipes() -> list[str]:
    """Public names without a recipe, and recipes that are refused."""
    functions = public()
    complaints = unknown_names(functions)
    for name, calls in recipes().items():
        for number, made in enumerate(calls if name in functions else []):
            with own_folder() as folder:
                finding = in_child(lambda name=name, made=made: call(functions[name], made()), folder, Caps(90, 400.0))
            if finding.outcome is not Outcome.ANSWER or finding.code_ran:
                complaints.append(f"recipe {number} of {name}: {finding.outcome}: {finding.what}")
    verbs = {verb.name for verb in VERBS}
    complaints += [f"{name}: no call in tests/hostile/commands.py, or no such verb" for name in verbs ^ set(CALLS)]
    for name in sorted(verbs & set(CALLS)):
        for arguments in CALLS[name]:
            command = Command(name, list(arguments), stdin=certificates()[0].encode())
            finding = run(command, Caps(90, 400.0), certificates()[0])
            if finding.outcome is not Outcome.ANSWER:
                complaints.append(f"{name} {arguments}: {finding.outcome}: {finding.what} {finding.details}")
    return complaints


def listen() -> None:
    """Answers lines of arguments as JSON, each in a fork of this process, which has imported everything once."""
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complained:
            fork = os.fork()
            if fork == 0:
                for stream, number in ((open(os.devnull), 0), (said, 1), (complained, 2)):  # noqa: SIM115
                    os.dup2(stream.fileno(), number)
                os._exit(ended(json.loads(line)))
            code = os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])
            texts = [file.read() for file in (said, complained) if not file.seek(0)]
        print(json.dumps([code, *texts]), flush=True)


def ended(arguments: list[str]) -> int:
    """The exit code of one line, its output written whole; nothing leaves the fork."""
    try:
        return act(read(arguments))
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def read(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/hostile", description="The standing attack.")
    parser.add_argument("--seed", default="fixed", help="any text; the same seed gives the same cases")
    parser.add_argument("--cases", type=int, default=10**9, help="stop after so many")
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("HOSTILE_SECONDS", "60")))
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--recipes", action="store_true", help="is everything public attacked, by valid calls?")
    parser.add_argument("--planted", action="store_true", help="is what is planted caught?")
    parser.add_argument("--replay", action="append", metavar="SEED:NUMBER", help="run this case and print what it did")
    parser.add_argument("--listen", action="store_true", help="lines of arguments as JSON, for many short attacks")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    chosen = read(arguments)
    stand_alone()
    warnings.simplefilter("ignore")
    certificates()  # made before the first fork
    load_what_torch_leaves_for_later()
    gc.freeze()  # no fork goes through what is here already
    if chosen.listen:
        listen()
        return 0
    return act(chosen)


def act(chosen: argparse.Namespace) -> int:
    """What the arguments ask for, as an exit code."""
    checks = {chosen.recipes: wrong_recipes, chosen.planted: missed}
    if True in checks:
        complaints = checks[True]()
        print("\n".join(complaints))
        return int(bool(complaints))
    if chosen.replay:
        bad = False
        for text in chosen.replay:
            _, told, finding = Case.read(text).run()
            bad |= finding.is_bad
            print(f"{text}  {told}\n{finding.outcome}: {finding.what}\n{finding.details}")
        return int(bad)
    tally = in_parts(chosen.seed, chosen.cases, chosen.seconds, chosen.jobs)
    print(report(tally))
    return int(bool(tally.bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
