"""The rules of the checker, one subject a file, each the twin of rules in the solver."""
