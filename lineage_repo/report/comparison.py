"""Arms beside each other: what each run's final head gains over the start, measured again, and how sure that is."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from lineage_repo.analysis.arms import MeanDifference, adjust_holm, compare_means, find_detectable
from lineage_repo.analysis.diversity import compute_diversity
from lineage_repo.analysis.standings import trace_standings
from lineage_repo.analysis.support import list_trials
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.comparison import Interval, Outcome
from lineage_repo.model.ledger import Proof
from lineage_repo.model.measurement import Number, Record
from lineage_repo.model.objective import Objective
from lineage_repo.record.claims import Claim
from lineage_repo.record.lineage import Lineage
from lineage_repo.report.data import ReportData


class RunLine(Record):
    """One run; gains are over its start, in the objective's unit, positive is better."""

    arm: str
    run: str
    trials: int
    head: Number
    head_claim: Claim
    """What the record shows of the final head; it was the luckiest of many, so no contrast rests on it."""
    anchor_claim: Claim
    endpoint: float | None
    """The final head's gain, measured again: the newest certification of it against the start; 0 if it is the start."""
    endpoint_gain: Interval | None
    endpoint_note: str
    """Which proof the endpoint is, or why there is none and which command makes it."""
    keeps: int
    demotions: int
    scored: int
    slot_hours: float | None
    clusters: float | None
    """Effective number of clusters of hypotheses among as many trials as the shortest run has, with the idf weights
    of all runs' hypotheses together, so that it compares; None where it can't be computed."""
    counts: Mapping[str, int]
    """Trials by family of outcome."""


class Contrast(Record):
    """The mean endpoint of one arm minus that of the first one, with its two-sided 95 % interval over runs."""

    first: str
    second: str
    first_runs: int
    """Runs with an endpoint."""
    second_runs: int
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    """Two-sided, of this contrast alone."""
    adjusted_p: float | None = None
    """By Holm over all contrasts."""
    detectable: float | None = None
    """The true difference that these runs find with a probability of 80 %, as one contrast."""
    basis: str
    """The test, or why there is no interval."""


class Comparison(Record):
    """Several campaigns on one objective. A run counts once, and the contrasts are each arm against the first."""

    objective: Objective
    endpoint: str
    common_trials: int
    """As many trials as the shortest run has."""
    runs: tuple[RunLine, ...]
    contrasts: tuple[Contrast, ...]


Arms = Mapping[str, Sequence[tuple[str, ReportData]]]
"""Runs by arm, each with its name."""


def compare_arms(arms: Arms, *, blocked: bool = False) -> Comparison:
    """Compare each arm with the first; `blocked`: the k-th runs of all arms belong together.

    Raises:
        UnsupportedError: objectives differ, a run has no trial or no scored start, or blocked arms differ in size.
    """
    runs = [(arm, name, data) for arm, own in arms.items() for name, data in own]
    objective = runs[0][2].objective
    for _, name, data in runs:
        if data.objective != objective:
            raise UnsupportedError(f"{name} has another objective than {runs[0][1]}: compare campaigns on one task")
        if not data.trials:
            raise UnsupportedError(f"{name} has no trial yet: leave it out")
        if data.start_score is None:
            raise UnsupportedError(f"{data.lineage.campaign.name} has no scored start")
    if blocked and len({len(own) for own in arms.values()}) > 1:
        raise UnsupportedError("blocked arms need as many runs each: the k-th runs of all belong together")
    common = min(len(data.trials) for *_, data in runs)
    corpus = [trial.proposal.hypothesis for *_, data in runs for trial in list_trials(data.lineage)]
    lines = tuple(_summarize(arm, name, data, common, corpus) for arm, name, data in runs)
    return Comparison(
        objective=objective,
        endpoint="gain of the final head over the start, measured again on fresh seeds",
        common_trials=common,
        runs=lines,
        contrasts=_contrast(list(arms), lines, blocked=blocked),
    )


def trace_head(data: ReportData) -> list[tuple[int, float, float]]:
    """Return trials so far, slot-hours spent and the head's gain over the start: one entry per step, one at the end."""
    points: list[tuple[int, float, float]] = []
    for step in trace_standings(data.lineage):
        gain = data.claims.of(step.head).gain
        points.append((step.trials, data.rows[step.trials].spent_h or 0.0, gain.mean if gain else 0.0))
    return [*points, (len(data.trials), data.slot_hours, points[-1][2])] if points else []


