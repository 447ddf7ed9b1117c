"""Whether K ≥ 0 near the point: proven, or refuted with an arc."""
