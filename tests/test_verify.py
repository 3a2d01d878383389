"""`verify` must name each way in which a record can be bent."""

import json
import subprocess
from pathlib import Path

import pytest

from lineage_repo.campaign import Campaign
from lineage_repo.verify import verify
from tests.test_lineage import submit


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
    commit = git(*identity, "commit-tree", tree, "-p", "ledger^1", "-p", "ledger^2", "-m", "forged")
    git("update-ref", "refs/heads/ledger", commit)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("outcome.status", "keep", "does not replay"),
        ("outcome.score", 0.001, "does not replay"),
        ("measurement.metrics.error", [0.001, 0.001], "does not replay"),
        ("incumbent.score", 9.0, "was judged against a score of 9.0"),
        ("incumbent.number", 7, "was judged against"),
        ("noise.error.sd", 0.0, "noise that the calibrations don't give"),
        ("proposal.title", "another claim", "claims another proposal than was registered"),
        ("number", 9, "has an outcome but was never started"),
        ("judge_version", 99, "judged by version 99"),
        ("extra", 1, "is not one that this version knows"),
    ],
)
def test_a_bent_record_is_named(campaign: Campaign, field: str, value: object, problem: str) -> None:
    submit(campaign.lineage.refresh(), 0.6)
    rewrite_newest(campaign.folder / "lineage.git", field, value)
    assert any(problem in line for line in verify(campaign.lineage.store).problems)


def test_a_missing_object_is_named(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.6)
    commit = campaign.lineage.commits[1]
    (campaign.folder / "lineage.git" / "objects" / commit[:2] / commit[2:]).unlink()
    assert commit in " ".join(verify(campaign.lineage.store).problems)


def test_an_intact_record_has_no_problem_and_says_its_tip(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.6)
    report = verify(campaign.lineage.store)
    assert report.problems == ()
    assert (report.trials, report.unfinished, report.tip) == (2, (), campaign.lineage.tip)
