"""What the outputs of a model mean: laws of the label."""
