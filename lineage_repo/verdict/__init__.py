"""The judge: pure functions from measurements to verdicts."""
