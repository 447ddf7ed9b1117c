"""The laws of the label given the outputs of a model: when K ≍ Σ f², K itself, and the head of the torch face."""
