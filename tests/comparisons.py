"""Counts the comparisons with other packages that really ran, and holds each package to a floor.

A test calls `peers.compared("Singular")` where it compares. The count travels in the test's report, so it is right with
`-n` too: there the reports of all processes arrive in the one that prints. A skipped test has compared nothing.

The floors hold for the complete set, `pytest -m peer` and no further choice. Any other run is counted and not judged.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from reference.systems import INSTALL, program_of

COUNTED = "compared"  # the name of a property of a test's report
# choices of tests beside -m; options of plugins that are not there count as not given
CHOICES = ("keyword", "deselect", "ignore", "ignore_glob", "lf", "stepwise", "collectonly")


@dataclass(frozen=True)
class Peer:
    """How few comparisons with a package are too few, and how to get it."""

    floor: int
    get: str


class Peers:
    """What a test with the marker `peer` asks for and reports."""

    def __init__(self, request: pytest.FixtureRequest, known: Mapping[str, Peer]) -> None:
        self._node, self._known = request.node, known

    def package(self, peer: str, module: str) -> ModuleType:
        """An importable module of the peer."""
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            self._absent(peer, str(error))

    def system(self, peer: str) -> str:
        """The peer's own name, when its program is there."""
        if program_of(peer) is None:
            self._absent(peer, "no such program")
        return peer

    def compared(self, peer: str) -> None:
        """One more comparison; a peer without a floor is an error."""
        assert peer in self._known, f"{peer} has no floor in {__file__}"
        self._node.user_properties.append((COUNTED, peer))

    def _absent(self, peer: str, why: str) -> None:
        """A peer that was asked for and is not there is a failure; everybody else need not have it."""
        say = pytest.fail if _marker(self._node.config) == "peer" else pytest.skip
        say(f"{peer} is not installed ({why}). Get it as {self._known[peer].get}.")


class Comparisons:
    """The plugin: gives tests their `peers`, counts, prints, and turns a run red that compared too little."""

    def __init__(self, config: pytest.Config, known: Mapping[str, Peer]) -> None:
        self._known = known
        self._complete = _complete(config)
        self._worker = hasattr(config, "workerinput")  # a process of pytest-xdist, which judges nothing
        self._of_test: dict[str, Counter[str]] = {}

    @pytest.fixture
    def peers(self, request: pytest.FixtureRequest) -> Peers:
        return Peers(request, self._known)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and not report.skipped:  # by test, so that one that runs twice counts once
            self._of_test[report.nodeid] = Counter(peer for name, peer in report.user_properties if name == COUNTED)

    def counts(self) -> Counter[str]:
        return sum(self._of_test.values(), Counter())

    def below(self) -> list[str]:
        return [peer for peer, known in self._known.items() if self._complete and self.counts()[peer] < known.floor]

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.below() and not self._worker and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._complete and not self.counts():
            return
        terminalreporter.section("comparisons with other packages")
        for peer, known in self._known.items():
            line = f"{peer}: {self.counts()[peer]} comparisons ran, at least {known.floor} must"
            if peer in self.below():
                terminalreporter.line(f"{line}: TOO FEW", red=True, bold=True)
            else:
                terminalreporter.line(line)
        if not self._complete:
            terminalreporter.line("Not judged: this is not the complete set, `pytest -m peer`.")


def _marker(config: pytest.Config) -> str:
    return str(config.getoption("markexpr", "")).strip()


def _complete(config: pytest.Config) -> bool:
    """Whether all tests with the marker are to run, and only the marker chooses."""
    if _marker(config) != "peer" or any(config.getoption(choice, None) for choice in CHOICES):
        return False
    start = config.invocation_params.dir
    given = [(start / arg.split("::")[0]).resolve() for arg in config.args if "::" not in arg]
    wanted = [(config.rootpath / path).resolve() for path in config.getini("testpaths") or [Path()]]
    return all(any(path.is_relative_to(other) for other in given) for path in wanted)


# Macaulay2 has 55 and Singular 119 when nothing runs into the limit; a crowded machine may lose the heaviest germs
PEERS = {
    "Macaulay2": Peer(50, INSTALL["Macaulay2"]),
    "Singular": Peer(110, INSTALL["Singular"]),
    "blackjax": Peer(1, "pip install 'ddtheory[samplers]'"),
    "canonical-interp": Peer(2, "pip install 'ddtheory[samplers]'"),
    "curvlinops": Peer(1, "pip install 'ddtheory[peer]'"),
    "devinterp": Peer(2, "pip install 'ddtheory[devinterp]'"),
    "distributed": Peer(1, "pip install 'ddtheory[cluster]'"),
    "numpyro": Peer(1, "pip install 'ddtheory[samplers]'"),
    "posteriors": Peer(2, "pip install 'ddtheory[samplers]'"),
}
