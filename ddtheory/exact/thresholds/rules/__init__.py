"""The rules that derive learning coefficients, one family a file, and their registry."""
