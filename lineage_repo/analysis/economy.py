"""What the trials cost: time and slots."""

from datetime import timedelta
from itertools import pairwise

from lineage_repo.analysis.facts import compute_slot_seconds
from lineage_repo.analysis.support import list_trials
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.comparison import Outcome
from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import Record, Status
from lineage_repo.record.claims import price
from lineage_repo.record.lineage import Lineage

PAUSE = timedelta(hours=1)


class Rate(Record):
    """Trials per hour: trials over the time from the first trial's record to the last one's, pauses included.

    `efficiency` is eta = T(N) / (N T(1)): this rate over N times that of the campaign with one submitter, N the
    number of roles with a trial. Pauses are gaps of over an hour between two records.
    """

    hours: float
    per_hour: float
    submitters: int
    efficiency: float | None = None
    """None if no campaign with one submitter was named."""
    pauses: int
    pause_hours: float

    def lines(self) -> list[str]:
        """Format for people."""
        eta = "not computed: name a campaign with one submitter by --single"
        return [
            f"{self.per_hour:.2f} trials per hour over {self.hours:.2f} h, {self.submitters} submitters",
            f"parallel efficiency {eta if self.efficiency is None else f'{self.efficiency:.2f}'}",
            f"{self.pauses} pauses of over an hour, {self.pause_hours:.1f} h together",
        ]


class Slots(Record):
    """Slot-hours, by the seconds that each trial held its slot, for the seeds of both sides.

    `useful` counts trials that ended with a score. `hours_per_keep` is all slot-hours over keeps. A trial is taken to
    hold its slot until its record; `idle` counts the hours, from the first start to the last record, in which no trial
    held one. Trials without a recorded duration count in none of these; `unknown` is their number.
    """

    hours: float
    useful: float
    hours_per_keep: float | None
    """None without a keep."""
    idle: float | None
    """None if times are missing."""
    busy: float | None
    """Slots held on average."""
    unknown: int
    proofs: float
    """Slot-hours of replications and certifications, which the others leave out."""
    hours_per_proof: float | None
    """All slot-hours, those of proofs included, over the proofs that passed; None without one."""

    def lines(self) -> list[str]:
        """Format for people."""
        price = "no keep" if self.hours_per_keep is None else f"{self.hours_per_keep:.2f} slot-hours"
        idle = "not computed: times are missing" if self.idle is None else f"{self.idle:.1f} h with no trial in a slot"
        busy = "" if self.busy is None else f", {self.busy:.2f} slots held on average"
        proven = (
            "none passed" if self.hours_per_proof is None else f"{self.hours_per_proof:.2f} in all per passed proof"
        )
        return [
            f"{self.hours:.2f} slot-hours{busy}; {self.unknown} trials without a recorded duration",
            f"useful {self.useful:.2f} slot-hours" + (f" ({self.useful / self.hours:.1%})" if self.hours else ""),
            f"price per keep {price}; in money not computed: the record holds no session's cost",
            f"proofs {self.proofs:.2f} slot-hours, {proven}",
            f"idle {idle}",
        ]


def _list_timed_trials(lineage: Lineage) -> list[Trial]:
    trials = list_trials(lineage)
    if lost := sum(trial.lacks("time") for trial in trials):
        raise UnsupportedError(f"{lost} of {len(trials)} trials came without a time")
    return trials


def compute_rate(lineage: Lineage, single: Lineage | None = None) -> Rate:
    """Compute trials per hour; `single` is the campaign with one submitter, for the efficiency.

    Raises:
        UnsupportedError: times are missing, there are fewer than two trials, or the objectives differ.
    """
    trials = _list_timed_trials(lineage)
    moments = sorted(trial.at for trial in trials)
    span = moments[-1] - moments[0]
    if not span:
        raise UnsupportedError("a rate needs two trials, recorded at different times")
    hours = span.total_seconds() / 3600
    submitters = len({trial.proposal.specialist for trial in trials})
    gaps = [gap for a, b in pairwise(moments) if (gap := b - a) > PAUSE]
    if single and single.task.objective != lineage.task.objective:
        raise UnsupportedError("the campaign with one submitter has another objective: name one on the same task")
    alone = compute_rate(single).per_hour if single else None
    return Rate(
        hours=hours,
        per_hour=len(trials) / hours,
        submitters=submitters,
        efficiency=len(trials) / hours / (submitters * alone) if alone else None,
        pauses=len(gaps),
        pause_hours=sum(gaps, timedelta()).total_seconds() / 3600,
    )


def compute_slots(lineage: Lineage) -> Slots:
    """Compute slot-hours; raise `UnsupportedError` if no trial has a duration."""
    trials = list_trials(lineage)
    known = [(trial, seconds) for trial in trials if (seconds := compute_slot_seconds(trial)) is not None]
    if not known:
        raise UnsupportedError("no trial has a recorded duration")
    total = sum(seconds for _, seconds in known)
    keeps = sum(trial.status is Status.KEEP for trial in trials)
    timed = not any(trial.lacks("time") for trial in trials)
    held = sorted((t.at.timestamp() - s, t.at.timestamp()) for t, s in known)
    span = max(t.at.timestamp() for t in trials) - held[0][0]
    proofs = sum(price(proof.comparisons).slot_s for proof in lineage.proofs.values())
    passed = sum(proof.outcome is Outcome.PASSED for proof in lineage.proofs.values())
    return Slots(
        hours=total / 3600,
        useful=sum(seconds for trial, seconds in known if trial.score is not None) / 3600,
        hours_per_keep=total / 3600 / keeps if keeps else None,
        idle=(span - _measure_union(held)) / 3600 if timed else None,
        busy=total / span if timed and span else None,
        unknown=len(trials) - len(known),
        proofs=proofs / 3600,
        hours_per_proof=(total + proofs) / 3600 / passed if passed else None,
    )


def _measure_union(spans: list[tuple[float, float]]) -> float:
    """Return the length of the union of sorted spans."""
    covered, end = 0.0, float("-inf")
    for start, stop in spans:
        covered += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return covered
