import math
import random
from collections.abc import Sequence
from typing import Literal

import pytest

from lineage_repo.model.comparison import Comparison, Interval, Turn
from lineage_repo.model.ledger import Verdict
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Fault, Measurement, PhaseRun, Spread, Status, now, pool_measurements
from lineage_repo.model.objective import Gate
from lineage_repo.verdict import rules
from lineage_repo.verdict.judge import JUDGE_VERSION, MAX_ROUNDS, judge, wants_blocks
from lineage_repo.verdict.margins import gate_margin, values_per_seed
from lineage_repo.verdict.statistics import student_t
from tests.conftest import MakeTask

HEAD = 3
NOISE = {"error": Spread(n=4, mean=0.5, sd=0.01), "worst": Spread(n=4, mean=1.0, sd=0.1)}
WINDOW = (0.49, 0.5, 0.51)


@pytest.fixture
def task(make_task: MakeTask) -> Task:
    return make_task(gates=[{"metric": "worst", "at_most": 2.0, "rule": "mean"}]).task


def measured(errors: Sequence[float], worst: float = 1.0) -> Measurement:
    phases = tuple(
        PhaseRun(phase=p, seed_index=i, exit_status="ok", elapsed_s=0.1, wall_s=0.1, setup_s=0.1, artifact_bytes=100)
        for i in range(len(errors))
        for p in ("fit", "predict")
    )
    seeds = tuple(range(len(errors)))
    return Measurement(
        trial_seeds=seeds,
        box_seeds=seeds,
        metrics={"error": tuple(errors), "worst": (worst,) * len(errors)},
        phases=phases,
        source_bytes=1000,
        clock="wall",
    )


def screen(*errors: float, worst: float = 1.0) -> Comparison:
    turns = (Turn(side="candidate", began=now()),) * len(errors)
    return Comparison(against=HEAD, window=WINDOW, candidate=measured(errors, worst), turns=turns)


def blocks(ours: Sequence[float], theirs: Sequence[float], against: int = HEAD, worst: float = 1.0) -> Comparison:
    turns = tuple(Turn(side=side, began=now()) for side in rules.order_blocks(len(ours)))
    return Comparison(against=against, candidate=measured(ours, worst), reference=measured(theirs), turns=turns)


GOOD = blocks((0.40, 0.41, 0.40, 0.42), (0.50, 0.51, 0.49, 0.50))


@pytest.mark.parametrize(
    ("confidence", "freedom", "expected"),
    [
        (0.95, 1, 6.3138),
        (0.99, 2, 6.9646),
        (0.99, 5, 3.3649),
        (0.95, 9, 1.8331),
        (0.99, 19, 2.5395),
        (0.99, 60, 2.3901),
    ],
)
def test_the_t_quantile_agrees_with_published_tables(confidence: float, freedom: int, expected: float) -> None:
    assert student_t(confidence, freedom) == pytest.approx(expected, rel=1e-4)


def test_blocks_with_a_clear_gain_move_the_head_and_others_do_not(task: Task) -> None:
    verdict = judge(task, [screen(0.4, 0.4), GOOD], None, HEAD, NOISE)
    assert (verdict.status, verdict.finding, verdict.against) == (Status.KEEP, "better", HEAD)
    assert verdict.gain
    assert verdict.gain.mean == pytest.approx(0.0925)
    assert verdict.gain.low
    assert 0 < verdict.gain.low < verdict.gain.mean
    unclear = blocks((0.3, 0.6, 0.4, 0.69), (0.5, 0.5, 0.5, 0.5))
    assert judge(task, [screen(0.4, 0.4), unclear], None, HEAD, NOISE).finding == "promising"


@pytest.mark.parametrize(
    ("errors", "finding"),
    [((0.5, 0.49), "tie"), ((0.55, 0.56), "worse"), ((0.7,), "hopeless"), ((0.505,), "tie")],
)
def test_a_failed_screen_is_called_what_it_is(task: Task, errors: tuple[float, ...], finding: str) -> None:
    verdict = judge(task, [screen(*errors)], None, HEAD, NOISE)
    assert (verdict.status, verdict.finding) == (Status.DISCARD, finding)
    assert verdict.gain
    assert verdict.gain.is_tie == (finding == "tie")


