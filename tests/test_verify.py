"""`verify` must name each way in which a record can be bent."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lineage_repo.campaign import Campaign
from lineage_repo.verify import verify

from tests.test_lineage import submit

Edit = Callable[[dict[str, Any]], Any]


def rewrite_newest(repo: Path, edit: Edit) -> None:
    """Replace the newest ledger entry by an edited one, as somebody with write access to the repository could."""

    def git(*arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(["git", "-C", repo, *arguments], input=stdin, capture_output=True, check=True)
        return done.stdout.decode().strip()

    entry = json.loads(git("show", "ledger:entry.json"))
    edit(entry)
    blob = git("hash-object", "-w", "--stdin", stdin=json.dumps(entry, indent=1).encode() + b"\n")
    tree = git("mktree", stdin=f"100644 blob {blob}\tentry.json\n".encode())
    identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
    commit = git(*identity, "commit-tree", tree, "-p", "ledger^1", "-p", "ledger^2", "-m", "forged")
    git("update-ref", "refs/heads/ledger", commit)


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda e: e["outcome"].update(status="keep"), "does not replay"),
        (lambda e: e["outcome"].update(score=0.001), "does not replay"),
        (lambda e: e["measurement"]["metrics"].update(error=[0.001, 0.001]), "does not replay"),
        (lambda e: e["incumbent"].update(score=9.0), "was judged against a score of 9.0"),
        (lambda e: e["incumbent"].update(number=7), "was judged against"),
        (lambda e: e["noise"]["error"].update(sd=0.0), "noise that the calibrations don't give"),
        (lambda e: e["proposal"].update(title="another claim"), "claims another proposal than was registered"),
        (lambda e: e.update(number=9), "has an outcome but was never started"),
        (lambda e: e.update(judge_version=99), "judged by version 99"),
        (lambda e: e.update(extra=1), "is not one that this version knows"),
    ],
)
def test_a_bent_record_is_named(campaign: Campaign, edit: Edit, problem: str) -> None:
    submit(campaign.lineage.refresh(), 0.6)
    rewrite_newest(campaign.folder / "lineage.git", edit)
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
