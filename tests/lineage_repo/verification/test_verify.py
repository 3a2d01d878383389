"""`verify` must name each way in which somebody can forge a record."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lineage_repo.model.measurement import Fault, Measurement, Status, derive_seed
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage.snapshot import Files
from lineage_repo.storage.store import Store
from lineage_repo.verdict import rules
from lineage_repo.verification.verify import verify
from tests.support.trials import compare, proposal, prove, submit


def rewrite_newest(repo: Path, field: str, value: object) -> None:
    """Replace the newest ledger entry by an edited one, as somebody with write access to the repository could."""

    def git(*arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(["git", "-C", repo, *arguments], input=stdin, capture_output=True, check=True)
        return done.stdout.decode().strip()

    entry = json.loads(git("show", "ledger:entry.json"))
    *path, last = field.split(".")
    inner = entry
    for part in path:
        inner = inner[int(part) if part.isdigit() else part]
    inner[int(last) if last.isdigit() else last] = value
    blob = git("hash-object", "-w", "--stdin", stdin=json.dumps(entry, indent=1).encode() + b"\n")
    tree = git("mktree", stdin=f"100644 blob {blob}\tentry.json\n".encode())
    identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
    parents = [part for commit in git("rev-parse", "ledger^@").split() for part in ("-p", commit)]
    commit = git(*identity, "commit-tree", tree, *parents, "-m", "forged")
    git("update-ref", "refs/heads/ledger", commit)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("verdict.status", "disqualified", "does not replay"),
        ("verdict.score", 0.001, "does not replay"),
        ("verdict.gain.low", 0.1, "does not replay"),
        ("verdict.finding", "worse", "does not replay"),
        ("comparisons.0.candidate.metrics.error.0", 0.001, "does not replay"),
        ("head", 7, "was judged against 0007, but the head was 0000"),
        ("comparisons.0.against", 7, "is against 0007, but the head was 0000"),
        ("comparisons.0.window", [9.0], "values of the head that the record doesn't give"),
        ("comparisons.0.ledger", "0" * 40, "but the head was nothing"),
        ("comparisons.0.shared_seeds", True, "does not share the seeds that it says"),
        ("noise.error.sd", 0.0, "noise that the calibrations don't give"),
        ("noise", {}, "noise that the calibrations don't give"),
        ("proposal.title", "another claim", "claims another proposal than was registered"),
        ("number", 9, "has a verdict but was never registered"),
        ("judge_version", 99, "judged by version 99"),
        ("extra", 1, "is not one that this version knows"),
        ("comparisons.0.candidate.box_seeds.0", 1, "seeds that do not follow from what was drawn"),
        ("comparisons.0.candidate.metrics.more", [1.0, 1.0], "lacks values of the metrics that the manifest declares"),
        ("comparisons.0.turns.0.side", "candidate", "measured out of order"),
        ("comparisons.0.turns.1.began", "1999-01-01T00:00:00Z", "turns that begin before the ones that they follow"),
        ("digests.evaluator", "0" * 64, "other digests than the campaign's"),
        ("isolation.level", "none", "ran with isolation 'none'"),
        ("fault", {"status": "keep", "failure": "x"}, "is not one that this version knows"),
        ("attempts", -5, "is not one that this version knows"),
        ("at", "1999-01-01T00:00:00Z", "was recorded before it was registered"),
    ],
)
def test_a_forged_record_is_named(campaign: Campaign, field: str, value: object, problem: str) -> None:
    submit(campaign.lineage.refresh(), 0.48)
    rewrite_newest(campaign.paths.repository, field, value)
    assert any(problem in line for line in verify(campaign.lineage.store).problems)


def test_a_calibration_below_the_campaigns_isolation_is_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    lineage.calibrate(lineage.calibrations[0].model_copy(update={"isolation": {"level": "none"}}))
    assert any("ran with isolation 'none'" in line for line in verify(lineage.store).problems)


def test_a_calibration_that_is_entered_again_is_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    lineage.calibrate(lineage.calibrations[0])
    problems = verify(lineage.store).problems
    assert any("of an earlier calibration: not a fresh one" in line for line in problems)
    assert any("a copied measurement" in line for line in problems)


def test_a_measurement_that_is_copied_under_a_new_seed_is_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    comparison = lineage.calibrations[0].comparison
    drawn = tuple(seed + 1 for seed in comparison.candidate.trial_seeds)
    redrawn = {"trial_seeds": drawn, "box_seeds": tuple(derive_seed(seed, 0) for seed in drawn)}
    sides = {side: getattr(comparison, side).model_copy(update=redrawn) for side in ("candidate", "reference")}
    copied = lineage.calibrations[0].model_copy(update={"comparison": comparison.model_copy(update=sides)})
    lineage.calibrate(copied)
    assert [line for line in verify(lineage.store).problems if "copied" in line]
    assert not [line for line in verify(lineage.store).problems if "fresh" in line]


def test_a_trial_that_holds_the_starts_own_values_is_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.48)
    start = lineage.calibrations[0].measurement.model_dump(mode="json", exclude_none=True)
    rewrite_newest(campaign.paths.repository, "comparisons.0.candidate", start)
    problems = verify(campaign.lineage.store).problems
    assert any("trial 0001 has the very values and times of an earlier calibration" in line for line in problems)


def test_one_value_that_is_copied_within_an_entry_is_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.3)
    prove(lineage)
    phases = lineage.proofs[1].comparisons[0].candidate.model_dump(mode="json", exclude_none=True)["phases"]
    copies = [run | {"seed_index": index} for index in range(4) for run in phases[:2]]
    rewrite_newest(campaign.paths.repository, "comparisons.0.candidate.phases", copies)
    assert any("very values and times of proof 1" in line for line in verify(lineage.store).problems)


def test_blocks_that_are_repeated_against_the_same_head_until_they_win_are_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    number = lineage.register(proposal(lineage), lineage.campaign.digests, lambda _: None)
    order = rules.order_screen(lineage.task.judge, number, 2)
    lost, won = (compare(lineage, rules.order_blocks(4), error, 0) for error in (0.55, 0.3))
    comparisons = [compare(lineage, order, 0.3, 0, screen=True), lost, won]
    assert lineage.record(number, comparisons, None, attempts=1, isolation={"level": "bwrap"})
    assert any("has blocks in place 3, although" in line for line in verify(lineage.store).problems)


@pytest.mark.parametrize("turns", [1, 2, 3, 5])
def test_a_recipe_that_fails_in_its_blocks_leaves_an_honest_record(campaign: Campaign, turns: int) -> None:
    lineage = campaign.lineage.refresh()
    number = lineage.register(proposal(lineage), lineage.campaign.digests, lambda _: None)
    order = rules.order_screen(lineage.task.judge, number, 2)
    blocks = compare(lineage, rules.order_blocks(4), 0.3, 0)
    sides = [turn.side for turn in blocks.turns[:turns]]
    cut = {side: cut_short(getattr(blocks, side), sides.count(side)) for side in ("candidate", "reference")}
    partial = blocks.model_copy(update=cut | {"turns": blocks.turns[:turns]})
    comparisons = [compare(lineage, order, 0.3, 0, screen=True), partial]
    fault = Fault(status=Status.CRASH, failure="fit exited 3")
    assert lineage.record(number, comparisons, fault, attempts=1, isolation={"level": "bwrap"})
    assert verify(lineage.store).problems == ()


def cut_short(measurement: Measurement, n_seeds: int) -> Measurement | None:
    """The first seeds of a measurement, whose last one left no value."""
    if n_seeds == 0:
        return None
    return measurement.model_copy(
        update={
            "trial_seeds": measurement.trial_seeds[:n_seeds],
            "box_seeds": measurement.box_seeds[:n_seeds],
            "metrics": {name: values[: n_seeds - 1] for name, values in measurement.metrics.items()},
            "phases": tuple(r for r in measurement.phases if (r.seed_index or 0) < n_seeds),
        }
    )


def test_blocks_without_a_passed_screen_are_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.3)
    worse = [0.9, 0.91]
    rewrite_newest(campaign.paths.repository, "comparisons.0.candidate.metrics.error", worse)
    assert any("its screen was not passed" in line for line in verify(campaign.lineage.store).problems)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("outcome", "open", "which its blocks do not replay to"),
        ("gain.mean", 9.0, "which its blocks do not replay to"),
        ("number", 0, "is another one than was registered"),
        ("proof", 7, "was never registered"),
        ("comparisons.0.against", 1, "against another trial than was registered"),
        ("comparisons.0.ledger", "0" * 40, "began before the proof was registered"),
        ("comparisons.0.candidate.box_seeds.0", 1, "seeds that do not follow from what was drawn"),
        ("comparisons.0.candidate.source_bytes", 99, "another recipe"),
        ("isolation.level", "none", "ran with isolation 'none'"),
        ("comparisons", [], "ended before it was decided"),
        ("failure", "the disk was full", "which its blocks do not replay to"),
    ],
)
@pytest.mark.parametrize("level", ["replicated", "certified"])
def test_a_forged_proof_is_named(campaign: Campaign, level: str, field: str, value: object, problem: str) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.3)
    prove(lineage)
    if level == "certified":
        prove(lineage, level)
    rewrite_newest(campaign.paths.repository, field, value)
    assert any(problem in line for line in verify(lineage.store).problems)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("number", 0, "demotes 0000 to 0000, not 0001 to 0000"),
        ("head", 1, "demotes 0001 to 0001, not 0001 to 0000"),
        ("proof", 2, "no replication that found no gain precedes"),
    ],
)
def test_a_forged_demotion_is_named(campaign: Campaign, field: str, value: object, problem: str) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.3)
    prove(lineage, error=0.9)
    rewrite_newest(campaign.paths.repository, field, value)
    assert any(problem in line for line in verify(lineage.store).problems)


def test_a_demotion_that_is_left_out_is_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.3)
    lineage.demote_if_due = lambda: None  # type: ignore[method-assign]
    prove(lineage, error=0.9)
    submit(lineage, 0.9)
    assert any("its demotion is missing" in line for line in verify(lineage.store).problems)


def test_a_clock_of_another_host_is_no_problem(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.48)
    turns = [{"side": "candidate", "began": "1999-01-01T00:00:00Z"}]
    screen = lineage.trials[1].comparisons[0]
    turns += [{"side": t.side, "began": f"1999-01-01T00:00:0{i}Z"} for i, t in enumerate(screen.turns) if i]
    rewrite_newest(campaign.paths.repository, "comparisons.0.turns", turns)
    assert not [line for line in verify(lineage.store).problems if "begin before" in line or "registered" in line]


def test_a_missing_object_is_named(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.6)
    commit = campaign.lineage.commits[1]
    (campaign.paths.repository / "objects" / commit[:2] / commit[2:]).unlink()
    assert commit in " ".join(verify(campaign.lineage.store).problems)


def test_an_intact_record_has_no_problem_and_says_its_tip(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.6)
    report = verify(campaign.lineage.store)
    assert report.problems == ()
    assert (report.trials, report.unfinished, report.tip) == (2, (), campaign.lineage.tip)


def test_grafts_that_hide_history_are_named(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.6)
    repo = campaign.paths.repository
    (repo / "info").mkdir(exist_ok=True)
    (repo / "info" / "grafts").write_text(f"{campaign.lineage.tip}\n", "ascii")
    assert any("grafts" in line for line in verify(campaign.lineage.store).problems)


def test_a_trial_commit_with_more_than_the_record_is_named(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    lineage = campaign.lineage.refresh()
    write = lineage.store.write_commit

    def stuffed(files: Files, *rest: Any) -> str:
        return write({**files, "extra.txt": b"x"} if "trial.json" in files else files, *rest)

    monkeypatch.setattr(lineage.store, "write_commit", stuffed)  # a store that somebody tampered with
    submit(lineage, 0.6)
    assert any("has other files than the ledger says" in line for line in verify(lineage.store).problems)


def test_a_lineage_that_another_user_tagged_is_named_in_the_record_and_not_in_a_clone(
    campaign: Campaign, tmp_path: Path
) -> None:
    repo = campaign.paths.repository
    subprocess.run(["git", "clone", "-q", repo, tmp_path / "clone"], check=True)
    subprocess.run(["git", "-C", tmp_path / "clone", "tag", "mine"], check=True)
    assert verify(Store(tmp_path / "clone")).problems == ()
    subprocess.run(["git", "-C", repo, "tag", "theirs", "best"], check=True)
    assert any("refs/tags/theirs" in line for line in verify(campaign.lineage.store).problems)


def test_nobody_pushes_into_the_record(campaign: Campaign, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", campaign.paths.repository, tmp_path / "clone"], check=True)
    done = subprocess.run(
        ["git", "-C", tmp_path / "clone", "push", "origin", "HEAD:refs/heads/mine"], capture_output=True, check=False
    )
    assert done.returncode != 0
    assert b"deny updating a hidden ref" in done.stderr


@pytest.mark.parametrize("turns", range(1, 8))
def test_blocks_that_ended_early_are_sound_wherever_the_fault_came(campaign: Campaign, turns: int) -> None:
    lineage = campaign.lineage.refresh()
    number = lineage.register(proposal(lineage), lineage.campaign.digests, lambda _: None)
    screen, order = rules.order_screen(lineage.task.judge, number, 2), rules.order_blocks(4)
    comparisons = [compare(lineage, screen, 0.3, 0, screen=True), compare(lineage, order[:turns], 0.3, 0)]
    died = Fault(status=Status.HARNESS_ABORT, failure="the host went away")
    lineage.record(number, comparisons, died, attempts=2, isolation={"level": "bwrap"})
    assert verify(lineage.store).problems == ()
