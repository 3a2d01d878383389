"""Simulated searches, which ask `lineage_repo.verdict` for every decision; `benchmarks.search_sim` prints the results.

Qualities, gains and noise are in sd of one seed of the start, and more is better. An edit gains 0 with probability .5,
`gain` with .08, and else loses an exponential draw of mean 1. Drift is a level that all recipes of a sitting share; a
sitting lasts 50 seeds on average. The window of a head holds the seeds that it had as head and in any block, the ones
that made it head among them, and for the start the six of the calibration.
"""

import math
import sys
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal, NamedTuple

import numpy as np

from lineage_repo.model.objective import JudgeRule
from lineage_repo.verdict import rules
from lineage_repo.verdict.rules import Outcome
from lineage_repo.verdict.standing import Standing
from lineage_repo.verdict.statistics import estimate_spread, student_t

Noise = Literal["normal", "heavy", "skewed"]
"""`heavy`: Student's t with 3 degrees of freedom. `skewed`: exponential with the long tail on the worse side."""
CALIBRATED = 6
"""Seeds of the start in a calibration."""
_PAPER_SEEDS = 3
"""Seeds of a trial under the rule `any`."""
_SITTING = 50
"""Seeds after which the drift's level changes, on average."""


class Recipe(NamedTuple):
    """What a seed of a recipe shows: its quality plus `sd` times noise, at a cost."""

    quality: float = 0.0
    sd: float = 1.0
    noise: Noise = "normal"
    cost: float = 1.0
    luck: float = 0.0
    """What a pinned seed adds to every value."""


@dataclass(frozen=True)
class World:
    """What edits do and how the host drifts."""

    gain: float = 0.0
    """Of 8 % of the edits; 0: no edit changes anything."""
    drift: float = 0.0
    """Standard deviation of a sitting's level."""
    sd: float = 1.0
    noise: Noise = "normal"
    costs: float = 0.0
    """Standard deviation of the logarithm of an edit's cost of a seed."""
    pinned: bool = False
    """Whether every edit pins its seed: one draw of luck, and no spread."""

    def edit(self, head: Recipe, rng: np.random.Generator) -> Recipe:
        """Return an edited head."""
        change, draw = 0.0, rng.random()
        if self.gain and draw > 0.5:
            change = self.gain if draw < 0.58 else -rng.exponential()
        cost = math.exp(self.costs * rng.standard_normal()) if self.costs else 1.0
        if self.pinned:
            return Recipe(head.quality + change, 0.0, self.noise, cost, rng.standard_normal())
        return Recipe(head.quality + change, self.sd, self.noise, cost)


@dataclass
class Host:
    """Measures recipes, one seed at a time."""

    rng: np.random.Generator
    drift: float = 0.0
    level: float = 0.0
    seeds: int = 0
    spent: float = 0.0

    def measure(self, recipe: Recipe) -> float:
        """Return the value of one seed."""
        rng = self.rng
        self.seeds += 1
        self.spent += recipe.cost
        if self.drift and rng.random() < 1 / _SITTING:
            self.level = self.drift * rng.standard_normal()
        if recipe.noise == "normal":
            noise = rng.standard_normal()
        elif recipe.noise == "heavy":
            noise = rng.standard_t(3) / math.sqrt(3)
        else:
            noise = 1 - rng.exponential()
        return recipe.quality + recipe.luck + recipe.sd * noise + self.level


class Claim(NamedTuple):
    """A gain that a passed test shows, and the true one."""

    shown: float
    true: float


