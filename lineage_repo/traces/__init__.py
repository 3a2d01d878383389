"""Trials of other harnesses: the JSON-lines format, the paper's released tables, and their way into a lineage."""
