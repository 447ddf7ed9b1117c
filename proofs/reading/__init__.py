"""Reading a frozen checkpoint: what a directional reading says of a trained network, and what it cannot say."""