def test_blocks_follow_a_passed_screen_and_again_while_the_head_moves(task: Task) -> None:
    assert wants_blocks(task, [screen(0.4, 0.4)], HEAD, NOISE)
    assert not wants_blocks(task, [screen(0.5, 0.5)], HEAD, NOISE)
    assert not wants_blocks(task, [screen(0.4, 0.4), GOOD], HEAD, NOISE)
    assert wants_blocks(task, [screen(0.4, 0.4), GOOD], HEAD + 1, NOISE)
    assert not wants_blocks(task, [screen(0.4, 0.4), *[GOOD] * MAX_ROUNDS], HEAD + 1, NOISE)
    stale = judge(task, [screen(0.4, 0.4), GOOD], None, HEAD + 1, NOISE)
    assert (stale.status, stale.finding) == (Status.DISCARD, "promising")


def test_an_unchanged_recipe_moves_the_head_at_the_level_of_its_rule_whatever_the_host_does(task: Task) -> None:
    random_, moved, passed = random.Random(1), 0, 2000
    for _ in range(passed):
        speed = random_.uniform(0.7, 1.4)  # the host of this trial against that of calibration
        ours, theirs = ([speed * random_.gauss(0.5, 0.01) for _ in range(4)] for _ in range(2))
        moved += judge(task, [screen(0.4, 0.4), blocks(ours, theirs)], None, HEAD, NOISE).status is Status.KEEP
    assert moved / passed == pytest.approx(1 - task.judge.observed_confidence, abs=0.035)


def test_a_gain_below_the_smallest_that_counts_does_not_move_the_head(make_task: MakeTask) -> None:
    strict = make_task(objective={"min_delta": 0.2}).task
    assert judge(strict, [screen(0.4, 0.4), GOOD], None, HEAD, NOISE).status is Status.DISCARD


def test_with_the_papers_rule_any_higher_mean_moves_the_head(make_task: MakeTask) -> None:
    task = make_task(judge={"rule": "any"}).task
    assert judge(task, [screen(0.499, 0.499)], None, HEAD, NOISE).status is Status.KEEP
    assert judge(task, [screen(0.501, 0.501)], None, HEAD, NOISE).status is Status.DISCARD
    assert not wants_blocks(task, [screen(0.4, 0.4)], HEAD, NOISE)


def test_a_missed_gate_disqualifies_a_better_score_and_says_by_how_much(task: Task) -> None:
    missed = [screen(0.1, 0.1, worst=2.5), blocks((0.1,) * 4, (0.5,) * 4, worst=2.5)]
    verdict = judge(task, missed, None, HEAD, NOISE)
    assert verdict.status is Status.DISQUALIFIED
    assert verdict.score is None
    assert verdict.failure == "worst 2.5 misses the gate 2 by 0.5"


def test_a_screen_disqualifies_only_what_its_noise_cannot_explain(task: Task) -> None:
    assert not wants_blocks(task, [screen(0.1, 0.1, worst=2.5)], HEAD, NOISE)
    assert judge(task, [screen(0.1, 0.1, worst=2.5)], None, HEAD, NOISE).status is Status.DISQUALIFIED
    assert wants_blocks(task, [screen(0.1, 0.1, worst=2.1)], HEAD, NOISE)


def test_a_fault_decides_before_any_metric(task: Task) -> None:
    fault = Fault(status=Status.SIZE_BLOCKED, failure="11 bytes over")
    verdict = judge(task, [screen(0.1, 0.1)], fault, HEAD, NOISE)
    assert (verdict.status, verdict.score, verdict.failure) == (Status.SIZE_BLOCKED, None, "11 bytes over")


