"""Analytic germs: a power series that is cut off where a proof says that its tail changes no pair."""
