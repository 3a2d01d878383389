"""Faults: the status and the line of a run that did not end well."""

from collections.abc import Sequence

from lineage_repo.model.manifest import Phase, Task
from lineage_repo.model.measurement import Clock, Fault, Margin, PhaseRun, Status
from lineage_repo.text.sanitize import clip
from mcp_server.sandbox.box import backstop
from mcp_server.sandbox.log import last_error

_STATUS = {"oversize": Status.SIZE_BLOCKED, "refused": Status.ILLEGAL}
_OVERRUN = {"train": Status.TRAIN_BUDGET_OVERRUN, "eval": Status.EVAL_BUDGET_OVERRUN}


def classify_run(task: Task, phase: Phase, run: PhaseRun, log: bytes, n_seeds: int, clock: Clock) -> Fault | None:
    """Return why a run left nothing to score, with the margin of the limit that it passed; None if it ended well."""
    if run.exit_status == "ok":
        return None
    status = _OVERRUN[phase.budget] if run.exit_status == "timeout" else _STATUS.get(run.exit_status, Status.CRASH)
    fault = _make_fault(phase, run, n_seeds, status, _explain(task, phase, run, log, clock))
    return fault.model_copy(update={"margin": _find_passed_limit(phase, run, clock)})


def check_total_size(
    task: Task, phase: Phase, runs: Sequence[PhaseRun], source_bytes: int, n_seeds: int
) -> Fault | None:
    """Return a fault if the source and the counted artifacts of the last run's seed exceed their common cap."""
    cap, run = task.limits.total_bytes, runs[-1]
    if cap is None or not phase.counted:
        return None
    counted = {p.name for p in task.phases if p.counted}
    same_seed = [r for r in runs if r.phase in counted and r.seed_index in {run.seed_index, None}]
    size = source_bytes + sum(r.artifact_bytes or 0 for r in same_seed)
    if size <= cap:
        return None
    line = f"source and artifact have {size:,} bytes, {size - cap:,} over the {cap:,}"
    return _make_fault(phase, run, n_seeds, Status.SIZE_BLOCKED, line)


def broken_dialogue(phase: Phase, run: PhaseRun, n_seeds: int) -> Fault:
    """Blame the recipe for a dialogue that the evaluator could not end, since a recipe can cause that.

    What the evaluator wrote about it may hold hidden data, and stays in its log.
    """
    return _make_fault(phase, run, n_seeds, Status.CRASH, "broke off the dialogue")


def _explain(task: Task, phase: Phase, run: PhaseRun, log: bytes, clock: Clock) -> str:
    artifact = phase.artifact
    match run.exit_status:
        case "timeout" if run.elapsed_s < phase.limit_s:
            return (
                f"killed after {run.wall_s:.1f} s of wall time, the most for a limit of {phase.limit_s:g} CPU seconds, "
                f"of which it used {run.elapsed_s:.1f}"
            )
        case "timeout":
            return f"killed at {run.elapsed_s:.1f} s; the limit is {phase.limit_s:g} s ({clock} clock)"
        case "not_ready" if run.exit_code == 0:
            return "ended without READY"
        case "not_ready":
            return f"did not say READY, and nothing else, within {phase.ready_s:g} s"
        case "memory":
            return f"used more than {task.limits.memory_bytes:,} bytes of memory"
        case "files":
            return f"made more than {task.limits.scratch_files:,} files"
        case "absent" if artifact:
            return f"left no {artifact.path} in /out"
        case "refused" if artifact:
            return f"left something else than a plain file as {artifact.path}"
        case "oversize" if artifact:
            size = run.artifact_bytes or 0
            return f"{artifact.path} has {size:,} bytes, {size - artifact.max_bytes:,} over the {artifact.max_bytes:,}"
        case _:
            return f"exited {run.exit_code}" + (f": {line}" if (line := last_error(log)) else "")


def _find_passed_limit(phase: Phase, run: PhaseRun, clock: Clock) -> Margin | None:
    """Return the margin of a passed limit that no measurement shows: wall time beside a CPU cap, time until READY."""
    if run.exit_status == "timeout" and run.elapsed_s < phase.limit_s:
        return Margin.below(f"{phase.name} wall time", run.wall_s, backstop(phase.limit_s, clock), "s")
    if run.exit_status == "not_ready" and phase.ready_s and run.setup_s > backstop(phase.ready_s, clock):
        return Margin.below(f"{phase.name} until READY", run.setup_s, backstop(phase.ready_s, clock), "s")
    return None


def _make_fault(phase: Phase, run: PhaseRun, n_seeds: int, status: Status, line: str) -> Fault:
    where = phase.name
    if run.seed_index is not None and n_seeds > 1:
        where += f" (seed {run.seed_index + 1} of {n_seeds})"
    return Fault(status=status, failure=clip(f"{where} {line}", 400), phase=phase.name, seed_index=run.seed_index)
