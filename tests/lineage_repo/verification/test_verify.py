"""`verify` must name each way in which somebody can forge a record."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Spread
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.snapshot import Files
from lineage_repo.storage.store import Store
from lineage_repo.verification.verify import verify
from tests.lineage_repo.record.test_lineage import submit


def rewrite_newest(repo: Path, field: str, value: object) -> None:
    """Replace the newest ledger entry by an edited one, as somebody with write access to the repository could."""

    def git(*arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(["git", "-C", repo, *arguments], input=stdin, capture_output=True, check=True)
        return done.stdout.decode().strip()

    entry = json.loads(git("show", "ledger:entry.json"))
    *path, last = field.split(".")
    inner = entry
    for part in path:
        inner = inner[part]
    inner[last] = value
    blob = git("hash-object", "-w", "--stdin", stdin=json.dumps(entry, indent=1).encode() + b"\n")
    tree = git("mktree", stdin=f"100644 blob {blob}\tentry.json\n".encode())
    identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
    parents = [part for commit in git("rev-parse", "ledger^@").split() for part in ("-p", commit)]
    commit = git(*identity, "commit-tree", tree, *parents, "-m", "forged")
    git("update-ref", "refs/heads/ledger", commit)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("verdict.status", "keep", "does not replay"),
        ("verdict.score", 0.001, "does not replay"),
        ("measurement.metrics.error", [0.001, 0.001], "does not replay"),
        ("incumbent.score", 9.0, "was judged against 0000 (9.0"),
        ("incumbent.number", 7, "was judged against"),
        ("noise.error.sd", 0.0, "noise that the calibrations don't give"),
        ("noise", {}, "noise that the calibrations don't give"),
        ("proposal.title", "another claim", "claims another proposal than was registered"),
        ("number", 9, "has a verdict but was never registered"),
        ("judge_version", 99, "judged by version 99"),
        ("extra", 1, "is not one that this version knows"),
        ("incumbent.n_seeds", 10**12, "was judged against"),
        ("measurement.box_seeds", [1], "has 1 seeds, the campaign 2"),
        ("measurement.metrics.more", [1.0, 1.0], "lacks values of the metrics that the manifest declares"),
        ("digests.evaluator", "0" * 64, "other digests than the campaign's"),
        ("isolation.level", "none", "ran with isolation 'none'"),
        ("fault", {"status": "keep", "failure": "x"}, "is not one that this version knows"),
        ("attempts", -5, "is not one that this version knows"),
        ("at", "1999-01-01T00:00:00Z", "was recorded before it was registered"),
    ],
)
def test_a_forged_record_is_named(campaign: Campaign, field: str, value: object, problem: str) -> None:
    submit(campaign.lineage.refresh(), 0.6)
    rewrite_newest(campaign.paths.repository, field, value)
    assert any(problem in line for line in verify(campaign.lineage.store).problems)


def test_a_calibration_below_the_campaigns_isolation_is_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    lineage.calibrate(lineage.calibrations[0].model_copy(update={"isolation": {"level": "none"}}))
    assert any("ran with isolation 'none'" in line for line in verify(lineage.store).problems)


def test_a_missing_object_is_named(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.6)
    commit = campaign.lineage.commits[1]
    (campaign.paths.repository / "objects" / commit[:2] / commit[2:]).unlink()
    assert commit in " ".join(verify(campaign.lineage.store).problems)


class Older(Lineage):
    """Writes what a version did that measured the objective and nothing beside it."""

    def noise(self, task: Task) -> dict[str, Spread]:
        return {name: spread for name, spread in super().noise(task).items() if name in {"error", "worst"}}


def test_a_record_of_a_version_that_measured_less_still_holds(campaign: Campaign) -> None:
    submit(Older(campaign.lineage.store).refresh(), 0.6)
    assert verify(campaign.lineage.store).problems == ()


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
