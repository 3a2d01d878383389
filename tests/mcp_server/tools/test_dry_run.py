"""The report of a dry run, from invented measurements."""

import pytest

from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Fault, Measurement, PhaseRun, Status
from mcp_server.tools.dry_run import make_size_reply
from tests.conftest import MakeTask


@pytest.fixture
def task(make_task: MakeTask) -> Task:
    """The toy with 5 s for `fit` and 50 s for `predict`, both timed, and a cap on all bytes."""
    task = make_task(limits={"total_bytes": 20_000}).task
    fit, predict = task.phases
    longer = predict.model_copy(update={"limit_s": 50.0, "timed": True})
    return task.model_copy(update={"phases": (fit, longer)})


def measured(*seconds: float, wall: float = 0.0) -> Measurement:
    """Measure `fit`, then `predict`, with these times; the last one timed out if it took 5 s or more."""
    phases = tuple(
        PhaseRun(
            phase=phase,
            seed_index=0,
            exit_status="timeout" if took >= 5 or wall else "ok",
            elapsed_s=took,
            wall_s=wall or took,
            setup_s=0.1,
            artifact_bytes=None if took >= 5 or wall else 700,
        )
        for phase, took in zip(("fit", "predict"), seconds, strict=False)
    )
    return Measurement(trial_seeds=(1,), box_seeds=(0,), metrics={}, phases=phases, source_bytes=1000, clock="cpu")


FAULT = Fault(status=Status.TRAIN_BUDGET_OVERRUN, failure="killed", phase="fit")


def test_a_phase_that_outlasts_the_dry_run_is_not_projected_and_what_is_known_stays(task: Task) -> None:
    reply = make_size_reply(task, measured(1.0, 8.01), FAULT, 8, [])
    assert (
        "predict was still running after 8 s of the 50 s allowed, so its time is not projected. Within" in reply.message
    )
    assert [m.name for m in reply.margins] == ["source", "fit time", "fit artifact", "total size"]


def test_the_phases_after_one_that_outlasts_the_dry_run_are_named(task: Task) -> None:
    reply = make_size_reply(task, measured(0.1, wall=11.5), FAULT, 0.5, [])
    assert "fit was still running after 0.1 s (12 s on the wall) of the 5 s allowed" in reply.message
    assert "not projected, and nothing of predict. Within every limit that was measured." in reply.message
    assert [m.name for m in reply.margins] == ["source"]


def test_a_phase_that_passes_its_own_limit_is_a_failure(task: Task) -> None:
    assert make_size_reply(task, measured(5.0), FAULT, 60, []).message.startswith("The dry run failed: killed.")


def test_the_variation_of_the_slowest_timed_phase_is_reported(task: Task) -> None:
    calibrations = [measured(1.0, 2.0), measured(1.0, 4.0)]
    message = make_size_reply(task, measured(1.0, 3.0), None, 60, calibrations).message
    assert "the start's predict time varied by 47% (one standard deviation, 2 calibration runs)" in message
    message = make_size_reply(task, measured(1.0, 3.0), None, 60, calibrations[:1]).message
    assert "how much predict's time varies is not known from 1 calibration run." in message
