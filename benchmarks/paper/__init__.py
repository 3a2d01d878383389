"""The paper's numbers, recomputed from the tables that its authors released (docs/paper.md)."""