def test_a_lucky_small_spread_does_not_pass_a_bounded_gate() -> None:
    gate = Gate(metric="accuracy", at_least=0.96)
    known = Spread(n=20, mean=0.97, sd=0.004)
    assert gate_margin(gate, (0.961, 0.961, 0.961), known).margin < 0
    assert gate_margin(gate, (0.975, 0.974, 0.976), known).margin > 0


@pytest.mark.parametrize("ratio", [0.3, 1.0, 3.0])
def test_a_recipe_at_the_gate_passes_the_bound_in_one_percent_of_draws_whatever_its_spread(ratio: float) -> None:
    gate, random_, draws = Gate(metric="accuracy", at_least=0.96), random.Random(1), 4000
    known = Spread(n=20, mean=0.9602, sd=0.0011)
    passed = sum(
        gate_margin(gate, [random_.gauss(0.96, ratio * 0.0011) for _ in range(6)], known).margin >= 0
        for _ in range(draws)
    )
    assert passed / draws <= 0.015


def test_calibrations_pool_to_what_each_of_them_measured(task: Task) -> None:
    once = PhaseRun(
        phase="fit", seed_index=None, exit_status="ok", elapsed_s=3.0, wall_s=3.0, setup_s=0.1, artifact_bytes=100
    )
    single = measured((0.5, 0.4)).model_copy(update={"phases": (once,)})
    values, both = values_per_seed(task, single), values_per_seed(task, pool_measurements([single, single]))
    assert both == {name: seeds * 2 for name, seeds in values.items()}


def test_the_judges_numbers_change_only_with_its_version(task: Task) -> None:
    assert JUDGE_VERSION == 2
    verdict = judge(task, [screen(0.41, 0.43), GOOD], None, HEAD, NOISE)
    assert verdict.gain
    assert (verdict.gain.low, verdict.gain.high) == (pytest.approx(0.077265198192), pytest.approx(0.107734801808))
    gate = Gate(metric="accuracy", at_least=0.96, confidence=0.99)
    margin = gate_margin(gate, (0.97, 0.98, 0.96), Spread(n=6, mean=0.97, sd=0.004))
    assert margin.value == pytest.approx(0.92978967, rel=1e-6)


def test_a_trial_that_ends_in_its_third_seed_has_the_margins_of_all_boxes_that_ran(task: Task) -> None:
    phase = task.phase("fit")

    def run(seed: int, seconds: float, exit_status: Literal["ok", "timeout"] = "ok") -> PhaseRun:
        artifact_bytes = 900 if exit_status == "ok" else None
        return PhaseRun(
            phase="fit",
            seed_index=seed,
            exit_status=exit_status,
            elapsed_s=seconds,
            wall_s=1,
            setup_s=0,
            artifact_bytes=artifact_bytes,
        )

    late = Measurement(
        trial_seeds=(1,), box_seeds=(1, 2, 3, 4), metrics={}, source_bytes=3_000, clock="wall",
        phases=(run(0, 1.5), run(1, 2.5), run(2, phase.limit_s + 0.25, "timeout")),
    )  # fmt: skip
    whole = Comparison(candidate=late, turns=(Turn(side="candidate", began=now()),))
    fault = Fault(status=Status.TRAIN_BUDGET_OVERRUN, failure="killed", phase="fit", seed_index=2)
    room = {margin.name: margin.margin for margin in judge(task, [whole], fault, None, {}).margins}
    assert room == {"source": 17_000, "fit time": -0.25, "fit artifact": 7_100, "total size": -350}


def test_a_verdict_of_another_c_library_counts_as_equal_and_a_changed_one_does_not() -> None:
    gain = Interval(mean=0.019123456789, low=0.0, high=0.1, n=4)
    verdict = Verdict(status=Status.DISCARD, score=0.5, gain=gain)
    nearly = gain.model_copy(update={"mean": math.nextafter(0.019123456789, 1)})
    assert verdict.alike(verdict.model_copy(update={"gain": nearly}))
    other = gain.model_copy(update={"mean": 0.0191234})
    for changed in ({"gain": other}, {"status": Status.KEEP}, {"score": None}, {"score": 0.50001}):
        assert not verdict.alike(verdict.model_copy(update=changed))
