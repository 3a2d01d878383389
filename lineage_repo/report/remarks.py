"""What stands out: sentences that are said only when a threshold is crossed, each leading to its figure."""

from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from lineage_repo.analysis.diversity import NEAR
from lineage_repo.analysis.predictions import compute_predictions
from lineage_repo.model.comparison import Outcome
from lineage_repo.model.measurement import Status
from lineage_repo.model.status_table import FAMILIES
from lineage_repo.monitor.record_view import level_text
from lineage_repo.report.data import ReportData, find_pauses
from lineage_repo.report.figure import format_gain, format_rounded, format_signed

_DOMINANT = 0.25
_CALIBRATED = 20
_PLATEAU = 0.25


class Remark(NamedTuple):
    """One sentence; `warns` if somebody should act on it."""

    warns: bool
    text: str
    figure: str


def collect_remarks(data: ReportData) -> list[Remark]:
    """List what a reader should know first, warnings first."""
    checks = (
        _check_claims,
        _check_demotions,
        _check_ties,
        _check_superseded,
        _check_failures,
        _check_margins,
        _check_idle_time,
        _check_predictions,
        _check_repeats,
        _check_plateau,
        _check_data,
    )
    found = [remark for check in checks for remark in check(data)]
    return sorted(found, key=lambda remark: not remark.warns)


def _check_claims(data: ReportData) -> Iterator[Remark]:
    """What is proven, and what is not."""
    lineage, objective = data.lineage, data.objective
    head, anchor = lineage.head, lineage.anchor
    if lineage.is_imported or head is None or anchor is None:
        return
    claim = data.claims.of(anchor.number)
    if claim.gain and claim.level in {"replicated", "certified"}:
        level = level_text(claim.level, None, claim.steps)
        text = f"Proven: #{anchor.number} gains {objective.gain_text(claim.gain)} over the start ({level})."
        yield Remark(False, text, "proofs")
    if head.number != anchor.number and (gain := data.claims.of(head.number).gain):
        over = f"#{anchor.number}" if anchor.number else "the start"
        text = f"Not proven: the head #{head.number} was observed to gain {objective.gain_text(gain)} over the start; "
        yield Remark(True, f"{text}`espalier replicate` tests it against {over}.", "progress")
    elif not anchor.number and data.kept:
        yield Remark(True, "Nothing is proven: no keep stands, and the head is the start again.", "proofs")
    tests = sum(proof.level == "replicated" for proof in lineage.proofs.values())
    if passed := sum(p.level == "replicated" and p.outcome is Outcome.PASSED for p in lineage.proofs.values()):
        false = tests * sum(lineage.task.judge.replicated_p)
        text = f"{passed} of {tests} replications passed; at most {false:.2g} would by luck alone."
        yield Remark(False, text, "proofs")


def _check_demotions(data: ReportData) -> Iterator[Remark]:
    for demotion in data.lineage.demotions:
        text = f"Proof {demotion.proof} found no gain in #{demotion.number}: the head fell back to #{demotion.head}."
        yield Remark(True, text, "proofs")


def _check_ties(data: ReportData) -> Iterator[Remark]:
    kept = data.kept
    if kept and all(row.low is None for row in kept):
        text = "The record holds no noise: no keep can be told from luck. --noise names it."
        yield Remark(True, text, "progress")
    elif ties := sum(row.low is not None and row.low <= 0 for row in kept):
        text = f"{ties} of {len(kept)} keeps are ties with the head before them: their 95 % intervals hold 0."
        yield Remark(True, text, "progress")


def _check_superseded(data: ReportData) -> Iterator[Remark]:
    if superseded := data.superseded:
        largest = max(superseded, key=lambda row: row.gain or 0.0)
        text = f"{len(superseded)} of {len(data.kept)} keeps do not lead to the head; the largest is #{largest.t}."
        yield Remark(True, text, "lineage")


def _check_failures(data: ReportData) -> Iterator[Remark]:
    failed = Counter(row.status for row in data.trials if row.score is None)
    for status, n in failed.most_common(2):
        if n >= 3 and n / len(data.trials) >= _DOMINANT:
            yield Remark(True, f"{n} of {len(data.trials)} trials ended as {status}.", "mix")


def _check_margins(data: ReportData) -> Iterator[Remark]:
    for i, name in enumerate(data.limits):
        misses = data.count_misses(name)
        if misses.missed >= 3:
            text = f"{misses.missed} trials missed {name}, half of them by less than {format_rounded(misses.median)}"
            text += f"; {misses.better} of them measured better than the head." if misses.better else "."
            yield Remark(bool(misses.better), text, f"margin{i}")


