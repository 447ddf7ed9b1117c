"""Spectral signatures of layers, at a checkpoint and along a run."""
