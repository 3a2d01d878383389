"""The bench: tools, working copies, preflight, sandbox, executors, evaluation."""
