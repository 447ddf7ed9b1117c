"""The catalogue of cells as files: JSON, Parquet and a gallery page."""
