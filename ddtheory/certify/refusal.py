"""How a part of the checker says no. It never leaves this package: `check` turns it into a report."""

from __future__ import annotations


class Refused(Exception):
    """A statement of the certificate does not hold, is not of the format, or is too large to be checked."""


def require(condition: bool, reason: str) -> None:
    """Refuse with a reason unless the condition holds."""
    if not condition:
        raise Refused(reason)
