"""Faults: the failure class and the line of a run that did not end well."""

from collections.abc import Sequence

from lineage_repo.model.manifest import Phase, Task
from lineage_repo.model.measurement import Clock, Fault, Margin, PhaseRun, Status
from lineage_repo.text.sanitize import clip
from mcp_server.sandbox.box import backstop
from mcp_server.sandbox.log import last_error

_STATUS = {"oversize": Status.SIZE_BLOCKED, "refused": Status.ILLEGAL}
_OVERRUN = {"train": Status.TRAIN_BUDGET_OVERRUN, "eval": Status.EVAL_BUDGET_OVERRUN}


def classify_run(task: Task, phase: Phase, run: PhaseRun, log: bytes, seeds: int, clock: Clock) -> Fault | None:
    """Why a run gives nothing to score, with the excess over what it passed; None where it does."""
    if run.exit_status == "ok":
        return None
    status = _OVERRUN[phase.budget] if run.exit_status == "timeout" else _STATUS.get(run.exit_status, Status.CRASH)
    found = _named(phase, run, seeds, status, _line(task, phase, run, log, clock))
    return found.model_copy(update={"margin": _passed(phase, run, clock)})


def too_large(task: Task, phase: Phase, runs: Sequence[PhaseRun], source_bytes: int, seeds: int) -> Fault | None:
    """The fault of source and counted artifacts of the last run's seed that are over their common cap."""
    cap, run = task.limits.total_bytes, runs[-1]
    if cap is None or not phase.counted:
        return None
    counted = {p.name for p in task.phases if p.counted}
    made = sum(r.artifact_bytes or 0 for r in runs if r.phase in counted and r.seed_index in {run.seed_index, None})
    size = source_bytes + made
    if size <= cap:
        return None
    line = f"source and artifact have {size:,} bytes, {size - cap:,} over the {cap:,}"
    return _named(phase, run, seeds, Status.SIZE_BLOCKED, line)


def broken_dialogue(phase: Phase, run: PhaseRun, seeds: int) -> Fault:
    """The fault of a dialogue that the evaluator could not end: the recipe's, since it could have seen to that.

    What the evaluator says of it may hold hidden data, and stays in its log.
    """
    return _named(phase, run, seeds, Status.CRASH, "broke off the dialogue")


def _line(task: Task, phase: Phase, run: PhaseRun, log: bytes, clock: Clock) -> str:
    made = phase.artifact
    match run.exit_status:
        case "timeout" if run.elapsed_s < phase.limit_s:
            return (
                f"killed after {run.wall_s:.1f} s of wall time, the most for a limit of {phase.limit_s:g} CPU seconds, "
                f"of which it used {run.elapsed_s:.1f}"
            )
        case "timeout":
            return f"killed at {run.elapsed_s:.1f} s; the limit is {phase.limit_s:g} s ({clock} clock)"
        case "not_ready":
            return (
                "ended without READY"
                if run.exit_code == 0
                else f"did not say READY, and nothing else, within {phase.ready_s:g} s"
            )
        case "memory":
            return f"used more than {task.limits.memory_bytes:,} bytes of memory"
        case "files":
            return f"made more than {task.limits.scratch_files:,} files"
        case "absent" if made:
            return f"left no {made.path} in /out"
        case "refused" if made:
            return f"left something else than a plain file as {made.path}"
        case "oversize" if made:
            size = run.artifact_bytes or 0
            return f"{made.path} has {size:,} bytes, {size - made.max_bytes:,} over the {made.max_bytes:,}"
        case _:
            return f"exited {run.exit_code}" + (f": {found}" if (found := last_error(log)) else "")


def _passed(phase: Phase, run: PhaseRun, clock: Clock) -> Margin | None:
    """The limit that a run passed, where it is none of those that every measurement is compared with."""
    if run.exit_status == "timeout" and run.elapsed_s < phase.limit_s:
        name, value, limit = f"{phase.name} wall time", run.wall_s, backstop(phase.limit_s, clock)
    elif run.exit_status == "not_ready" and phase.ready_s and run.setup_s > backstop(phase.ready_s, clock):
        name, value, limit = f"{phase.name} until READY", run.setup_s, backstop(phase.ready_s, clock)
    else:
        return None
    return Margin.below(name, value, limit, "s")


def _named(phase: Phase, run: PhaseRun, seeds: int, status: Status, line: str) -> Fault:
    where = phase.name if run.seed_index is None else f"{phase.name} (seed {run.seed_index + 1} of {seeds})"
    return Fault(status=status, failure=clip(f"{where} {line}", 400), phase=phase.name, seed_index=run.seed_index)
