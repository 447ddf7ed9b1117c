"""From a model and a path to an order: profiles, windows, readings."""
