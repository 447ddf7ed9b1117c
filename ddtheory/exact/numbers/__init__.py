"""Exact numbers: reading them from text, fields, balls, and proofs that a number is zero or has a sign."""
