"""How a part of the checker says no, or gives up. Neither leaves this package: `check` turns them into a report."""

from __future__ import annotations


class Refused(Exception):
    """A statement of the certificate does not hold, or is not of the format."""


class Exceeded(Exception):
    """A limit is reached, so nothing is decided. The argument is the limit, as in "limit of 10 s"."""


def require(condition: bool, reason: str) -> None:
    """Refuse with a reason unless the condition holds."""
    if not condition:
        raise Refused(reason)
