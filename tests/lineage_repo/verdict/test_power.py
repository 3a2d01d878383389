"""Power and cost of a rule, against known values and drawn trials."""

import math
import random
from statistics import fmean

import pytest

from lineage_repo.model.measurement import Spread
from lineage_repo.model.objective import JudgeRule
from lineage_repo.verdict import power, rules
from lineage_repo.verdict.statistics import student_t

STRICT = JudgeRule(
    screen_seeds=2, head_every=1, head_window=9, screen_z=1, hopeless_z=2, blocks=4, observed_confidence=0.85
)


def test_a_trial_without_a_gain_has_the_computed_cost() -> None:
    assert power.null_cost(STRICT) == pytest.approx(4.2, abs=0.05)
    seeds = power.expected_seeds(STRICT, 0.0)
    assert seeds.total == pytest.approx(seeds.candidate + seeds.head)


def test_a_hopeless_trial_costs_one_seed_and_its_share_of_the_head() -> None:
    seeds = power.expected_seeds(STRICT.model_copy(update={"head_every": 4}), -20.0)
    assert seeds == pytest.approx((1.0, 0.25))


@pytest.mark.parametrize(("gain", "found"), [(0.0, 0.024), (0.5, 0.125), (1.0, 0.364), (2.0, 0.878)])
def test_the_power_of_a_trial_is_that_of_the_design(gain: float, found: float) -> None:
    assert power.keep_power(STRICT, gain) == pytest.approx(found, abs=0.001)


@pytest.mark.parametrize(
    ("seeds", "screen_z", "hopeless_z", "gain"), [(1, 0.5, 0.0, 1.0), (2, 0.8, 0.0, 0.5), (3, -0.5, 0.3, 0.0)]
)
def test_drawn_trials_pass_the_screen_as_often_as_computed(
    seeds: int, screen_z: float, hopeless_z: float, gain: float
) -> None:
    rule = JudgeRule(screen_seeds=seeds, screen_z=screen_z, hopeless_z=hopeless_z)
    draws, spread = random.Random(0), Spread(n=6, mean=0.0, sd=1.0)

    def passes() -> bool:
        head = [draws.gauss() / 3] * 9
        values = [draws.gauss(gain) for _ in range(seeds)]
        stopped = seeds > 1 and values[0] < rules.hopeless_bound(rule, head, spread)
        return not stopped and rules.passes_screen(rule, values, head, spread)

    assert fmean(passes() for _ in range(6000)) == pytest.approx(power.screen_power(rule, gain), abs=0.02)


@pytest.mark.parametrize("blocks", [2, 3, 4, 12, 64])
@pytest.mark.parametrize("confidence", [0.55, 0.85, 0.99])
def test_the_power_without_a_gain_is_the_level(blocks: int, confidence: float) -> None:
    threshold = student_t(confidence, blocks - 1)
    assert power.paired_power(0.0, blocks, threshold) == pytest.approx(1 - confidence, abs=1e-5)


@pytest.mark.parametrize(  # scipy.stats.nct.sf(t, blocks - 1, gain * sqrt(blocks / 2))
    ("gain", "blocks", "t", "tail"), [(1.0, 4, 1.25, 0.595871), (2.0, 12, 3.106, 0.939427), (1.0, 2, 6.314, 0.134785)]
)
def test_the_power_of_a_gain_is_the_noncentral_t(gain: float, blocks: int, t: float, tail: float) -> None:
    assert power.paired_power(gain, blocks, t) == pytest.approx(tail, abs=1e-5)


def test_a_first_certificate_finds_two_sd_in_94_percent_and_a_later_one_in_fewer() -> None:
    assert power.certification_power(STRICT, 2.0) == pytest.approx(0.94, abs=0.005)
    assert power.certification_power(STRICT, 2.0, k=3) < power.certification_power(STRICT, 2.0)


def test_the_smallest_gain_is_found_with_the_power_asked() -> None:
    assert power.keep_power(STRICT, power.smallest_gain(STRICT)) == pytest.approx(0.8, abs=1e-4)
    assert power.smallest_gain(STRICT, 0.5) < power.smallest_gain(STRICT, 0.9)


def test_a_rule_that_nothing_passes_has_no_smallest_gain() -> None:
    hopeless = JudgeRule(screen_seeds=1, head_window=1, blocks=2, observed_confidence=0.9999)
    assert power.smallest_gain(hopeless) == math.inf


def test_a_rule_that_finds_next_to_nothing_is_named_with_the_next_step() -> None:
    problem = power.find_rule_problem(JudgeRule(blocks=2, observed_confidence=0.99))
    assert problem
    assert "0.075" in problem
    assert "seeds a trial" in problem
    assert "raise blocks (2)" in problem


def test_usable_rules_and_the_papers_have_no_problem() -> None:
    assert power.find_rule_problem(JudgeRule()) is None
    assert power.find_rule_problem(JudgeRule(screen_seeds=1, blocks=2)) is None
    assert power.find_rule_problem(JudgeRule(rule="any", blocks=2, observed_confidence=0.99)) is None
