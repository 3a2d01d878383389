"""Claims: what the record proves of a trial, and what it gains over the start with its uncertainty."""

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Self

from lineage_repo.model.comparison import Comparison, Interval, Outcome
from lineage_repo.model.ledger import Demotion, Level, Proof, Trial
from lineage_repo.model.measurement import Measurement, Number, Record, Status
from lineage_repo.record.index import Index
from lineage_repo.verdict.standing import Standing, advance


class Claim(Record):
    """What is known of one trial's gain over the start."""

    number: Number
    level: Level | None
    """How well it is proven; None for a trial that never moved the head, and for the start."""
    proof: int | None = None
    """The proof that the level rests on."""
    demoted_by: int | None = None
    """The replication that took the level away again."""
    gain: Interval | None
    """Over the start, in the objective's unit: measured against it, or added up over the trials between."""
    steps: int = 0
    """Gains that were added up: 1 for one that was measured against the start."""


class Claims:
    """The claims of a lineage as it is now; read once, asked often."""

    def __init__(self, index: Index) -> None:
        self._fold(index.events, index.task.objective.metric)

    @classmethod
    def since(cls, trials: Iterable[Trial], known: Mapping[int, Interval]) -> Self:
        """Return the claims of trials that came after others, of which only the gains over the start are known."""
        claims = cls.__new__(cls)
        claims._fold(trials, "")
        claims._links |= {number: (0, gain) for number, gain in known.items()}
        return claims

    def _fold(self, events: Iterable[Trial | Proof | Demotion], metric: str) -> None:
        self._levels: dict[int, tuple[Level, int | None]] = {}
        self._links: dict[int, tuple[int, Interval]] = {}
        """Trial to the one that its gain is over, and that gain."""
        self._demoted: dict[int, int] = {}
        self._gains: dict[int, Interval | None] = {}
        """Trial to its gain over the start, where somebody has asked for it or for one that follows from it."""
        standing: Standing | None = None
        for event in events:
            match event:
                case Trial():
                    if event.verdict.gain and event.verdict.against is not None:
                        self._links[event.number] = (event.verdict.against, event.verdict.gain)
                    if event.status is Status.KEEP and event.imported is None:
                        self._levels[event.number] = ("observed", None)
                case Demotion():
                    fallen = standing.list_fallen(event.head) if standing else ()
                    self._demoted |= dict.fromkeys(fallen, event.proof)
                case Proof():
                    self._take_proof(event, metric)
            standing = advance(standing, event)

    def _take_proof(self, proof: Proof, metric: str) -> None:
        """A replication proves a gain over the anchor, a certification one over the start and nothing else."""
        if proof.outcome is not Outcome.PASSED or proof.gain is None or (proof.level == "certified" and proof.against):
            return
        if proof.level == "certified" or self._levels.get(proof.number, ("observed", None))[0] != "certified":
            self._levels[proof.number] = (proof.level, proof.proof)
        self._demoted.pop(proof.number, None)
        if proof.metric == metric:
            self._links[proof.number] = (proof.against, proof.gain)

    def of(self, number: int) -> Claim:
        """Return the claim of a recorded trial."""
        demoted = self._demoted.get(number)
        level, proof = self._levels.get(number, (None, None)) if demoted is None else (None, None)
        gain = self._gain_over_start(number)
        steps = len(self._follow(number, ())) if gain else 0
        return Claim(number=number, level=level, proof=proof, demoted_by=demoted, gain=gain, steps=steps)

    def _gain_over_start(self, number: int) -> Interval | None:
        for step in reversed(self._follow(number, self._gains.keys())):
            before, gain = self._links[step]
            known = self._gains.get(before)
            self._gains[step] = gain if before == 0 else add_gains([known, gain]) if known else None
        return self._gains.get(number)

    def _follow(self, number: int, until: Container[int]) -> list[int]:
        """Return a trial and those that its gain is over, in turn, up to one of `until` or the end."""
        chain: dict[int, None] = {}
        # In a forged record the chain may be a circle.
        while number in self._links and number not in until and number not in chain:
            chain[number] = None
            number = self._links[number][0]
        return list(chain)


def add_gains(steps: Sequence[Interval]) -> Interval:
    """Return the sum of independent gains; half the width of its interval is the root of the squared halves' sum."""
    mean = sum(step.mean for step in steps)
    n = min(step.n for step in steps)
    if any(step.low is None or step.high is None for step in steps):
        return Interval(mean=mean, n=n)
    half = math.hypot(*((step.high - step.low) / 2 for step in steps if step.low is not None and step.high is not None))
    return Interval(mean=mean, low=mean - half, high=mean + half, n=n)


class Price(Record):
    """What measuring has cost."""

    seeds: int
    """Of both sides."""
    slot_s: float
    """Seconds that boxes and the evaluator took of a slot."""


def price(comparisons: Sequence[Comparison]) -> Price:
    """Return what comparisons cost."""
    measured: list[Measurement] = [m for c in comparisons for m in c.measurements]
    boxes = sum(run.setup_s + run.wall_s for m in measured for run in m.phases)
    return Price(seeds=sum(m.n_seeds for m in measured), slot_s=boxes + sum(m.evaluator_s for m in measured))


def rank(claims: Claims, trials: Sequence[Trial]) -> list[tuple[int, Trial]]:
    """Return measured trials with their rank: by level, then by the gain over the start that is proven.

    Of two trials with the same level the one whose interval begins higher comes first; where both intervals overlap
    they tie and share the rank.
    """
    order: list[Level | None] = ["certified", "replicated", "observed", None]

    def key(trial: Trial) -> tuple[int, float]:
        claim = claims.of(trial.number)
        low = claim.gain.low if claim.gain and claim.gain.low is not None else claim.gain.mean if claim.gain else 0.0
        return order.index(claim.level), -low

    ranked: list[tuple[int, Trial]] = []
    first: Trial | None = None
    for place, trial in enumerate(sorted(trials, key=key), 1):
        tied = first is not None and ranked and _ties(claims.of(first.number), claims.of(trial.number))
        if not tied:
            first = trial
        ranked.append((ranked[-1][0] if tied else place, trial))
    return ranked


def _ties(one: Claim, other: Claim) -> bool:
    a, b = one.gain, other.gain
    if one.level != other.level or a is None or b is None:
        return False
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return a.mean == b.mean
    return a.low <= b.high and b.low <= a.high
