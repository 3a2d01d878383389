"""One trial from registration to record: runner, worker, evaluator."""
