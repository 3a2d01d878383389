"""What stands out: sentences that are said only when a threshold is crossed, each leading to its figure."""

from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from lineage_repo.analysis.diversity import NEAR
from lineage_repo.analysis.predictions import compute_predictions
from lineage_repo.model.measurement import Status
from lineage_repo.model.status_table import FAMILIES
from lineage_repo.report.data import ReportData, find_pauses
from lineage_repo.report.figure import format_rounded, format_signed

_DOMINANT = 0.25
_CALIBRATED = 20
_PLATEAU = 0.25


class Finding(NamedTuple):
    """One sentence; `warns` if somebody should act on it."""

    warns: bool
    text: str
    figure: str


def collect_findings(data: ReportData) -> list[Finding]:
    """List what a reader should know first, warnings first."""
    checks = (
        _check_certifications,
        _check_noise,
        _check_superseded,
        _check_failures,
        _check_margins,
        _check_idle_time,
        _check_predictions,
        _check_repeats,
        _check_plateau,
        _check_data,
    )
    found = [finding for check in checks for finding in check(data)]
    return sorted(found, key=lambda finding: not finding.warns)


def _check_certifications(data: ReportData) -> Iterator[Finding]:
    objective, entries = data.objective, data.lineage.certifications
    for nth, entry in enumerate(entries, 1):
        verdict = "beats" if entry.certified else "does not beat"
        gain = f"gain {entry.gain:.{objective.digits}f} {objective.unit}, p {entry.p:.2g}"
        which = f" (certification {nth} of {len(entries)})" if len(entries) > 1 else ""
        text = f"On fresh seeds #{entry.number} {verdict} #{entry.against} by the task's rule{which}: {gain}."
        yield Finding(not entry.certified, text, "progress")


def _check_noise(data: ReportData) -> Iterator[Finding]:
    kept, noise = data.kept, data.noise
    if noise is None:
        if kept:
            text = "The record holds no noise: no keep can be told from luck. --noise names it."
            yield Finding(True, text, "progress")
    elif small := sum(row.gain is not None and row.gain <= noise for row in kept):
        limit = f"±{noise:.{data.objective.digits}f}"
        yield Finding(True, f"{small} of {len(kept)} keeps gained less than one trial's noise, {limit}.", "progress")


def _check_superseded(data: ReportData) -> Iterator[Finding]:
    if superseded := data.superseded:
        largest = max(superseded, key=lambda row: row.gain or 0.0)
        text = f"{len(superseded)} of {len(data.kept)} keeps are not in the best recipe; the largest is #{largest.t}."
        yield Finding(True, text, "lineage")


def _check_failures(data: ReportData) -> Iterator[Finding]:
    failed = Counter(row.status for row in data.trials if row.score is None)
    for status, n in failed.most_common(2):
        if n >= 3 and n / len(data.trials) >= _DOMINANT:
            yield Finding(True, f"{n} of {len(data.trials)} trials ended as {status}.", "mix")


def _check_margins(data: ReportData) -> Iterator[Finding]:
    for i, name in enumerate(data.limits):
        misses = data.count_misses(name)
        if misses.missed >= 3:
            text = f"{misses.missed} trials missed {name}, half of them by less than {format_rounded(misses.median)}"
            text += f"; {misses.better} of them measured better than the best." if misses.better else "."
            yield Finding(bool(misses.better), text, f"margin{i}")


def _check_idle_time(data: ReportData) -> Iterator[Finding]:
    gaps = [b - a for a, b in find_pauses(data.rows)]
    hours = data.hours or 0.0
    if gaps and sum(gaps) > 0.1 * hours:
        text = f"Nothing was recorded for {sum(gaps):.1f} of {hours:.1f} hours; the longest gap is {max(gaps):.1f} h."
        yield Finding(True, text, "slots")


