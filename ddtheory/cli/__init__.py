"""The command line. A verb is a row in `table` and a file in `verbs`; a test says what is missing.

Whatever is heavy is imported when a verb runs, so that every --help answers at once.
"""

import sys

try:
    from ddtheory.cli.group import main as main
except KeyboardInterrupt:  # as `main` ends when it is interrupted, which is not there yet
    print("Interrupted.", file=sys.stderr)
    sys.exit(2)
