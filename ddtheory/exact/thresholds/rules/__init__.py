"""The rules that derive thresholds, one subject a file, and their table: adding one is a file and a row."""
