import math
import random
from typing import Literal

import pytest

from lineage_repo.model.ledger import Incumbent, Verdict
from lineage_repo.model.manifest import Gate, Task
from lineage_repo.model.measurement import Fault, Measurement, PhaseRun, Spread, Status
from lineage_repo.verdict.judge import JUDGE_VERSION, gate_margin, judge, pool_measurements, threshold, values_per_seed
from lineage_repo.verdict.statistics import estimate_spread, student_t
from tests.conftest import MakeTask

INCUMBENT = Incumbent(number=3, score=0.5, n_seeds=2)
NOISE = {"error": Spread(n=4, mean=0.5, sd=0.01), "worst": Spread(n=4, mean=1.0, sd=0.1)}


@pytest.fixture
def task(make_task: MakeTask) -> Task:
    return make_task(gates=[{"metric": "worst", "at_most": 2.0, "rule": "mean"}]).task


def measured(errors: tuple[float, ...], worst: float = 1.0) -> Measurement:
    phases = tuple(
        PhaseRun(phase=p, seed_index=i, exit_status="ok", elapsed_s=0.1, wall_s=0.1, setup_s=0.1, artifact_bytes=100)
        for i in range(len(errors))
        for p in ("fit", "predict")
    )
    metrics = {"error": errors, "worst": (worst,) * len(errors)}
    return Measurement(
        trial_seeds=(1,),
        box_seeds=tuple(range(len(errors))),
        metrics=metrics,
        phases=phases,
        source_bytes=1000,
        clock="wall",
    )


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


def test_a_gain_above_the_noise_is_kept_and_one_below_it_is_not(task: Task) -> None:
    needed = threshold(task, NOISE, 2, 2)
    assert needed == pytest.approx(3.182 * 0.01 * math.sqrt(1 / 2 + 1 / 2), rel=0.01)
    above, below = measured((0.5 - needed - 0.001,) * 2), measured((0.5 - needed + 0.001,) * 2)
    assert judge(task, above, None, INCUMBENT, 0.5, NOISE).status is Status.KEEP
    assert judge(task, below, None, INCUMBENT, 0.5, NOISE).status is Status.DISCARD


def test_an_unchanged_recipe_is_kept_in_at_most_one_of_forty_trials_however_few_the_calibrations(task: Task) -> None:
    random_, kept, draws = random.Random(1), 0, 4000
    for _ in range(draws):
        calibrated = tuple(random_.gauss(0.5, 0.01) for _ in range(4))
        noise = {**NOISE, "error": estimate_spread(calibrated)}
        incumbent = Incumbent(number=0, score=random_.gauss(0.5, 0.01 / math.sqrt(2)), n_seeds=2)
        again = measured((random_.gauss(0.5, 0.01), random_.gauss(0.5, 0.01)))
        kept += judge(task, again, None, incumbent, 0.5, noise).status is Status.KEEP
    assert kept / draws < 0.031


def test_deltas_are_signed_against_the_best_and_the_parent(task: Task) -> None:
    verdict = judge(task, measured((0.4, 0.4)), None, INCUMBENT, 0.6, NOISE)
    assert verdict.delta_vs_best == pytest.approx(-0.1)
    assert verdict.delta_vs_parent == pytest.approx(-0.2)


def test_a_missed_gate_disqualifies_a_better_score_and_says_by_how_much(task: Task) -> None:
    verdict = judge(task, measured((0.1, 0.1), worst=2.5), None, INCUMBENT, 0.5, NOISE)
    assert verdict.status is Status.DISQUALIFIED
    assert verdict.score is None
    assert verdict.failure == "worst 2.5 misses the gate 2 by 0.5"


def test_a_fault_decides_before_any_metric(task: Task) -> None:
    fault = Fault(status=Status.SIZE_BLOCKED, failure="11 bytes over")
    verdict = judge(task, measured((0.1, 0.1)), fault, INCUMBENT, 0.5, NOISE)
    assert (verdict.status, verdict.score, verdict.failure) == (Status.SIZE_BLOCKED, None, "11 bytes over")


def test_a_lucky_small_spread_does_not_pass_a_bounded_gate() -> None:
    gate = Gate(metric="accuracy", at_least=0.96)
    known = Spread(n=20, mean=0.97, sd=0.004)
    assert gate_margin(gate, (0.961, 0.961, 0.961), known).margin < 0
    assert gate_margin(gate, (0.975, 0.974, 0.976), known).margin > 0


def test_a_recipe_below_the_gate_passes_the_bound_in_under_one_percent_of_draws() -> None:
    gate, random_ = Gate(metric="accuracy", at_least=0.96), random.Random(1)
    known = Spread(n=20, mean=0.9602, sd=0.0011)
    passed = sum(
        gate_margin(gate, tuple(random_.gauss(0.9595, 0.0011) for _ in range(10)), known).margin >= 0
        for _ in range(2000)
    )
    assert passed <= 20


def test_calibrations_pool_to_what_each_of_them_measured(task: Task) -> None:
    once = PhaseRun(
        phase="fit", seed_index=None, exit_status="ok", elapsed_s=3.0, wall_s=3.0, setup_s=0.1, artifact_bytes=100
    )
    single = measured((0.5, 0.4)).model_copy(update={"phases": (once,)})
    values, both = values_per_seed(task, single), values_per_seed(task, pool_measurements([single, single]))
    assert both == {name: seeds * 2 for name, seeds in values.items()}


def test_the_judges_numbers_change_only_with_its_version(task: Task) -> None:
    assert JUDGE_VERSION == 1
    verdict = judge(task, measured((0.41, 0.43)), None, INCUMBENT, 0.45, NOISE)
    assert (verdict.status, verdict.threshold) == (Status.KEEP, pytest.approx(0.031824463053, rel=1e-9))
    gate = Gate(metric="accuracy", at_least=0.96, confidence=0.99)
    assert gate_margin(gate, (0.97, 0.98, 0.96), Spread(n=6, mean=0.97, sd=0.004)).value == pytest.approx(
        0.95269131856, rel=1e-9
    )


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
    fault = Fault(status=Status.TRAIN_BUDGET_OVERRUN, failure="killed", phase="fit", seed_index=2)
    room = {margin.name: margin.margin for margin in judge(task, late, fault, None, None, {}).margins}
    assert room == {"source": 17_000, "fit time": -0.25, "fit artifact": 7_100, "total size": -350}


def test_a_verdict_of_another_c_library_counts_as_equal_and_a_changed_one_does_not() -> None:
    verdict = Verdict(status=Status.DISCARD, score=0.5, threshold=0.019123456789, failure=None)
    assert verdict.alike(verdict.model_copy(update={"threshold": math.nextafter(0.019123456789, 1)}))
    for changed in ({"threshold": 0.0191234}, {"status": Status.KEEP}, {"score": None}, {"score": 0.50001}):
        assert not verdict.alike(verdict.model_copy(update=changed))
