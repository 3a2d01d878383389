"""`espalier replicate` and `espalier certify`: a gain is claimed only if it holds in blocks on fresh seeds."""

import json
import os
import signal
import subprocess
import sys

import pytest

from lineage_repo.model.comparison import Comparison, Outcome
from lineage_repo.model.ledger import ProofRegistration
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Fault, Spread, Status, now
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from lineage_repo.verdict.judge import paired_gains
from lineage_repo.verdict.proofs import compared_metric, count_missing_blocks, judge_proof, planned_blocks
from lineage_repo.verification.verify import verify
from mcp_server.sandbox.host import Host
from mcp_server.trial import proving, runner
from tests.conftest import MakeTask
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.verdict.test_judge import blocks
from tests.support.trials import proposal, submit

NOISE = {"error": Spread(n=4, mean=0.5, sd=0.01)}
OURS, THEIRS = (0.40, 0.42, 0.41, 0.43), (0.50, 0.52, 0.49, 0.53)


@pytest.fixture
def task(make_task: MakeTask) -> Task:
    return make_task().task


def registered(task: Task, level: str) -> ProofRegistration:
    planned = planned_blocks(task, level)
    return ProofRegistration(proof=1, level=level, number=3, against=0, blocks=planned, at=now())  # type: ignore[arg-type]


def judged(task: Task, level: str, comparisons: list[Comparison], fault: Fault | None = None, k: int = 1) -> Outcome:
    entry = registered(task, level)
    return judge_proof(task, entry, k, comparisons, fault, NOISE, {"level": "bwrap"}, now()).outcome


def better(campaign: Campaign, steps: int = 40) -> int:
    """Register a recipe that is better beyond doubt."""
    lineage = campaign.lineage.refresh()
    start = lineage.read_recipe(0)
    files = {**start, "fit.py": start["fit.py"].replace(b"STEPS = 12", f"STEPS = {steps}".encode())}
    claim = proposal(lineage).model_copy(update={"recipe_tree": lineage.store.write_tree(files)})
    return lineage.register(claim, campaign.settings.digests, lambda n: campaign.paths.trial(n).folder.mkdir())


def test_a_replication_looks_at_four_eight_and_sixteen_blocks_and_stops_where_it_is_decided(task: Task) -> None:
    entry = registered(task, "replicated")
    clear, unclear = blocks(OURS, THEIRS, 0), blocks((0.49, 0.51, 0.48, 0.52), (0.5, 0.52, 0.5, 0.515), 0)
    assert count_missing_blocks(task, entry, [], NOISE) == 4
    assert count_missing_blocks(task, entry, [clear], NOISE) == 0
    assert count_missing_blocks(task, entry, [unclear], NOISE) == 4
    assert count_missing_blocks(task, entry, [unclear, unclear], NOISE) == 8


def test_a_replicated_head_passes_stays_open_or_is_refuted(task: Task) -> None:
    assert judged(task, "replicated", [blocks(OURS, THEIRS, 0)]) is Outcome.PASSED
    assert judged(task, "replicated", [blocks(THEIRS, OURS, 0)]) is Outcome.REFUTED
    futile = blocks((0.4, 0.6, 0.4, 0.59), (0.5, 0.5, 0.5, 0.5), 0)
    assert judged(task, "replicated", [futile]) is Outcome.OPEN


def test_a_recipe_that_fails_while_it_is_proven_is_refuted_and_a_failing_harness_aborts(task: Task) -> None:
    crash, abort = (Fault(status=status, failure="x") for status in (Status.CRASH, Status.HARNESS_ABORT))
    assert judged(task, "replicated", [], crash) is Outcome.REFUTED
    assert judged(task, "certified", [], crash) is Outcome.REFUSED
    assert {judged(task, level, [], abort) for level in ("replicated", "certified")} == {Outcome.ABORTED}


def test_the_kth_certification_has_a_share_of_the_level_and_all_together_spend_it_once(task: Task) -> None:
    comparisons = [blocks(OURS, THEIRS, 0)] * 3
    asked = [n for n in range(1, 2000) if judged(task, "certified", comparisons, k=n) is Outcome.PASSED]
    assert asked == list(range(1, len(asked) + 1))
    assert len(asked) < 2000


def test_a_pinned_seed_and_a_missed_gate_are_refused_whatever_the_gain(task: Task) -> None:
    pinned = blocks((0.3001, 0.3, 0.3, 0.3001), THEIRS, 0)
    assert judged(task, "certified", [pinned] * 3) is Outcome.REFUSED
    wild = blocks(OURS, THEIRS, 0, worst=9.0)
    assert judged(task, "certified", [wild] * 3) is Outcome.REFUSED