@dataclass
class Search:
    """A search by the product's rules; the methods spend seeds of its host."""

    rule: JudgeRule
    world: World
    rng: np.random.Generator
    claims: list[Claim] = field(default_factory=list[Claim])
    """Of the replications that passed."""
    moves: list[Claim] = field(default_factory=list[Claim])
    """Of the moves of the head."""

    def __post_init__(self) -> None:
        self.host = Host(self.rng, self.world.drift)
        self.recipes = [Recipe()]
        self.window = {0: [self.host.measure(self.recipes[0]) for _ in range(CALIBRATED)]}
        self.spread = estimate_spread(tuple(self.window[0]))
        self.standing = Standing(anchor=0)
        self.host.seeds, self.host.spent = 0, 0.0

    @property
    def anchor(self) -> Recipe:
        """The recipe that is proven."""
        return self.recipes[self.standing.anchor]

    def run(self, *, budget: float = math.inf, proposals: int = sys.maxsize) -> "Search":
        """Propose until either is used up, with enough of the budget left to replicate the head at the end."""
        budget -= 2 * self.rule.replicated_blocks[-1]
        while self.host.spent < budget and len(self.recipes) <= proposals:
            self.propose()
        self.replicate_if_due(at_end=True)
        return self

    def propose(self) -> None:
        """Measure one edit of the head, and move the head where the rule says so."""
        number, head = len(self.recipes), self.standing.head
        self.recipes.append(self.world.edit(self.recipes[head], self.rng))
        self.window[number] = []
        shown = self.observe(number, head)
        if shown is not None:
            self.moves.append(Claim(shown, self.recipes[number].quality - self.recipes[head].quality))
            self.standing = self.standing.move(number)
            self.replicate_if_due()

    def observe(self, number: int, head: int) -> float | None:
        """Screen a trial and compare it with the head in blocks; return the gain that moves the head, if it does."""
        rule, seen, candidate = self.rule, self.window[head], self.recipes[number]
        if rule.rule == "any":
            self.window[number] = [self.host.measure(candidate) for _ in range(_PAPER_SEEDS)]
            gain = fmean(self.window[number]) - fmean(seen)
            return gain if gain > 0 else None
        if (number - 1) % rule.head_every == 0:
            seen.append(self.host.measure(self.recipes[head]))
        seen = rules.find_recent(rule, seen, self.spread)
        spread = rules.find_spread(seen, self.spread)
        values = [self.host.measure(candidate)]
        if rule.screen_seeds > 1 and values[0] < rules.hopeless_bound(rule, seen, spread):
            return None
        values += [self.host.measure(candidate) for _ in range(rule.screen_seeds - 1)]
        if not rules.passes_screen(rule, values, seen, spread):
            return None
        gains = self.compare(number, head, rule.blocks)
        return fmean(gains) if rules.moves_head(rule, gains) else None

    def compare(self, number: int, reference: int, blocks: int) -> list[float]:
        """Return the gains of some blocks, whose seeds enter the windows of both recipes."""
        gains: list[float] = []
        for _ in range(blocks):
            pair = [self.host.measure(self.recipes[n]) for n in (number, reference)]
            gains.append(pair[0] - pair[1])
            if self.rule.rule != "any":
                self.window[number].append(pair[0])
                self.window[reference].append(pair[1])
        return gains

    def replicate_if_due(self, *, at_end: bool = False) -> None:
        """Compare the head with the anchor where that is due."""
        if not self.standing.is_due(self.rule, at_end=at_end):
            return
        head, anchor = self.standing.head, self.standing.anchor
        gains: list[float] = []
        outcome = None
        while outcome is None:
            look = next(n for n in self.rule.replicated_blocks if n > len(gains))
            gains += self.compare(head, anchor, look - len(gains))
            pinned = not rules.has_own_spread(self.window[head][-len(gains) :], self.spread)
            outcome = Outcome.REFUSED if pinned else rules.replicate(self.rule, gains)
        if outcome is Outcome.PASSED:
            true = self.recipes[head].quality - self.recipes[anchor].quality
            self.claims.append(Claim(rules.paired_gain(gains).mean, true))
        self.standing = self.standing.replicate(head, outcome)
        if outcome in {Outcome.REFUTED, Outcome.REFUSED}:
            self.standing = self.standing.demote(anchor)

    def certify(self) -> Claim | None:
        """Compare the anchor with the start; None where it is the start or where its certification fails."""
        if self.standing.anchor == 0:
            return None
        gains = self.compare(self.standing.anchor, 0, self.rule.certified_blocks)
        shown = rules.paired_gain(gains).mean
        return Claim(shown, self.anchor.quality) if rules.certificate(self.rule, gains, 1).passed else None


def race(world: World, rng: np.random.Generator, budget: float, *, first: int, rounds: int, confidence: float) -> float:
    """Return the quality that races of six find: the head and five edits, seed by seed; the best becomes the head.

    From the round `first` on, a recipe drops out where the best one's paired t over it exceeds this confidence.
    """
    host, head = Host(rng, world.drift), Recipe()
    while host.spent < budget:
        racers = [head, *(world.edit(head, rng) for _ in range(5))]
        values: dict[int, list[float]] = {n: [] for n in range(len(racers))}
        while len(values) > 1 and min(map(len, values.values())) < rounds:
            for n, own in values.items():
                own.append(host.measure(racers[n]))
            totals = {n: sum(own) for n, own in values.items()}
            lead = values[max(totals, key=lambda n: totals[n])]
            if len(lead) >= first:
                bar = student_t(confidence, len(lead) - 1)
                values = {n: own for n, own in values.items() if own is lead or paired_t_over(lead, own) <= bar}
            head = racers[next(n for n, own in values.items() if own is lead)]
    return head.quality


def paired_t_over(lead: list[float], own: list[float]) -> float:
    """Return the paired t of one recipe's values over another's."""
    return rules.paired_t([a - b for a, b in zip(lead, own, strict=True)])
