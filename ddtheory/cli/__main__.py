"""`python -m ddtheory.cli`: the command line."""

from ddtheory.cli import main

main()
