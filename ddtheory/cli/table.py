"""The verbs of the command line, in the order in which `ddtheory --help` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from click import Command


@dataclass(frozen=True)
class Verb:
    """One verb of the command line.

    Attributes:
        name: as it is typed; its command stands under this name in the file of this name in `ddtheory.cli.verbs`.
        exit_codes: what each of them means; the help of the verb ends with them.
    """

    name: str
    exit_codes: Mapping[int, str]

    def load(self) -> Command:
        """The command, from its file."""
        command: Command = getattr(import_module(f"ddtheory.cli.verbs.{self.name}"), self.name)
        lines = [f"  {code}  {meaning}" for code, meaning in self.exit_codes.items()]
        command.epilog = "\n".join(["\b", "Exit codes:", *lines])
        return command


VERBS = (
    Verb(
        "verify",
        {
            0: "today's verdicts are those on record",
            1: "a verdict moved",
            2: "something could not run, or was interrupted",
        },
    ),
    Verb(
        "prove",
        {0: "every derivation is compatible with the verdict on record", 1: "one is not", 2: "one could not run"},
    ),
    Verb("new", {0: "the files are written", 2: "a name is refused, or a file is there already"}),
    Verb(
        "rlct",
        {0: "(λ, m), or proven bounds", 2: "the input is refused, or the certificate cannot be written"},
    ),
    Verb(
        "model",
        {0: "(λ, m), or proven bounds", 2: "the file is refused, or the certificate cannot be written"},
    ),
    Verb(
        "certify",
        {
            0: "the certificate is accepted",
            1: "it is rejected; it says where and why",
            2: "there is no certificate, or a limit was reached and nothing is decided",
        },
    ),
    Verb(
        "read",
        {0: "the reading", 2: "the network, its data or its weights are refused, or a file cannot be written"},
    ),
    Verb("order", {0: "the order", 2: "the input is refused, or the order cannot be decided"}),
    Verb("nu", {0: "the value", 2: "the input is refused"}),
    Verb(
        "cells",
        {0: "the list, the cell or the files", 2: "there is no such cell, or a file cannot be written"},
    ),
    Verb("mcp", {0: "the client has left", 2: "the extra is missing, or a book that is named"}),
)
