"""The judge's rules: what passes the screen, moves the head, is replicated, refused or certified."""

import math
import random
from collections.abc import Sequence

import pytest

from lineage_repo.model.measurement import Spread
from lineage_repo.model.objective import JudgeRule
from lineage_repo.verdict import rules
from lineage_repo.verdict.rules import Outcome
from lineage_repo.verdict.statistics import student_t

RULE = JudgeRule(
    screen_z=1.0,
    hopeless_z=2.0,
    observed_confidence=0.85,
    blocks=4,
    replicated_blocks=(4, 8, 16),
    replicated_p=(0.0025, 0.0025, 0.005),
    replicated_futile_t=(0.5, 1.0),
    certified_blocks=12,
    certified_p=0.01,
)
UNIT = Spread(n=6, mean=0.0, sd=1.0)
HEAD = (0.0,) * 9


def draw_gains(draws: random.Random, blocks: int, gain: float = 0.0) -> list[float]:
    """Gains of blocks whose two seeds have sd 1."""
    return [gain + draws.gauss() - draws.gauss() for _ in range(blocks)]


def replicate(rule: JudgeRule, draws: random.Random, gain: float) -> Outcome:
    """The outcome of a replication of this true gain."""
    gains: list[float] = []
    for look in rule.replicated_blocks:
        gains += draw_gains(draws, look - len(gains), gain)
        if outcome := rules.replicate(rule, gains):
            return outcome
    raise AssertionError("the last look has an outcome")


