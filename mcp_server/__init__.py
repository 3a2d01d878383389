"""The server: tools, working copies, preflight, sandbox, executors, evaluation."""
