"""The simulator of searches, at sizes that tell a broken rule from a sound one."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.search_sim import average, equal_arms, main
from benchmarks.simulated_search import Host, Recipe, Search, World, race
from lineage_repo.model.objective import JudgeRule

RULE = JudgeRule()


def run(world: World, rule: JudgeRule = RULE, searches: int = 6, seeds: float = 1500) -> list[Search]:
    """Finished searches."""
    return [Search(rule, world, np.random.default_rng(i)).run(budget=seeds) for i in range(searches)]


def test_a_search_finds_gains_and_says_what_is_true() -> None:
    found = run(World(gain=1.0))
    assert average(s.anchor.quality for s in found).value > 9
    assert all(s.anchor.quality > 0 for s in found)


def test_drift_costs_a_paired_search_little() -> None:
    assert average(s.anchor.quality for s in run(World(gain=1.0, drift=1.0))).value > 9


def test_a_null_search_moves_its_head_often_and_its_anchor_hardly_ever() -> None:
    found = run(World(), seeds=1000)
    assert sum(len(s.moves) for s in found) > 6
    assert sum(len(s.claims) for s in found) <= 2
    assert all(claim.true == 0 for s in found for claim in s.claims)


def test_a_search_stays_within_its_budget() -> None:
    assert all(s.host.spent <= 310 for s in run(World(gain=1.0), seeds=300))


def test_costly_edits_leave_fewer_proposals() -> None:
    dear = Search(RULE, World(), np.random.default_rng(0))
    dear.recipes[0] = Recipe(cost=3.0)
    assert dear.run(budget=600).host.seeds < Search(RULE, World(), np.random.default_rng(0)).run(budget=600).host.seeds


def test_a_window_holds_the_seeds_of_the_head_and_of_its_blocks() -> None:
    search = Search(RULE, World(), np.random.default_rng(0))
    search.recipes.append(Recipe())
    search.window[1] = []
    search.compare(1, 0, 4)
    assert [len(search.window[n]) for n in (0, 1)] == [10, 4]


def test_the_same_seed_gives_the_same_search() -> None:
    one, other = (run(World(gain=1.0), searches=1, seeds=300)[0] for _ in range(2))
    assert one.standing == other.standing
    assert one.host.spent == other.host.spent


@pytest.mark.parametrize("noise", ["normal", "heavy", "skewed"])
def test_noise_of_every_kind_has_mean_0_and_the_recipes_sd(noise: str) -> None:
    host = Host(np.random.default_rng(0))
    values = [host.measure(Recipe(1.0, 2.0, noise)) for _ in range(20000)]  # pyright: ignore[reportArgumentType]
    assert np.mean(values) == pytest.approx(1.0, abs=0.05)
    assert np.std(values) == pytest.approx(2.0, abs=0.15)


def test_a_race_finds_gains_too() -> None:
    assert race(World(gain=2.0), np.random.default_rng(0), 500, first=3, rounds=6, confidence=0.9) > 2


def test_equal_arms_differ_in_about_5_percent() -> None:
    qualities = list(np.random.default_rng(1).normal(10, 3, 20))
    assert 0.02 < equal_arms(qualities).value < 0.09


def test_the_command_prints_one_json_object_with_value_wanted_and_se() -> None:
    result = CliRunner().invoke(main, ["--searches", "2", "--json"])
    assert result.exit_code == 0, result.output
    table = json.loads(result.stdout)
    row = table["false replicated keeps in a null search of 500 proposals"]
    assert row["wanted"] == "<= 0.10"
    assert all({"value", "wanted", "se"} <= set(row) for row in table.values())


def test_the_command_refuses_a_setting_that_the_rule_lacks() -> None:
    assert CliRunner().invoke(main, ["--set", "leniency=1"]).exit_code != 0
