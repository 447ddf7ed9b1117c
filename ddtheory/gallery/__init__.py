"""The catalogue of cells as files: JSON, Parquet and a gallery page."""

from ddtheory.offered import offered as _offered

__dir__ = _offered(globals())
