"""What the judge's rules do to whole searches: `python -m benchmarks.search_sim [--searches N] [--json]`.

Prints what was measured, with its standard error, beside what is wanted. [docs/statistics.md](../docs/statistics.md)
explains the rows, and `benchmarks.simulated_search` the model. `--set screen_z=1.0` tries another rule.
"""

import itertools
import json
import math
import sys
import tomllib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import click
import numpy as np
import numpy.typing as npt

from benchmarks.simulated_search import CALIBRATED, Recipe, Search, World, race
from lineage_repo.model.objective import JudgeRule
from lineage_repo.verdict import power, rules
from lineage_repo.verdict.statistics import estimate_spread, student_t

Floats = npt.NDArray[np.float64]
_JUMP = 3.5
"""What changed between two sittings of the start of `airbench_cpu`, 11 minutes apart: 1.07 and 1.30 s, sd 0.065 s."""


class Figure(NamedTuple):
    """A row of the table."""

    value: float
    wanted: str | None
    se: float


def average(values: Iterable[float], wanted: str | None = None) -> Figure:
    """Return the mean with its standard error over independent values."""
    spread = estimate_spread(tuple(map(float, values)) or (0.0,))
    return Figure(spread.mean, wanted, spread.sd / math.sqrt(spread.n))


def run_searches(
    rule: JudgeRule, world: World, count: int, *, budget: float = math.inf, proposals: int = sys.maxsize
) -> list[Search]:
    """Return finished searches; search i draws from the seed i in every world."""
    searches = (Search(rule, world, np.random.default_rng(i)) for i in range(count))
    return [s.run(budget=budget, proposals=proposals) for s in searches]


def figures_of_null_searches(rule: JudgeRule, count: int) -> Iterator[tuple[str, Figure]]:
    """500 proposals without any gain."""
    worlds = {
        "": World(),
        ", drift sd 1": World(drift=1),
        ", edits with sd x2": World(sd=2),
        ", edits with sd x3": World(sd=3),
        ", edits with sd x5": World(sd=5),
        ", heavy tails": World(noise="heavy"),
        ", skewed edits with sd x3": World(sd=3, noise="skewed"),
        ", edits that pin their seed": World(pinned=True),
    }
    for name, world in worlds.items():
        found = run_searches(rule, world, count, proposals=500)
        wanted = "<= 0.10" if world == World() else None
        yield (
            f"false replicated keeps in a null search of 500 proposals{name}",
            average((len(s.claims) for s in found), wanted),
        )
        if world == World():
            yield "seeds per null proposal", average((s.host.seeds / 500 for s in found), "4.2")
            yield (
                "shown minus true gain of the anchor after a null search",
                average(sum(c.shown - c.true for c in s.claims) for s in found),
            )
    yield "seeds per null proposal without replications, computed", Figure(power.null_cost(rule), None, 0.0)
    found = [Search(rule, World(), np.random.default_rng(i)) for i in range(count)]
    for search in found:
        search.host.level = _JUMP
        search.run(proposals=8)
    name = f"of 8 null trials after the host gained {_JUMP:g} sd"
    yield f"moves of the head {name}", average(len(s.moves) for s in found)
    yield f"replicated keeps {name}", average((len(s.claims) for s in found), "0")


def figures_of_gains(rule: JudgeRule, count: int) -> Iterator[tuple[str, Figure]]:
    """1,500 seeds where 8 % of the edits gain."""
    wanted = {(1.0, 0.0): ">= 9, better 10.5", (1.0, 1.0): ">= 8.5, better 11.2"}
    for gain, drift in itertools.product((0.5, 1.0, 2.0), (0.0, 1.0)):
        found = run_searches(rule, World(gain=gain, drift=drift), count, budget=1500)
        name = f"gains of {gain:g} sd" + (", drift sd 1" if drift else "")
        yield f"anchor after 1,500 seeds, {name}", average((s.anchor.quality for s in found), wanted.get((gain, drift)))
        if gain == 1:
            moves = [m for s in found for m in s.moves]
            yield f"share of the head's moves without a true gain, {name}", average(m.true <= 0 for m in moves)
            yield f"shown minus true gain, observed, {name}", average(m.shown - m.true for m in moves)
            claims = [c for s in found for c in s.claims]
            yield f"share of replicated keeps without a true gain, {name}", average(c.true <= 0 for c in claims)
            yield f"shown minus true gain, replicated, {name}", average((c.shown - c.true for c in claims), "<= 0.35")
            proven = [c for s in found if (c := s.certify())]
            yield f"shown minus true gain, certified, {name}", average((c.shown - c.true for c in proven), "<= 0.1")
            yield (
                f"two arms of five equal runs, interval excludes 0, {name}",
                equal_arms([s.anchor.quality for s in found]),
            )
    found = [Search(rule, World(gain=1), np.random.default_rng(i)) for i in range(count)]
    for search in found:
        search.host.level = -_JUMP
        search.run(budget=1500)
    name = f"anchor after 1,500 seeds, gains of 1 sd, on a host that lost {_JUMP:g} sd after its calibration"
    yield name, average(search.anchor.quality for search in found)
    found = run_searches(rule, World(gain=1, costs=0.5), count, budget=1500)
    yield (
        "anchor after the cost of 1,500 seeds of the start, gains of 1 sd, costs of edits differ",
        average(s.anchor.quality for s in found),
    )


