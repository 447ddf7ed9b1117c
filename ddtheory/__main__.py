"""`python -m ddtheory`: the command line."""

from ddtheory.cli import main

main()
