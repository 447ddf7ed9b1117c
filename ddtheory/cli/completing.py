"""What a shell may offer for a word that has been begun: names of claims, chapters, families and their parameters."""

from __future__ import annotations

from click import Context, Parameter
from click.shell_completion import CompletionItem

from ddtheory.errors import DDTheoryError


def claims(ctx: Context, _param: Parameter, begun: str) -> list[CompletionItem]:
    """Labels and chapters of the books that the line names so far; of the shipped one where it names none."""
    from ddtheory.verify.book import read

    found: dict[str, str] = {}
    for choice in ctx.params.get("books") or [None]:
        try:
            book = read(choice)
        except DDTheoryError:  # the line is not finished, and what is wrong with it is said when it runs
            continue
        found |= dict.fromkeys(book.names, "chapter") | {e.claim.id: e.claim.title for e in book.entries}
    return _begun(found, begun)


def family(_ctx: Context, _param: Parameter, begun: str) -> list[CompletionItem]:
    """Families of cells."""
    from ddtheory.cells import families

    return _begun({name: each.summary for name, each in families().items()}, begun)


def parameters(ctx: Context, _param: Parameter, begun: str) -> list[CompletionItem]:
    """KEY= of the family that the line names, without those that it gives already."""
    from ddtheory.cells import families

    chosen = families().get(ctx.params.get("name") or "")
    if chosen is None:
        return []
    given = {text.partition("=")[0] for text in ctx.params.get("parameters") or ()}
    return _begun({f"{key}=": f"default {chosen.defaults[key]}" for key in chosen.defaults if key not in given}, begun)


def _begun(found: dict[str, str], begun: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=says) for name, says in sorted(found.items()) if name.startswith(begun)]
