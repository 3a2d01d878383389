"""Report a dry run: the room under the limits that it reached, and which limits it did not reach."""

import builtins
import re
from collections.abc import Sequence
from statistics import fmean, stdev

from lineage_repo.model.manifest import Phase, Task
from lineage_repo.model.measurement import Fault, Measurement, PhaseRun, Status
from lineage_repo.verdict.margins import measure_limits
from mcp_server.tools.replies import SizeReply


def make_size_reply(
    task: Task, measurement: Measurement, fault: Fault | None, dry_run_s: float, calibrations: Sequence[Measurement]
) -> SizeReply:
    """Report the margins of one seed. A phase that the dry run cut off is not a failure, and is not projected."""
    cut = next(
        (r for r in measurement.phases if r.exit_status == "timeout" and dry_run_s < task.phase(r.phase).limit_s), None
    )
    unknown: list[Phase] = []
    if cut:
        ran = {run.phase for run in measurement.phases if run is not cut}
        unknown = [phase for phase in task.phases if phase.name not in ran]
        measurement = measurement.model_copy(update={"phases": tuple(r for r in measurement.phases if r is not cut)})
    partial = any(phase.counted for phase in unknown)
    margins = [m for m in measure_limits(task, measurement) if not (partial and m.name == "total size")]
    over = [m.name for m in margins if m.margin < 0]
    if fault and not cut:
        finding = f"The dry run failed: {_redact(fault)}."
    elif over:
        finding = f"Over the limit: {', '.join(over)}."
    else:
        finding = "Within every limit that was measured." if cut else "Within every limit."
    if cut:
        finding = f"{_explain_cut(cut, unknown, dry_run_s)}. {finding}"
    return SizeReply(
        source_bytes=measurement.source_bytes,
        margins=margins,
        message=f"{finding} One seed; {_describe_variation(task, calibrations)}.",
    )


def _explain_cut(cut: PhaseRun, unknown: Sequence[Phase], dry_run_s: float) -> str:
    phase, *later = unknown
    wall = f" ({cut.wall_s:.0f} s on the wall)" if cut.elapsed_s < dry_run_s else ""
    took = f"{min(cut.elapsed_s, dry_run_s):.3g} s{wall} of the {phase.limit_s:g} s allowed"
    rest = f", and nothing of {', '.join(p.name for p in later)}" if later else ""
    return f"{phase.name} was still running after {took}, so its time is not projected{rest}"


def _describe_variation(task: Task, calibrations: Sequence[Measurement]) -> str:
    """Say how much the slowest timed phase of the start varied over the calibrations."""
    seconds = {
        phase.name: [r.elapsed_s for c in calibrations for r in c.phases if r.phase == phase.name]
        for phase in [p for p in task.phases if p.timed] or task.phases
    }
    name, runs = max(seconds.items(), key=lambda pair: fmean(pair[1] or [0.0]))
    if len(runs) < 2 or not fmean(runs):
        return f"how much {name}'s time varies is not known from {len(runs)} calibration run{'s' * (len(runs) != 1)}"
    share = stdev(runs) / fmean(runs)
    return f"the start's {name} time varied by {share:.0%} (one standard deviation, {len(runs)} calibration runs)"


def _redact(fault: Fault) -> str:
    """Explain a failure without the recipe's words: a dry run costs no submit, so no data may leave a box by it."""
    if fault.status is not Status.CRASH:
        return fault.failure
    known = [
        name for name in re.findall(r"\b[A-Z]\w*\b", fault.failure) if isinstance(getattr(builtins, name, None), type)
    ]
    kind = f" by {known[0]}" if known else ""
    return f"{fault.phase or 'the evaluator'} ends as a crash{kind}; a submitted trial says more"
