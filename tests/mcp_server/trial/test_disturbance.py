"""A host that is slower than at calibration: reported beside the verdict, or a reason to measure again."""

from pathlib import Path

import pytest

from lineage_repo.model.measurement import Status, now
from lineage_repo.progress import progress_to
from lineage_repo.record.campaign import Campaign
from lineage_repo.verification.verify import verify
from mcp_server.sandbox.host import Host
from mcp_server.tools.workspace import Workspace
from mcp_server.trial import disturbance
from mcp_server.trial.job import JobResult, MeasuredTurn
from tests.conftest import toy_task
from tests.lineage_repo.cli.test_cli import espalier
from tests.mcp_server.trial.test_recipes import measure
from tests.support.trials import measure as made_up


def slowed(folder: Path, calibrated: Path, **disturbance: object) -> Campaign:
    """A toy campaign whose ledger says that the host was ten times as fast when its start was measured."""
    source = Campaign.open(calibrated).lineage.refresh()
    campaign = Campaign.create(folder / "slowed", toy_task(folder / "task", disturbance=disturbance))
    for entry in source.calibrations:
        fast = tuple(reading / 10 for reading in entry.measurement.loop_cpu_s)
        candidate = entry.measurement.model_copy(update={"loop_cpu_s": fast})
        comparison = entry.comparison.model_copy(update={"candidate": candidate})
        campaign.lineage.refresh().calibrate(entry.model_copy(update={"comparison": comparison}))
    campaign.lineage.open_baseline(source.registered[0].proposal, campaign.settings.digests)
    return campaign


def better(campaign: Campaign) -> dict[str, str]:
    return {"fit.py": campaign.lineage.refresh().read_recipe(0)["fit.py"].decode().replace("STEPS = 12", "STEPS = 60")}


@pytest.mark.slow
def test_a_disturbed_measurement_is_reported_beside_its_verdict(
    tmp_path: Path, calibrated_toy: Path, host: Host
) -> None:
    campaign = slowed(tmp_path, calibrated_toy, guard="warn")
    trial = measure(campaign, host, better(campaign))
    workspace = Workspace(campaign, "opt", "session-1", 3, host)
    reply = workspace.reply(1)
    workspace.workdir.close()
    assert (trial.status, trial.attempts) == (Status.KEEP, 1)
    assert reply.host_slowdown is not None
    assert reply.host_slowdown > 2
    assert "slower than at calibration" in reply.message
    assert "more than the task allows" in espalier("show", campaign.folder, "1").output
    assert verify(campaign.lineage.store, full=False).problems == ()


@pytest.mark.slow
def test_a_guard_that_voids_measures_again_and_then_blames_the_host(
    tmp_path: Path, calibrated_toy: Path, host: Host
) -> None:
    campaign = slowed(tmp_path, calibrated_toy, guard="void", patience_s=0.01)
    trial = measure(campaign, host, better(campaign))
    assert (trial.status, trial.score, trial.attempts) == (Status.HARNESS_ABORT, None, 3)
    assert "slower than at calibration in the last of 3 attempts, 15% is allowed" in (trial.verdict.failure or "")
    assert verify(campaign.lineage.store, full=False).problems == ()


@pytest.mark.slow
def test_a_recipe_that_fails_by_itself_is_not_voided(tmp_path: Path, calibrated_toy: Path, host: Host) -> None:
    campaign = slowed(tmp_path, calibrated_toy, guard="void", patience_s=0.01)
    trial = measure(campaign, host, {"fit.py": "raise SystemExit(3)\n"})
    assert (trial.status, trial.attempts) == (Status.CRASH, 1)


@pytest.mark.slow
def test_a_guard_that_is_off_reads_nothing(tmp_path: Path, calibrated_toy: Path, host: Host) -> None:
    campaign = slowed(tmp_path, calibrated_toy, guard="off")
    trial = measure(campaign, host, better(campaign))
    assert trial.measurement is not None
    assert trial.measurement.loop_cpu_s == ()
    assert "than at calibration" not in espalier("show", campaign.folder, "1").output


def test_the_turns_of_the_reference_count_for_a_disturbance_too() -> None:
    quiet, busy = ({"loop_cpu_s": (seconds, seconds)} for seconds in (1.0, 2.0))
    ours = MeasuredTurn(side="candidate", began=now(), measurement=made_up([0.5], [1]).model_copy(update=quiet))
    theirs = MeasuredTurn(side="reference", began=now(), measurement=made_up([0.5], [2]).model_copy(update=busy))
    result = JobResult(turns=(ours, theirs))
    assert result.measurement
    assert result.whole
    assert (result.measurement.loop_cpu_s, result.whole.loop_cpu_s) == ((1.0, 1.0), (1.0, 1.0, 2.0, 2.0))


def test_a_wait_for_quiet_reports_why_and_ends_when_cancelled() -> None:
    lines: list[str] = []
    with progress_to(lines.append):
        disturbance.wait_for_quiet(1e-9, 60.0, lambda: bool(lines))
        assert "the host is disturbed" in lines[0]
        disturbance.wait_for_quiet(60.0, 60.0, lambda: False)
    assert len(lines) == 1
