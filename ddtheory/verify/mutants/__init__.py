"""Mutation testing of a book: one wrong sign, exponent or index at a time, and does the verdict of the claim move?

A claim whose verdict stays although its formula, its measurement or the code under them was made wrong has evidence
that cannot go red. `python -m ddtheory.verify.mutants --help` says how to ask; `kinds` lists what is changed, and
`draw` where. Nothing is written to the files of the book or of the package.
"""