def equal_arms(qualities: list[float]) -> Figure:
    """Return how often two arms of five blocked runs differ, each run measured again in 12 pairs with the start."""
    rng = np.random.default_rng(0)
    error = math.sqrt(2 / 12)

    def differ() -> bool:
        ends = rng.choice(qualities, 10, replace=len(qualities) < 10) + error * rng.standard_normal(10)
        return not rules.paired_gain(list(ends[:5] - ends[5:])).is_tie

    return average((differ() for _ in range(20 * len(qualities))), "0.03 to 0.08")


def figures_of_proofs(rule: JudgeRule, count: int) -> Iterator[tuple[str, Figure]]:
    """Single proofs, without a search around them."""
    rng = np.random.default_rng(0)
    repeats = range(10 * count)
    for gain in (0.0, 1.0, 1.5, 2.0):
        yield (
            f"replications of a gain of {gain:g} sd that pass",
            average(replicates(rule, Recipe(gain), rng) for _ in repeats),
        )
    yield (
        "replications of a skewed null recipe with sd x3 that pass",
        average(replicates(rule, Recipe(0, 3, "skewed"), rng) for _ in repeats),
    )
    blocks = rule.certified_blocks
    yield (
        "any false certificate of six",
        average(
            (
                any(rules.certificate(rule, list(draw_gains(rng, blocks)), k).passed for k in range(1, 7))
                for _ in repeats
            ),
            "<= 0.01 + 2 se",
        ),
    )
    for gain, wanted in ((0.0, "<= 0.012"), (1.0, ">= 0.34")):
        yield (
            f"paired t over 12 pairs at level 0.01, pair drift sd 2, gain of {gain:g} sd",
            average(
                (rules.paired_t(list(draw_gains(rng, 12, gain, drift=2))) > student_t(0.99, 11) for _ in repeats),
                wanted,
            ),
        )
    for gain in (2.0, 3.0):
        yield (
            f"first certificates of a gain of {gain:g} sd that pass",
            average(rules.certificate(rule, list(draw_gains(rng, blocks, gain)), 1).passed for _ in repeats),
        )
    for sd in (0.0, 0.05, 0.2):
        yield (
            f"best of 500 pinned seeds that are certified, sd {sd:g} left",
            average(certifies_pinned(rule, sd, rng) for _ in range(count)),
        )


def draw_gains(rng: np.random.Generator, blocks: int, gain: float = 0.0, drift: float = 0.0) -> Floats:
    """Return the gains of blocks, each of which has a level of its own."""
    level = drift * rng.standard_normal(blocks)
    return (gain + rng.standard_normal(blocks) + level) - (rng.standard_normal(blocks) + level)


def replicates(rule: JudgeRule, recipe: Recipe, rng: np.random.Generator) -> bool:
    """Return whether a replication of this recipe against the start passes."""
    search = Search(rule, World(), rng)
    search.recipes.append(recipe)
    search.window[1] = []
    search.standing = search.standing.move(1)
    search.replicate_if_due(at_end=True)
    return bool(search.claims)


def certifies_pinned(rule: JudgeRule, sd: float, rng: np.random.Generator) -> bool:
    """Return whether the luckiest of 500 null recipes that pin their seed is certified, with this sd left to it."""
    spread = estimate_spread(tuple(rng.standard_normal(CALIBRATED)))
    values = rng.standard_normal(500).max() + sd * rng.standard_normal(rule.certified_blocks)
    gains = list(values - rng.standard_normal(rule.certified_blocks))
    return rules.has_own_spread(list(values), spread) and rules.certificate(rule, gains, 1).passed


def figures_of_other_rules(count: int) -> Iterator[tuple[str, Figure]]:
    """The same searches by rules that prove nothing on the way; races on a quarter of the searches."""
    for drift in (0.0, 1.0):
        world = World(gain=1, drift=drift)
        name = "after 1,500 seeds, gains of 1 sd" + (", drift sd 1" if drift else "")
        found = run_searches(JudgeRule(rule="any"), world, count, budget=1500)
        yield f"head {name}, any gain counts", average(s.recipes[s.standing.head].quality for s in found)
        yield f"anchor {name}, any gain counts, replicated at the end", average(s.anchor.quality for s in found)
        for first, rounds, confidence in ((5, 10, 0.95), (3, 6, 0.9)):
            yield (
                f"head {name}, race of six that tests from round {first}",
                average(
                    race(world, np.random.default_rng(i), 1500, first=first, rounds=rounds, confidence=confidence)
                    for i in range(max(count // 4, 2))
                ),
            )


def measure(rule: JudgeRule, count: int) -> Iterator[tuple[str, Figure]]:
    """Return all rows of the table, as they are measured."""
    yield from figures_of_null_searches(rule, count)
    yield from figures_of_gains(rule, count)
    yield from figures_of_proofs(rule, count)
    yield from figures_of_other_rules(count)


@click.command()
@click.option("--searches", default=100, show_default=True, type=click.IntRange(2), help="Searches of each row.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change the judge's rule, as in task.toml.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(searches: int, changes: tuple[str, ...], as_json: bool) -> None:
    """Print what the judge's rules do to simulated searches."""
    rule = JudgeRule.model_validate(tomllib.loads("\n".join(changes)))
    table: dict[str, dict[str, float | str | None]] = {}
    if not as_json:
        print(f"{'what':<98} {'measured':>17}  wanted")
    for name, figure in measure(rule, searches):
        table[name] = figure._asdict()
        if not as_json:
            print(f"{name:<98} {figure.value:8.3f} ± {figure.se:6.3f}  {figure.wanted or ''}", flush=True)
    if as_json:
        print(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