def with_t(t: float, blocks: int) -> list[float]:
    """Gains of an even number of blocks whose paired t is `t`."""
    sd = math.sqrt(blocks / (blocks - 1))
    return [t * sd / math.sqrt(blocks) + side for side in (-1.0, 1.0) for _ in range(blocks // 2)]


def test_a_screen_passes_beyond_its_standard_errors_only() -> None:
    bound = math.sqrt(1 / 2 + 1 / 9)
    assert rules.passes_screen(RULE, (bound + 0.01, bound + 0.01), HEAD, UNIT)
    assert not rules.passes_screen(RULE, (bound, bound), HEAD, UNIT)


def test_a_first_seed_is_hopeless_two_standard_errors_below_the_head() -> None:
    bound = -2 * math.sqrt(1 + 1 / 9)
    assert rules.hopeless_bound(RULE, HEAD, UNIT) == pytest.approx(bound)


def test_the_interval_of_a_screen_rests_on_the_calibrated_seeds() -> None:
    gain = rules.screen_gain((1.0, 2.0), HEAD, UNIT)
    assert gain.mean == 1.5
    assert gain.high is not None
    assert gain.high - gain.mean == pytest.approx(2.571 * math.sqrt(1 / 2 + 1 / 9), abs=1e-3)
    assert gain.n == 2


def test_paired_t_is_that_of_the_textbook() -> None:
    assert rules.paired_t([1.0, 2.0, 3.0]) == pytest.approx(2 * math.sqrt(3))
    assert rules.paired_t([1.0, 2.0, 3.0], over=2.0) == 0
    assert rules.paired_t(with_t(1.7, 8)) == pytest.approx(1.7)


@pytest.mark.parametrize(("gains", "t"), [((1.0, 1.0), math.inf), ((-1.0, -1.0), -math.inf), ((0.0, 0.0), 0.0)])
def test_equal_gains_have_an_infinite_t_or_none(gains: Sequence[float], t: float) -> None:
    assert rules.paired_t(gains) == t


def test_the_interval_of_blocks_covers_the_true_gain_in_95_percent() -> None:
    draws = random.Random(1)
    intervals = [rules.paired_gain(draw_gains(draws, 5, 1.0)) for _ in range(1000)]
    assert sum((i.low or 0.0) <= 1.0 <= (i.high or 0.0) for i in intervals) / 1000 == pytest.approx(0.95, abs=0.02)


def test_blocks_move_the_head_at_the_level_that_the_rule_names() -> None:
    draws = random.Random(2)
    moved = sum(rules.moves_head(RULE, draw_gains(draws, 4)) for _ in range(1000))
    assert moved / 1000 == pytest.approx(0.15, abs=0.035)


def test_a_gain_below_min_delta_moves_nothing() -> None:
    assert rules.moves_head(RULE, with_t(2.0, 4))
    assert not rules.moves_head(RULE, with_t(2.0, 4), min_delta=5.0)


@pytest.mark.parametrize(
    ("t", "blocks", "outcome"),
    [
        (7.5, 4, Outcome.PASSED),
        (7.4, 4, None),
        (0.6, 4, None),
        (0.4, 4, Outcome.OPEN),
        (-0.1, 4, Outcome.REFUTED),
        (4.1, 8, Outcome.PASSED),
        (4.0, 8, None),
        (0.9, 8, Outcome.OPEN),
        (3.0, 16, Outcome.PASSED),
        (2.9, 16, Outcome.OPEN),
        (-3.0, 16, Outcome.REFUTED),
    ],
)
def test_a_replication_passes_goes_on_or_stops_at_each_look(t: float, blocks: int, outcome: Outcome | None) -> None:
    assert rules.replicate(RULE, with_t(t, blocks)) is outcome


def test_a_replication_has_no_look_between_its_looks() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        rules.replicate(RULE, with_t(9.0, 6))


@pytest.mark.parametrize(("gain", "power", "within"), [(0.0, 0.01, 0.008), (1.0, 0.46, 0.06), (2.0, 0.98, 0.03)])
def test_replications_pass_as_often_as_their_level_and_power(gain: float, power: float, within: float) -> None:
    draws = random.Random(3)
    passed = sum(replicate(RULE, draws, gain) is Outcome.PASSED for _ in range(400))
    assert passed / 400 == pytest.approx(power, abs=within)


def test_a_loss_is_refuted() -> None:
    draws = random.Random(4)
    outcomes = [replicate(RULE, draws, -2.0) for _ in range(50)]
    assert outcomes.count(Outcome.REFUTED) >= 48


def test_the_levels_of_all_certifications_sum_to_the_level_asked() -> None:
    gains = with_t(3.0, 12)
    assert rules.certificate(RULE, gains, 1).level == pytest.approx(0.005)
    assert sum(rules.certificate(RULE, gains, k).level for k in range(1, 1001)) == pytest.approx(0.01, abs=1e-4)


def test_a_certificate_needs_more_the_later_it_is_asked() -> None:
    quantile = student_t(0.995, 11)
    assert rules.certificate(RULE, with_t(quantile + 0.01, 12), 1).passed
    assert not rules.certificate(RULE, with_t(quantile - 0.01, 12), 1).passed
    assert not rules.certificate(RULE, with_t(quantile + 0.01, 12), 2).passed


def test_a_certificate_counts_only_the_gain_beyond_what_the_rule_demands() -> None:
    gains = with_t(6.0, 12)
    demanding = RULE.model_copy(update={"certified_gain": max(gains)})
    assert rules.certificate(RULE, gains, 1).passed
    assert rules.certificate(demanding, gains, 1).p > 0.5


@pytest.mark.parametrize(("gain", "p"), [(1.0, 0.0), (0.0, 1.0), (-1.0, 1.0)])
def test_equal_gains_are_certain_or_nothing(gain: float, p: float) -> None:
    certificate = rules.certificate(RULE, [gain] * 12, 1)
    assert certificate.p == pytest.approx(p, abs=0.5)
    assert certificate.passed is (gain > 0)


def test_a_pinned_seed_has_no_spread_of_its_own() -> None:
    assert not rules.has_own_spread((3.0,) * 12, UNIT)
    assert not rules.has_own_spread((3.0, 3.1), UNIT)
    assert rules.has_own_spread((3.0, 3.2), UNIT)
