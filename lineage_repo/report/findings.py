"""What stands out: sentences that are said only when a threshold is crossed, each leading to its figure."""

from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from statistics import median
from typing import NamedTuple

from lineage_repo.analysis.diversity import NEAR
from lineage_repo.model.measurement import Status
from lineage_repo.report.data import ReportData, find_pauses
from lineage_repo.report.figure import format_rounded, format_signed
from lineage_repo.report.palette import FAMILIES

_DOMINANT = 0.25
_CALIBRATED = 20
_PLATEAU = 0.25


class Finding(NamedTuple):
    """One sentence; `warns` where somebody should act on it."""

    warns: bool
    text: str
    figure: str


def collect_findings(survey: ReportData) -> list[Finding]:
    """What a reader should know first, warnings first."""
    parts = (_certified, _noise, _superseded, _failures, _margins, _idle, _calibration, _repeats, _plateau, _data)
    found = [finding for part in parts for finding in part(survey)]
    return sorted(found, key=lambda finding: not finding.warns)


def _certified(survey: ReportData) -> Iterator[Finding]:
    objective, again = survey.lineage.task.objective, survey.lineage.certifications
    for nth, entry in enumerate(again, 1):
        verdict = "beats" if entry.certified else "does not beat"
        gain = f"gain {entry.gain:.{objective.digits}f} {objective.unit}, p {entry.p:.2g}"
        which = f" (certification {nth} of {len(again)})" if len(again) > 1 else ""
        text = f"On fresh seeds #{entry.number} {verdict} #{entry.against} by the task's rule{which}: {gain}."
        yield Finding(not entry.certified, text, "progress")


def _noise(survey: ReportData) -> Iterator[Finding]:
    if survey.noise is None:
        if survey.kept:
            text = "The record holds no noise: no keep can be told from luck. --noise names it."
            yield Finding(True, text, "progress")
        return
    small = [row for row in survey.kept if row.gain is not None and row.gain <= survey.noise]
    if small:
        digits = survey.lineage.task.objective.digits
        text = (
            f"{len(small)} of {len(survey.kept)} keeps gained less than one trial's noise, ±{survey.noise:.{digits}f}."
        )
        yield Finding(True, text, "progress")


def _superseded(survey: ReportData) -> Iterator[Finding]:
    aside = [row for row in survey.kept if not row.on_path]
    if aside:
        most = max(aside, key=lambda row: row.gain or 0.0)
        text = f"{len(aside)} of {len(survey.kept)} keeps are not in the best recipe; the largest is #{most.t}."
        yield Finding(True, text, "lineage")


def _failures(survey: ReportData) -> Iterator[Finding]:
    failed = Counter(row.status for row in survey.trials if row.score is None)
    for status, n in failed.most_common(2):
        if n >= 3 and n / len(survey.trials) >= _DOMINANT:
            yield Finding(True, f"{n} of {len(survey.trials)} trials ended as {status}.", "mix")


def _margins(survey: ReportData) -> Iterator[Finding]:
    objective, best = survey.lineage.task.objective, survey.lineage.best
    names = dict.fromkeys(name for row in survey.trials for name in row.margins)
    for i, name in enumerate(names):
        missed = [(-row.margins[name], row.value) for row in survey.trials if row.margins.get(name, 0.0) < 0]
        if len(missed) < 3:
            continue
        text = f"{len(missed)} trials missed {name}, half of them by less than {format_rounded(median(m for m, _ in missed))}"
        score = best.score if best else None
        better = [v for _, v in missed if v is not None and score is not None and objective.gain(v, score) > 0]
        text += f"; {len(better)} of them measured better than the best." if better else "."
        yield Finding(bool(better), text, f"margin{i}")


def _idle(survey: ReportData) -> Iterator[Finding]:
    gaps = [b - a for a, b in find_pauses(survey.rows)]
    hours = max((row.end_h for row in survey.rows if row.end_h is not None), default=0.0)
    if gaps and sum(gaps) > 0.1 * hours:
        text = f"Nothing was recorded for {sum(gaps):.1f} of {hours:.1f} hours; the longest gap is {max(gaps):.1f} h."
        yield Finding(True, text, "slots")


