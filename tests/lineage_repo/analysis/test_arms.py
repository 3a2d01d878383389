"""Differences of arms, against numbers worked out by hand or by simulation."""

import random

import pytest

from lineage_repo.analysis.arms import adjust_holm, compare_means, find_detectable


def test_two_equal_arms_differ_in_about_a_twentieth_of_comparisons() -> None:
    draw = random.Random(7)
    arms = [[[draw.gauss(0, 1) for _ in range(5)] for _ in range(2)] for _ in range(2000)]
    found = [compare_means(*pair) for pair in arms]
    excluded = sum(f is not None and (f.low > 0 or f.high < 0) for f in found)
    assert 0.03 <= excluded / len(arms) <= 0.08


def test_welchs_interval_has_satterthwaites_degrees_of_freedom_rounded_down() -> None:
    found = compare_means([10.0, 12.0, 14.0, 16.0], [20.0, 20.5, 21.0])
    assert found
    # Squared errors 5/3 and 1/12: (1.75)^2 / ((5/3)^2 / 3 + (1/12)^2 / 2) = 3.295.
    assert (found.difference, found.degrees) == (7.5, 3)
    assert (found.low, found.high) == (pytest.approx(3.290, abs=0.001), pytest.approx(11.710, abs=0.001))
    assert found.p == pytest.approx(0.0109, abs=0.0002)


def test_blocked_runs_are_compared_by_their_differences() -> None:
    first, second = [1.0, 5.0, 9.0], [2.0, 6.1, 9.9]
    blocked, apart = compare_means(first, second, blocked=True), compare_means(first, second)
    assert blocked
    assert apart
    assert blocked.difference == pytest.approx(apart.difference)
    assert (blocked.low > 0, apart.low > 0, blocked.degrees) == (True, False, 2)


def test_arms_that_do_not_vary_or_have_one_run_have_no_interval() -> None:
    assert compare_means([1.0], [2.0, 3.0]) is None
    assert compare_means([1.0, 1.0], [2.0, 2.0]) is None
    assert compare_means([1.0, 2.0, 3.0], [2.0, 3.0], blocked=True) is None


def test_the_detectable_difference_is_found_in_four_of_five_comparisons() -> None:
    draw = random.Random(3)
    found = compare_means([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 3.0, 4.0])
    assert found
    shift = find_detectable(found) / 2.5**0.5  # in standard deviations of a run
    hits = 0
    for _ in range(1000):
        pair = compare_means([draw.gauss(0, 1) for _ in range(5)], [draw.gauss(shift, 1) for _ in range(5)])
        hits += pair is not None and pair.low > 0
    assert 0.76 <= hits / 1000 <= 0.84


def test_holm_multiplies_the_smallest_p_most_and_keeps_their_order() -> None:
    assert adjust_holm([0.04, 0.01, 0.03]) == [pytest.approx(0.06), pytest.approx(0.03), pytest.approx(0.06)]
    assert adjust_holm([0.9, 0.8]) == [1.0, 1.0]
    assert adjust_holm([]) == []
