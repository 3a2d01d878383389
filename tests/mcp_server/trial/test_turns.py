"""Trials and proofs in real boxes, turn by turn: their order, their seeds, and what is left when something dies."""

import os
import signal
from pathlib import Path

import pytest

from lineage_repo.model.comparison import Comparison, Outcome
from lineage_repo.model.measurement import Status
from lineage_repo.model.paths import TrialPaths
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from lineage_repo.verification.verify import verify
from mcp_server.sandbox.cgroup import sweep
from mcp_server.sandbox.host import Host
from mcp_server.trial import proving, runner
from mcp_server.trial.attempts import draw_turns
from tests.conftest import MakeTask, MakeWorkspace, like
from tests.mcp_server.trial.test_crash import boxes, processes, slow_edit, wait_until
from tests.mcp_server.trial.test_kill import left
from tests.support.trials import finish, proposal, submit, true_error

RULE = {"head_every": 1, "blocks": 3}
"""Every screen measures one seed of the head too."""


def register(campaign: Campaign, old: str = "STEPS = 12", new: str = "STEPS = 40") -> int:
    """Register the start with one change, which by default is better beyond doubt."""
    lineage = campaign.lineage.refresh()
    start = lineage.read_recipe(0)
    files = {**start, "fit.py": start["fit.py"].replace(old.encode(), new.encode())}
    claim = proposal(lineage).model_copy(update={"recipe_tree": lineage.store.write_tree(files)})
    return lineage.register(claim, campaign.settings.digests, lambda n: campaign.paths.trial(n).folder.mkdir())


def sides(comparison: Comparison) -> str:
    """The turns in their order: C for the candidate, R for the reference."""
    return "".join(turn.side[0].upper() for turn in comparison.turns)


def pairs(comparison: Comparison, metric: str = "error") -> list[tuple[float, float]]:
    assert comparison.reference
    return list(zip(comparison.candidate.metrics[metric], comparison.reference.metrics[metric], strict=True))


def assert_sound(campaign: Campaign) -> None:
    assert verify(campaign.lineage.refresh().store, full=False).problems == ()
    assert left(campaign) == []


def judged_by(calibrated: Path, folder: Path, make_task: MakeTask, **rule: object) -> Campaign:
    """A toy campaign with another rule; nothing is measured for it."""
    return like(calibrated, folder / "other", task=make_task(judge=rule))


def test_a_trial_is_measured_beside_the_head_then_in_blocks_that_alternate_and_share_their_seeds(
    calibrated_toy: Path, tmp_path: Path, make_task: MakeTask, host: Host
) -> None:
    campaign = judged_by(calibrated_toy, tmp_path, make_task, **RULE)
    trial = runner.run(campaign, register(campaign), host)
    screen, blocks = trial.comparisons
    assert (sides(screen), sides(blocks)) == ("RCC", "CRRCCR")
    assert (trial.status, trial.verdict.against, trial.verdict.finding) == (Status.KEEP, 0, "better")
    assert trial.verdict.gain
    assert trial.verdict.gain.mean == pytest.approx(sum(r - c for c, r in pairs(blocks)) / 3)
    assert all(ours < theirs for ours, theirs in pairs(blocks)), "each turn ran its own side's recipe"
    assert len(campaign.paths.trial(1).box_logs) == 2 * (3 + 6)
    assert blocks.reference
    assert blocks.shared_seeds, "the toy's noise comes from its data, so both sides get the same"
    assert blocks.candidate.box_seeds == blocks.reference.box_seeds
    assert screen.reference
    assert len({*screen.candidate.trial_seeds, *screen.reference.trial_seeds, *blocks.candidate.trial_seeds}) == 6
    assert_sound(campaign)


def test_a_hopeless_first_seed_is_the_last_turn(
    calibrated_toy: Path, tmp_path: Path, make_task: MakeTask, host: Host
) -> None:
    campaign = judged_by(calibrated_toy, tmp_path, make_task, **RULE)
    trial = runner.run(campaign, register(campaign, new="STEPS = 9"), host)
    (screen,) = trial.comparisons
    assert sides(screen) == "RC"
    assert (trial.status, trial.verdict.finding, trial.n_seeds) == (Status.DISCARD, "hopeless", 1)
    assert len(campaign.paths.trial(1).box_logs) == 2 * 2
    assert_sound(campaign)


def test_every_turn_has_a_seed_of_its_own_unless_a_block_shares_it() -> None:
    order = ("candidate", "reference", "reference", "candidate")
    assert len({turn.trial_seed for turn in draw_turns(order)}) == 4
    first, second, third, fourth = (turn.trial_seed for turn in draw_turns(order, shared_seeds=True))
    assert (first, third) == (second, fourth)
    assert first != third


