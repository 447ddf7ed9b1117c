"""The verbs of the command line, one a file: the command has the name of its file."""
