"""The apparatus of the shipped book: its checks, its ladders of radii, and the models that only its chapters need."""
