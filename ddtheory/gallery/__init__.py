"""The catalogue of cells as files: JSON, Parquet and a gallery page, and the verb of the command line."""

from ddtheory.gallery.export import export as export
from ddtheory.gallery.page import render as render