def _check_idle_time(data: ReportData) -> Iterator[Remark]:
    gaps = [b - a for a, b in find_pauses(data.rows)]
    hours = data.hours or 0.0
    if gaps and sum(gaps) > 0.1 * hours:
        text = f"Nothing was recorded for {sum(gaps):.1f} of {hours:.1f} hours; the longest gap is {max(gaps):.1f} h."
        yield Remark(True, text, "slots")


def _check_predictions(data: ReportData) -> Iterator[Remark]:
    if len(data.predicted) < _CALIBRATED:
        return
    found, digits = compute_predictions(data.lineage), data.objective.digits
    expected, measured = (format_signed(v, digits) for v in (found.median_expected, found.median_measured))
    text = (
        f"{found.expected_gain / found.trials:.0%} of measured trials predicted a gain, "
        f"{found.shown / found.trials:.0%} show one beyond the noise (medians {expected} and {measured})."
    )
    yield Remark(False, text, "calibration")


def _check_repeats(data: ReportData) -> Iterator[Remark]:
    if repeats := [row.t for row in data.trials if (row.near or 0.0) >= NEAR]:
        names = ", ".join(f"#{t}" for t in repeats[:5]) + (" and others" if len(repeats) > 5 else "")
        yield Remark(False, f"{len(repeats)} trials nearly repeat an earlier hypothesis: {names}.", "novelty")


def _check_plateau(data: ReportData) -> Iterator[Remark]:
    after = list(takewhile(lambda row: row.status is not Status.KEEP, reversed(data.trials)))
    if len(after) >= 20 and len(after) >= _PLATEAU * len(data.trials):
        hours = sum(row.slot_h or 0.0 for row in after)
        took = f" ({hours:.1f} slot-hours)" if hours else ""
        yield Remark(False, f"No keep in the last {len(after)} trials{took}.", "price")


def _check_data(data: ReportData) -> Iterator[Remark]:
    repaired = sum(bool(t.imported and t.imported.repairs) for t in data.lineage.trials.values())
    if repaired:
        yield Remark(True, f"The import repaired {repaired} trials; `espalier show` says how.", "trials")
    aborted = sum(row.family == FAMILIES[-1].name for row in data.trials)
    if aborted:
        text = f"{aborted} trials were aborted by the harness or the operator: no evidence about recipes."
        yield Remark(False, text, "mix")


def write_headline(data: ReportData) -> str:
    """Sum up the campaign in one sentence: what is gained over the start, and how well that is proven."""
    objective, head = data.objective, data.lineage.head
    n = len(data.trials)
    took = "" if data.hours is None else f" in {_format_span(data.hours)}"
    count = f"{n} trial{'s' * (n != 1)}{took}"
    if head is None or head.score is None:
        return f"{count}, and no baseline with a score yet."
    claim = data.claims.of(head.number)
    if claim.gain is None:
        still = f"{head.score:.{objective.digits}f}"
        return f"{count} left {objective.metric} at {still}: nothing is gained." if n else "No trial is recorded yet."
    gain = format_gain(claim.gain.mean, claim.gain.low, claim.gain.high, objective.digits)
    level = "noise unknown" if claim.gain.low is None else claim.level or "not proven"
    return f"{count} gained {gain} {objective.unit} in {objective.metric} over the start ({level})."


def _format_span(hours: float) -> str:
    for name, size in (("hours", 1.0), ("minutes", 60.0)):
        if hours * size >= 2:
            return f"{hours * size:.0f} {name}"
    return f"{hours * 3600:.0f} seconds"


def collect_tiles(data: ReportData) -> list[tuple[str, str]]:
    """List up to six numbers: what, and how much."""
    objective, lineage = data.objective, data.lineage
    tiles: list[tuple[str, str]] = []
    for what, trial in (("head", lineage.head), ("anchor", lineage.anchor)):
        if trial is None or (what == "anchor" and lineage.is_imported):
            continue
        claim = data.claims.of(trial.number)
        level = "" if lineage.is_imported else f", {claim.level or 'the start'}"
        gain = claim.gain
        text = format_gain(gain.mean, gain.low, gain.high, objective.digits) if gain else "0"
        tiles.append((f"{objective.unit} gained by the {what} (#{trial.number}{level}), 95 %", text))
    tiles.append(("trials", str(len(data.trials))))
    tiles.append((f"kept, {sum(row.on_path for row in data.kept)} of them on the way to the head", str(len(data.kept))))
    if spent := data.slot_hours:
        tiles.append(("slot-hours", f"{spent:.1f}"))
        if data.hours:
            lanes = 1 + max(row.lane for row in data.rows if row.lane is not None)
            tiles.append(("of the concurrent slots' time was used", f"{spent / data.hours / lanes:.0%}"))
    return tiles
