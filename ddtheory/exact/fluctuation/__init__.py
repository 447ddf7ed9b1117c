"""The singular fluctuation ν, enclosed by ball arithmetic."""
