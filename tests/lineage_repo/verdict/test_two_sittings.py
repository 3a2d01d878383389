"""The unmodified start of `airbench_cpu`, measured in two sittings 11 minutes apart, replayed by the rules.

The means over three seeds are those that were measured. Single seeds are drawn around them with the spread within a
sitting, 5.9 %. The campaign calibrates in the second, slower sitting; every trial runs in the first.
"""

import math
import random
from statistics import fmean

from lineage_repo.model.comparison import Outcome
from lineage_repo.model.objective import JudgeRule
from lineage_repo.verdict import rules
from lineage_repo.verdict.standing import Standing
from lineage_repo.verdict.statistics import estimate_spread, student_t

FIRST = (1.135, 1.093, 1.062, 1.087, 1.068, 1.074, 1.019, 1.039)
SECOND = (1.403, 1.218, 1.291, 1.274)
WITHIN = 0.059
DRAWS = 200


def measure(random_: random.Random, mean: float, n_seeds: int) -> list[float]:
    """Seconds, negated so that more is better."""
    return [-random_.gauss(mean, WITHIN * mean) for _ in range(n_seeds)]


def replicate(rule: JudgeRule, random_: random.Random, mean: float) -> Outcome:
    gains: list[float] = []
    for look in rule.replicated_blocks:
        blocks = look - len(gains)
        pairs = zip(measure(random_, mean, blocks), measure(random_, mean, blocks), strict=True)
        gains += [ours - theirs for ours, theirs in pairs]
        if outcome := rules.replicate(rule, gains):
            return outcome
    raise AssertionError


def search(rule: JudgeRule, random_: random.Random) -> tuple[int, Standing]:
    """Calibrate in the second sitting and submit the start itself eight times in the first."""
    window = [value for mean in SECOND for value in measure(random_, mean, 3)]
    spread, standing, moves = estimate_spread(tuple(window)), Standing(anchor=0), 0
    for number, mean in enumerate(FIRST, 1):
        screen = measure(random_, mean, rule.screen_seeds)
        if screen[0] < rules.hopeless_bound(rule, window[-rule.head_window :], spread):
            continue
        if not rules.passes_screen(rule, screen, window[-rule.head_window :], spread):
            continue
        ours, theirs = measure(random_, mean, rule.blocks), measure(random_, mean, rule.blocks)
        window += theirs
        if rules.moves_head(rule, [a - b for a, b in zip(ours, theirs, strict=True)]):
            standing, moves, window = standing.move(number), moves + 1, ours
    if standing.is_due(rule, at_end=True):
        outcome = replicate(rule, random_, FIRST[-1])
        standing = (
            standing.demote(standing.anchor)
            if outcome is Outcome.REFUTED
            else standing.replicate(standing.head, outcome)
        )
    return moves, standing


def test_a_calibrated_bound_keeps_the_start_itself_in_nearly_every_trial() -> None:
    random_ = random.Random(1)
    calibrated = estimate_spread(tuple(v for mean in SECOND for v in measure(random_, mean, 3)))
    needed = student_t(0.975, calibrated.n - 1) * calibrated.sd * math.sqrt(1 / 3 + 1 / calibrated.n)
    assert sum(-calibrated.mean - mean > needed for mean in FIRST) >= len(FIRST) - 1


def test_nothing_is_proven_of_the_start_itself_whatever_the_host_did_meanwhile() -> None:
    ends = [search(JudgeRule(), random.Random(seed)) for seed in range(DRAWS)]
    assert ends[1][1].anchor == 0
    assert sum(standing.anchor != 0 for _, standing in ends) / DRAWS <= 0.01
    assert fmean(moves for moves, _ in ends) < len(FIRST) * (1 - JudgeRule().observed_confidence)


def test_a_search_on_a_host_that_slowed_by_a_quarter_still_finds_what_gains_a_fifth() -> None:
    rule, found = JudgeRule(), 0
    for seed in range(DRAWS):
        random_ = random.Random(seed)
        window = [value for mean in FIRST[:4] for value in measure(random_, mean, 3)]
        spread = estimate_spread(tuple(window))
        for number, mean in enumerate(SECOND * 2, 1):
            sides = rules.order_screen(rule, number, 3)
            window += measure(random_, mean, sides.count("reference"))
            screen = measure(random_, 0.8 * mean, rule.screen_seeds)
            recent = rules.find_recent(rule, window, spread)
            if screen[0] >= rules.hopeless_bound(rule, recent, spread) and rules.passes_screen(
                rule, screen, recent, spread
            ):
                found += 1
                break
    assert found / DRAWS > 0.95
