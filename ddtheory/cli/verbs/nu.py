"""`ddtheory nu`: the singular fluctuation of one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ddtheory.cli.printing import json_option, print_json

if TYPE_CHECKING:
    from ddtheory.exact.fluctuation.partition import Sided


@click.command()
@click.argument("k", type=int, metavar="K")
@click.option("--prior", default="0", metavar="H", help="Exponent h of the prior |s|^h, above −1. Default: 0.")
@click.option("--beta", default="1", metavar="B", help="Inverse temperature, as 1/2 or 0.5. Default: 1.")
@click.option("--one-sided", is_flag=True, help="The prior holds s ≥ 0 only.")
@click.option("--digits", default=30, metavar="N", help="Significant digits to prove. Default: 30.")
@json_option("the answer")
def nu(k: int, prior: str, beta: str, one_sided: bool, digits: int, as_json: bool) -> None:
    """The singular fluctuation ν of one line on which the divergence vanishes to order K.

    \b
    Examples:
      ddtheory nu 3
      ddtheory nu 2 --prior 1/2 --beta 2 --digits 100 --json
    """
    from ddtheory.exact.fluctuation.nu import singular_fluctuation
    from ddtheory.verify.progress import spinner

    sided: Sided = "one" if one_sided else "two"
    with spinner(f"proves {digits} digits …", shown=not as_json):
        found = singular_fluctuation(k, prior_exponent=prior, beta=beta, sided=sided, digits=digits)
    if as_json:
        value, radius = found.decimals()
        print_json({"nu": value, "radius": radius})
    else:
        click.echo(str(found))