def test_a_head_that_fails_is_not_held_against_the_trial_and_is_demoted(campaign: Campaign, host: Host) -> None:
    lineage = campaign.lineage.refresh()
    broken = submit(lineage, true_error(lineage.trials[0]) - 0.05, body=b"raise SystemExit(3)\n")
    assert lineage.trials[broken].status is Status.KEEP
    trial = runner.run(campaign, register(campaign), host)
    assert (trial.status, trial.attempts) == (Status.HARNESS_ABORT, 1)
    assert trial.verdict.failure == "the reference failed: fit exited 3"
    screen, blocks = trial.comparisons
    assert (sides(screen), sides(blocks), blocks.reference) == ("CC", "C", None), "the turns before it stay"
    locks.wait_for_release(campaign.paths.proof(1).folder)
    assert [demotion.number for demotion in lineage.refresh().demotions] == [broken]


def test_a_proof_takes_its_share_of_the_slots_and_measures_each_block_once(
    calibrated_toy: Path, tmp_path: Path, make_task: MakeTask, host: Host
) -> None:
    rule = {"replicated_blocks": [3, 6], "replicated_p": [0.05, 0.05], "replicated_futile_t": [0.0]}
    campaign = judged_by(calibrated_toy, tmp_path, make_task, **rule, proof_share=0.5)
    assert runner.run(campaign, register(campaign), host).status is Status.KEEP
    lock = campaign.paths.proof(1).folder.mkdir
    entry = campaign.lineage.register_proof("replicated", 1, 0, lambda _: lock())
    proof = proving.run(campaign, entry.proof, host.model_copy(update={"slots": 4}))
    one, other = proof.comparisons
    assert (sides(one), sides(other)) == ("CRRC", "RC"), "the strands alternate too"
    assert one.turns[0].began < other.turns[-1].began
    assert other.turns[0].began < one.turns[-1].began, "they ran side by side"
    assert proof.outcome is Outcome.PASSED
    assert campaign.lineage.standing
    assert campaign.lineage.standing.anchor == 1
    assert_sound(campaign)


def kill(campaign: Campaign, paths: TrialPaths, module: str, number: int = signal.SIGKILL) -> None:
    """Kill a detached runner in the middle of its blocks, and wait until everything that it started has ended."""
    wait_until(lambda: " of 8: fit" in read(paths.progress) or " of 24: fit" in read(paths.progress))
    (pid,) = processes(module, str(campaign.folder))
    os.kill(pid, number)
    locks.wait_for_release(paths.folder)
    wait_until(lambda: not processes("mcp_server.trial.worker", str(campaign.folder)))
    sweep()
    wait_until(lambda: not boxes(campaign.folder))


def read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def test_a_runner_that_is_killed_between_two_blocks_leaves_a_trial_to_recover(
    campaign: Campaign, make_workspace: MakeWorkspace
) -> None:
    workspace = make_workspace()
    slow_edit(campaign, 0.1)
    workspace.submit("slow", "A recipe whose runner is killed in its blocks.", -0.1, "")
    kill(campaign, campaign.paths.trial(1), "mcp_server.trial.runner")
    (lost,) = campaign.recover()
    assert (lost.status, lost.comparisons) == (Status.HARNESS_ABORT, ())
    assert campaign.lineage.find_measured(lost.proposal.recipe_tree) is None
    assert_sound(campaign)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_proof_whose_runner_is_killed_is_aborted_and_a_certification_is_spent(
    campaign: Campaign, host: Host, number: int
) -> None:
    lineage = campaign.lineage.refresh()
    finish(lineage, register(campaign), true_error(lineage.trials[0]) - 0.1)
    entry = proving.launch(campaign, "certified", 1, 0, host)
    kill(campaign, campaign.paths.proof(entry.proof), "mcp_server.trial.proving", number)
    campaign.recover()
    proof = lineage.refresh().proofs[entry.proof]
    assert (proof.outcome, proof.comparisons) == (Outcome.ABORTED, ())
    assert ("runner died" in (proof.failure or "")) == (number == signal.SIGKILL)
    assert lineage.running_proof() is None
    assert lineage.count_proofs("certified") == 1
    assert_sound(campaign)


def test_all_strands_of_a_proof_end_with_its_runner(campaign: Campaign, host: Host) -> None:
    lineage = campaign.lineage.refresh()
    slow = ("import json\n", "import json\nimport time\n\ntime.sleep(2)\n")
    finish(lineage, register(campaign, *slow), true_error(lineage.trials[0]) - 0.1)
    entry = proving.launch(campaign, "certified", 1, 0, host.model_copy(update={"slots": 4}))
    paths = campaign.paths.proof(entry.proof)
    wait_until(lambda: len(processes("mcp_server.trial.worker", str(campaign.folder))) >= 2)
    (pid,) = processes("mcp_server.trial.proving", str(campaign.folder))
    os.kill(pid, signal.SIGTERM)
    locks.wait_for_release(paths.folder)
    assert sum(len(job.turns) for job in paths.jobs) < 24, "no strand measured all of its blocks"
    assert lineage.refresh().proofs[entry.proof].failure == "cancelled by the operator"
    assert_sound(campaign)
