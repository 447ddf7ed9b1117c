"""Finite n, exactly: evidence, free energy, λ(nβ) and volumes, enclosed."""