def _calibration(survey: ReportData) -> Iterator[Finding]:
    gain = survey.lineage.task.objective.gain
    both = [(r.expected, r.vs_parent) for r in survey.trials if r.expected is not None and r.vs_parent is not None]
    if len(both) < _CALIBRATED:
        return
    hoped, gained = (sum(gain(values[i], 0.0) > 0 for values in both) for i in (0, 1))
    digits = survey.lineage.task.objective.digits
    expected, measured = (format_signed(median(values[i] for values in both), digits) for i in (0, 1))
    text = (
        f"{hoped / len(both):.0%} of measured trials predicted a gain, {gained / len(both):.0%} had one "
        f"(median {expected} predicted, {measured} measured)."
    )
    yield Finding(False, text, "calibration")


def _repeats(survey: ReportData) -> Iterator[Finding]:
    if repeats := [row.t for row in survey.trials if (row.near or 0.0) >= NEAR]:
        names = ", ".join(f"#{t}" for t in repeats[:5]) + (" and others" if len(repeats) > 5 else "")
        yield Finding(False, f"{len(repeats)} trials nearly repeat an earlier hypothesis: {names}.", "novelty")


def _plateau(survey: ReportData) -> Iterator[Finding]:
    after = list(takewhile(lambda row: row.status is not Status.KEEP, reversed(survey.trials)))
    if len(after) >= 20 and len(after) >= _PLATEAU * len(survey.trials):
        hours = sum(row.slot_h or 0.0 for row in after)
        took = f" ({hours:.1f} slot-hours)" if hours else ""
        yield Finding(False, f"No keep in the last {len(after)} trials{took}.", "price")


def _data(survey: ReportData) -> Iterator[Finding]:
    repaired = sum(bool(t.imported and t.imported.repairs) for t in survey.lineage.trials.values())
    if repaired:
        yield Finding(True, f"The import repaired {repaired} trials; `espalier show` says how.", "trials")
    aborted = sum(row.family == FAMILIES[-1].name for row in survey.trials)
    if aborted:
        yield Finding(
            False, f"{aborted} trials were aborted by the harness or the operator: no evidence about recipes.", "mix"
        )


def write_headline(survey: ReportData) -> str:
    """The campaign in one sentence."""
    objective, base, best = survey.lineage.task.objective, survey.lineage.trials.get(0), survey.lineage.best
    n = len(survey.trials)
    ends = [row.end_h for row in survey.rows if row.end_h is not None]
    span = max(ends, default=0.0)
    took = f" in {_span(span)}" if ends else ""
    count = f"{n} trial{'s' * (n != 1)}{took}"
    if base is None or base.score is None or best is None or best.score is None:
        return f"{count}, and no baseline with a score yet."
    start = f"{base.score:.{objective.digits}f}"
    if best.number == 0:
        return f"{count} left {objective.metric} at {start}: nothing was kept." if n else "No trial is recorded yet."
    return f"{count} took {objective.metric} from {start} to {best.score:.{objective.digits}f} {objective.unit}."


def _span(hours: float) -> str:
    for name, size in (("hours", 1.0), ("minutes", 60.0)):
        if hours * size >= 2:
            return f"{hours * size:.0f} {name}"
    return f"{hours * 3600:.0f} seconds"


def collect_tiles(survey: ReportData) -> list[tuple[str, str]]:
    """Six numbers: what, and how much."""
    objective, base, best = survey.lineage.task.objective, survey.lineage.trials.get(0), survey.lineage.best
    found: list[tuple[str, str]] = []
    if best is not None and best.score is not None and base is not None and base.score is not None:
        found.append(
            (f"best {objective.metric}, {objective.unit} (#{best.number})", f"{best.score:.{objective.digits}f}")
        )
        change = best.score - base.score
        times = f", {abs(change) / survey.noise:.1f} times the noise" if survey.noise else ", noise unknown"
        found.append((f"against the start{times}", format_signed(change, objective.digits)))
    found.append(("trials", str(len(survey.trials))))
    found.append((f"kept, {sum(row.on_path for row in survey.kept)} of them in the best", str(len(survey.kept))))
    spent = survey.rows[-1].spent_h if survey.rows else None
    if spent:
        found.append(("slot-hours", f"{spent:.1f}"))
        ends = [row.end_h for row in survey.rows if row.end_h is not None]
        lanes = [row.lane for row in survey.rows if row.lane is not None]
        if ends and max(ends):
            found.append(("of the concurrent slots' time was used", f"{spent / max(ends) / (1 + max(lanes)):.0%}"))
    return found