def _summarize(arm: str, name: str, data: ReportData, common: int, corpus: Sequence[str]) -> RunLine:
    lineage = data.lineage
    head, anchor = (trial.number if trial else 0 for trial in (lineage.head, lineage.anchor))
    families = [row.family for row in data.trials]
    gain, note = find_endpoint(lineage)
    return RunLine(
        arm=arm,
        run=name,
        trials=len(data.trials),
        head=head,
        head_claim=data.claims.of(head),
        anchor_claim=data.claims.of(anchor),
        endpoint=gain.mean if gain else 0.0 if head == 0 or note.endswith(_NO_GAIN) else None,
        endpoint_gain=gain,
        endpoint_note=note,
        keeps=len(data.kept),
        demotions=len(lineage.demotions),
        scored=sum(row.score is not None for row in data.trials),
        slot_hours=data.slot_hours or None,
        clusters=_count_clusters(lineage, corpus, common),
        counts={name: families.count(name) for name in dict.fromkeys(families)},
    )


_NO_GAIN = "it counts as no gain"


def find_endpoint(lineage: Lineage) -> tuple[Interval | None, str]:
    """Return the first complete certification of the final head against the start, and a word on it.

    The first, so that asking again until the answer pleases changes nothing.
    """
    head = lineage.standing.head if lineage.standing else 0
    if head == 0:
        return None, "the final head is the start, whose gain is 0"
    if lineage.is_imported:
        return None, "none: the run was imported, and its head can't be measured again"
    measured = [proof for proof in lineage.proofs.values() if _is_endpoint(proof, head)]
    if not measured:
        return None, f"none: `espalier certify DIR --trial {head}` measures the head again"
    first = measured[0]
    note = f"proof {first.proof}, {first.outcome}" + (f": {first.failure}" if first.failure else "")
    return (None, f"{note}; {_NO_GAIN}") if first.outcome is Outcome.REFUSED else (first.gain, note)


def _is_endpoint(proof: Proof, head: int) -> bool:
    asked = proof.level == "certified" and (proof.number, proof.against) == (head, 0)
    return asked and proof.outcome is not Outcome.ABORTED


def _count_clusters(lineage: Lineage, corpus: Sequence[str], common: int) -> float | None:
    try:
        return compute_diversity(lineage, corpus, common).effective
    except UnsupportedError:
        return None


def _contrast(arms: Sequence[str], lines: Sequence[RunLine], *, blocked: bool) -> tuple[Contrast, ...]:
    """Compare each arm with the first, and adjust the p of those that can be compared."""
    made = [_compare_pair(arms[0], arm, lines, blocked=blocked) for arm in arms[1:]]
    tested = [contrast.p for contrast in made if contrast.p is not None]
    adjusted = iter(adjust_holm(tested))
    return tuple(c if c.p is None else c.model_copy(update={"adjusted_p": next(adjusted)}) for c in made)


def _compare_pair(first: str, second: str, lines: Sequence[RunLine], *, blocked: bool) -> Contrast:
    whole = [[line.endpoint for line in lines if line.arm == arm] for arm in (first, second)]
    if blocked:  # a block counts if both of its runs have an endpoint
        pairs = [(a, b) for a, b in zip(*whole, strict=True) if a is not None and b is not None]
        values = [[a for a, _ in pairs], [b for _, b in pairs]]
    else:
        values = [[value for value in own if value is not None] for own in whole]
    found = compare_means(*values, blocked=blocked)
    difference = fmean(values[1]) - fmean(values[0]) if all(values) else None
    return Contrast(
        first=first,
        second=second,
        first_runs=len(values[0]),
        second_runs=len(values[1]),
        difference=difference,
        low=found.low if found else None,
        high=found.high if found else None,
        p=found.p if found else None,
        detectable=find_detectable(found) if found else None,
        basis=_name_basis(values, found, blocked=blocked),
    )


def _name_basis(values: Sequence[Sequence[float]], found: MeanDifference | None, *, blocked: bool) -> str:
    if found:
        test = "t of the differences of blocks" if blocked else "Welch's t over runs"
        return f"{test}, {found.degrees} degrees of freedom"
    if not all(values):
        return "no difference: an arm has no run whose final head was measured again"
    if min(map(len, values)) < 2:
        return "no interval: it needs two or more runs in each arm whose final head was measured again"
    return "no interval: the runs do not vary"
