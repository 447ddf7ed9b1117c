"""Proposals: gauges that the operations of a tape suggest. None is believed before it is measured."""