def _check_predictions(data: ReportData) -> Iterator[Finding]:
    if len(data.predicted) < _CALIBRATED:
        return
    found, digits = compute_predictions(data.lineage), data.objective.digits
    expected, measured = (format_signed(v, digits) for v in (found.median_expected, found.median_measured))
    text = (
        f"{found.expected_gain / found.trials:.0%} of measured trials predicted a gain, "
        f"{found.gained / found.trials:.0%} had one (median {expected} predicted, {measured} measured)."
    )
    yield Finding(False, text, "calibration")


def _check_repeats(data: ReportData) -> Iterator[Finding]:
    if repeats := [row.t for row in data.trials if (row.near or 0.0) >= NEAR]:
        names = ", ".join(f"#{t}" for t in repeats[:5]) + (" and others" if len(repeats) > 5 else "")
        yield Finding(False, f"{len(repeats)} trials nearly repeat an earlier hypothesis: {names}.", "novelty")


def _check_plateau(data: ReportData) -> Iterator[Finding]:
    after = list(takewhile(lambda row: row.status is not Status.KEEP, reversed(data.trials)))
    if len(after) >= 20 and len(after) >= _PLATEAU * len(data.trials):
        hours = sum(row.slot_h or 0.0 for row in after)
        took = f" ({hours:.1f} slot-hours)" if hours else ""
        yield Finding(False, f"No keep in the last {len(after)} trials{took}.", "price")


def _check_data(data: ReportData) -> Iterator[Finding]:
    repaired = sum(bool(t.imported and t.imported.repairs) for t in data.lineage.trials.values())
    if repaired:
        yield Finding(True, f"The import repaired {repaired} trials; `espalier show` says how.", "trials")
    aborted = sum(row.family == FAMILIES[-1].name for row in data.trials)
    if aborted:
        text = f"{aborted} trials were aborted by the harness or the operator: no evidence about recipes."
        yield Finding(False, text, "mix")


def write_headline(data: ReportData) -> str:
    """Sum up the campaign in one sentence."""
    objective, start, best = data.objective, data.start_score, data.best_score
    n = len(data.trials)
    took = "" if data.hours is None else f" in {_format_span(data.hours)}"
    count = f"{n} trial{'s' * (n != 1)}{took}"
    if start is None or best is None or data.lineage.best is None:
        return f"{count}, and no baseline with a score yet."
    before, after = (f"{score:.{objective.digits}f}" for score in (start, best))
    if data.lineage.best.number == 0:
        return f"{count} left {objective.metric} at {before}: nothing was kept." if n else "No trial is recorded yet."
    return f"{count} took {objective.metric} from {before} to {after} {objective.unit}."


def _format_span(hours: float) -> str:
    for name, size in (("hours", 1.0), ("minutes", 60.0)):
        if hours * size >= 2:
            return f"{hours * size:.0f} {name}"
    return f"{hours * 3600:.0f} seconds"


def collect_tiles(data: ReportData) -> list[tuple[str, str]]:
    """List up to six numbers: what, and how much."""
    objective, start, best = data.objective, data.start_score, data.best_score
    tiles: list[tuple[str, str]] = []
    if data.lineage.best and start is not None and best is not None:
        name = f"best {objective.metric}, {objective.unit} (#{data.lineage.best.number})"
        times = f"{abs(best - start) / data.noise:.1f} times the noise" if data.noise else "noise unknown"
        tiles.append((name, f"{best:.{objective.digits}f}"))
        tiles.append((f"against the start, {times}", format_signed(best - start, objective.digits)))
    tiles.append(("trials", str(len(data.trials))))
    tiles.append((f"kept, {sum(row.on_path for row in data.kept)} of them in the best", str(len(data.kept))))
    if spent := data.slot_hours:
        tiles.append(("slot-hours", f"{spent:.1f}"))
        if data.hours:
            lanes = 1 + max(row.lane for row in data.rows if row.lane is not None)
            tiles.append(("of the concurrent slots' time was used", f"{spent / data.hours / lanes:.0%}"))
    return tiles
