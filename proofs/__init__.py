"""The shipped book: claims of the Dead Directions papers.

Their full text was not available: statements are reconstructed from a public ledger of the results and from abstracts,
so a verdict is on the statement as it is printed here. The chapter “problems” is about live claims of a public
registry.
"""