def test_a_certification_compares_the_reserved_metric_where_the_task_has_one(make_task: MakeTask) -> None:
    task = make_task(objective={"reserved": "worst"}).task
    assert (compared_metric(task, "certified"), compared_metric(task, "replicated")) == ("worst", "error")
    assert paired_gains(task, blocks(OURS, THEIRS, worst=0.5), metric="worst") == [0.5] * 4


def test_a_certification_has_at_least_a_trials_seeds(make_task: MakeTask) -> None:
    assert planned_blocks(make_task(n_seeds=20).task, "certified") == (20,)


def test_a_trial_is_not_compared_with_itself(campaign: Campaign) -> None:
    assert "trial 0000 can't beat itself: name another" in espalier("certify", campaign.folder, "--trial", "0").output
    assert "the head is the anchor" in espalier("replicate", campaign.folder).output
    assert espalier("replicate", campaign.folder, "--if-needed").exit_code == 0


def test_a_recorded_trial_with_a_pinned_seed_is_refused_before_it_spends_anything(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.trials.SPREAD", 0.0)
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.3)
    done = espalier("certify", campaign.folder, "--trial", "1")
    assert "the recipe pins its seed" in done.output
    assert not lineage.refresh().proofs_registered


def test_a_replication_starts_by_itself_after_enough_moves_of_the_head(campaign: Campaign, host: Host) -> None:
    lineage = campaign.lineage.refresh()
    rule = campaign.task.judge
    for move in range(rule.replicate_after):
        assert proving.launch_if_due(campaign, host) is None
        submit(lineage, 0.4 - 0.05 * move, parent=move)
    entry = proving.launch_if_due(campaign, host)
    assert entry
    assert (entry.level, entry.number, entry.against) == ("replicated", rule.replicate_after, 0)
    assert proving.launch_if_due(campaign, host) is None, "one at a time"
    campaign.paths.proof(entry.proof).cancel.touch()
    locks.wait_for_release(campaign.paths.proof(entry.proof).folder)
    assert lineage.refresh().proofs[entry.proof].outcome is Outcome.ABORTED


def test_nobody_starts_a_third_replication_of_a_head_whose_proofs_are_aborted(campaign: Campaign, host: Host) -> None:
    lineage = campaign.lineage.refresh()
    moves = campaign.task.judge.replicate_after
    for parent in range(moves):
        submit(lineage, 0.4 - 0.05 * parent, parent=parent)
    died = Fault(status=Status.HARNESS_ABORT, failure="x")
    for _ in range(2):
        entry = lineage.register_proof("replicated", moves, 0, lambda _: None)
        lineage.record_proof(entry.proof, (), died, {"level": "not run"})
    assert proving.launch_if_due(campaign, host) is None


@pytest.mark.slow
def test_a_real_gain_is_observed_replicated_and_certified_and_can_be_replayed(campaign: Campaign, host: Host) -> None:
    assert runner.run(campaign, better(campaign), host).status == "keep"
    replicated = json.loads(espalier("replicate", campaign.folder, "--json").stdout)
    assert (replicated["outcome"], replicated["number"], replicated["against"]) == ("passed", 1, 0)
    done = espalier("certify", campaign.folder, "--json")
    printed = json.loads(done.stdout)
    assert (printed["outcome"], printed["needed_p"], done.exit_code) == ("passed", 0.005, 0)
    assert printed["price"]["seeds"] == 24
    assert verify(campaign.lineage.store).problems == ()


@pytest.mark.slow
def test_an_interrupted_command_leaves_the_proof_running_and_a_cancelled_one_is_spent(
    campaign: Campaign, host: Host
) -> None:
    assert runner.run(campaign, better(campaign), host).status == "keep"
    command = [sys.executable, "-m", "lineage_repo.cli.main", "certify", str(campaign.folder), "--trial", "1"]
    asked = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ), start_new_session=True)
    assert asked.stderr
    assert next(line for line in asked.stderr if "proof 1 registered" in line)
    asked.send_signal(signal.SIGINT)
    assert "goes on and is recorded" in asked.communicate()[1]
    assert asked.returncode == 130
    entry = campaign.lineage.refresh().running_proof()
    assert entry
    campaign.paths.proof(entry.proof).cancel.touch()
    locks.wait_for_release(campaign.paths.proof(entry.proof).folder)
    campaign.recover()
    assert campaign.lineage.refresh().proofs[entry.proof].outcome is Outcome.ABORTED
    assert campaign.lineage.count_proofs("certified") == 1
