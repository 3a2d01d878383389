"""What stands out: sentences that are said only when a threshold is crossed, each leading to its figure."""

from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from lineage_repo.analysis.diversity import NEAR
from lineage_repo.report.figure import rounded, signed
from lineage_repo.report.palette import FAMILIES
from lineage_repo.report.rows import Digest, pauses

_DOMINANT = 0.25
_CALIBRATED = 20
_PLATEAU = 0.25


class Finding(NamedTuple):
    """One sentence; `warns` where somebody should act on it."""

    warns: bool
    text: str
    figure: str


def findings(digest: Digest) -> list[Finding]:
    """What a reader should know first, warnings first."""
    parts = (_noise, _superseded, _failures, _margins, _idle, _calibration, _repeats, _plateau, _data)
    found = [finding for part in parts for finding in part(digest)]
    return sorted(found, key=lambda finding: not finding.warns)


def _noise(digest: Digest) -> Iterator[Finding]:
    if digest.noise is None:
        if digest.kept:
            text = "The record holds no noise: no keep can be told from luck. --noise names it."
            yield Finding(True, text, "progress")
        return
    small = [row for row in digest.kept if row.gain is not None and row.gain <= digest.noise]
    if small:
        digits = digest.lineage.task.objective.digits
        text = (
            f"{len(small)} of {len(digest.kept)} keeps gained less than one trial's noise, ±{digest.noise:.{digits}f}."
        )
        yield Finding(True, text, "progress")


def _superseded(digest: Digest) -> Iterator[Finding]:
    aside = [row for row in digest.kept if not row.on_path]
    if aside:
        most = max(aside, key=lambda row: row.gain or 0.0)
        text = f"{len(aside)} of {len(digest.kept)} keeps are not in the best recipe; the largest is #{most.t}."
        yield Finding(True, text, "lineage")


def _failures(digest: Digest) -> Iterator[Finding]:
    failed = Counter(row.status for row in digest.trials if row.score is None)
    for status, n in failed.most_common(2):
        if n >= 3 and n / len(digest.trials) >= _DOMINANT:
            yield Finding(True, f"{n} of {len(digest.trials)} trials ended as {status}.", "mix")


def _margins(digest: Digest) -> Iterator[Finding]:
    objective, best = digest.lineage.task.objective, digest.lineage.best
    names = dict.fromkeys(name for row in digest.trials for name in row.margins)
    for i, name in enumerate(names):
        missed = [(-row.margins[name], row.value) for row in digest.trials if row.margins.get(name, 0.0) < 0]
        if len(missed) < 3:
            continue
        text = f"{len(missed)} trials missed {name}, half of them by less than {rounded(median(m for m, _ in missed))}"
        score = best.score if best else None
        better = [v for _, v in missed if v is not None and score is not None and objective.gain(v, score) > 0]
        text += f"; {len(better)} of them measured better than the best." if better else "."
        yield Finding(bool(better), text, f"margin{i}")


def _idle(digest: Digest) -> Iterator[Finding]:
    gaps = [b - a for a, b in pauses(digest.rows)]
    hours = max((row.end_h for row in digest.rows if row.end_h is not None), default=0.0)
    if gaps and sum(gaps) > 0.1 * hours:
        text = f"Nothing was recorded for {sum(gaps):.1f} of {hours:.1f} hours; the longest gap is {max(gaps):.1f} h."
        yield Finding(True, text, "slots")


def _calibration(digest: Digest) -> Iterator[Finding]:
    gain = digest.lineage.task.objective.gain
    both = [(r.expected, r.vs_parent) for r in digest.trials if r.expected is not None and r.vs_parent is not None]
    if len(both) < _CALIBRATED:
        return
    hoped, gained = (sum(gain(values[i], 0.0) > 0 for values in both) for i in (0, 1))
    digits = digest.lineage.task.objective.digits
    expected, measured = (signed(median(values[i] for values in both), digits) for i in (0, 1))
    text = (
        f"{hoped / len(both):.0%} of measured trials predicted a gain, {gained / len(both):.0%} had one "
        f"(median {expected} predicted, {measured} measured)."
    )
    yield Finding(False, text, "calibration")


def _repeats(digest: Digest) -> Iterator[Finding]:
    if repeats := [row.t for row in digest.trials if (row.near or 0.0) >= NEAR]:
        names = ", ".join(f"#{t}" for t in repeats[:5]) + (" and others" if len(repeats) > 5 else "")
        yield Finding(False, f"{len(repeats)} trials nearly repeat an earlier hypothesis: {names}.", "novelty")


def _plateau(digest: Digest) -> Iterator[Finding]:
    last = digest.kept[-1].t if digest.kept else 0
    after = [row for row in digest.trials if row.t > last]
    if len(after) >= 20 and len(after) >= _PLATEAU * len(digest.trials):
        hours = sum(row.slot_h or 0.0 for row in after)
        yield Finding(False, f"No keep in the last {len(after)} trials ({hours:.1f} slot-hours).", "price")


def _data(digest: Digest) -> Iterator[Finding]:
    repaired = sum(bool(t.imported and t.imported.repairs) for t in digest.lineage.trials.values())
    if repaired:
        yield Finding(True, f"The import repaired {repaired} trials; `espalier show` says how.", "trials")
    aborted = sum(row.family == FAMILIES[-1].name for row in digest.trials)
    if aborted:
        yield Finding(
            False, f"{aborted} trials are harness aborts: the host's fault, no evidence about recipes.", "mix"
        )


def headline(digest: Digest) -> str:
    """The campaign in one sentence."""
    objective, base, best = digest.lineage.task.objective, digest.lineage.trials.get(0), digest.lineage.best
    n = len(digest.trials)
    ends = [row.end_h for row in digest.rows if row.end_h is not None]
    span = max(ends, default=0.0)
    took = f" in {span:.0f} hours" if span >= 2 else f" in {span * 60:.0f} minutes" if ends else ""
    count = f"{n} trial{'s' * (n != 1)}{took}"
    if base is None or base.score is None or best is None or best.score is None:
        return f"{count}, and no baseline with a score yet."
    start = f"{base.score:.{objective.digits}f}"
    if best.number == 0:
        return f"{count} left {objective.metric} at {start}: nothing was kept." if n else "No trial is recorded yet."
    return f"{count} took {objective.metric} from {start} to {best.score:.{objective.digits}f} {objective.unit}."


def tiles(digest: Digest) -> list[tuple[str, str]]:
    """Six numbers: what, and how much."""
    objective, base, best = digest.lineage.task.objective, digest.lineage.trials.get(0), digest.lineage.best
    found: list[tuple[str, str]] = []
    if best is not None and best.score is not None and base is not None and base.score is not None:
        found.append(
            (f"best {objective.metric}, {objective.unit} (#{best.number})", f"{best.score:.{objective.digits}f}")
        )
        change = best.score - base.score
        times = f", {abs(change) / digest.noise:.1f} times the noise" if digest.noise else ", noise unknown"
        found.append((f"against the start{times}", signed(change, objective.digits)))
    found.append(("trials", str(len(digest.trials))))
    found.append((f"kept, {sum(row.on_path for row in digest.kept)} of them in the best", str(len(digest.kept))))
    spent = digest.rows[-1].spent_h if digest.rows else None
    if spent:
        found.append(("slot-hours", f"{spent:.1f}"))
        ends = [row.end_h for row in digest.rows if row.end_h is not None]
        lanes = [row.lane for row in digest.rows if row.lane is not None]
        if ends and max(ends):
            found.append(("of the concurrent slots' time was used", f"{spent / max(ends) / (1 + max(lanes)):.0%}"))
    return found
