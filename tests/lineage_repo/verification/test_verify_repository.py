"""`verify` names what a repository has besides the record, and what its commits say besides their entries."""

import subprocess
from pathlib import Path

import pytest

from lineage_repo.record.campaign import Campaign
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.store import Store
from lineage_repo.verification.verify import verify
from tests.lineage_repo.verification.test_verify import rewrite_newest
from tests.support.trials import finish, proposal, submit


def git(repo: Path, *arguments: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", "-C", repo, *arguments], input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


def problems(campaign: Campaign) -> str:
    return "\n".join(verify(Store(campaign.paths.repository)).problems)


def reseal(repo: Path, message: str, *more: str) -> None:
    """Write the newest ledger commit again, with another message or further parents, dated and signed as it was."""
    head, _, _ = git(repo, "cat-file", "commit", "ledger").partition("\n\n")
    lines = head.split("\n")
    parents = sum(line.startswith("parent ") for line in lines)
    lines[1 + parents : 1 + parents] = [f"parent {commit}" for commit in more]
    raw = "\n".join([*lines, "", message]).encode()
    commit = git(repo, "hash-object", "-t", "commit", "-w", "--stdin", stdin=raw + b"\n")
    git(repo, "update-ref", "refs/heads/ledger", commit)


def test_a_ledger_commit_that_says_what_its_entry_does_not_is_named(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.9)
    repo = campaign.paths.repository
    subject = git(repo, "log", "-1", "--format=%s", "ledger")
    reseal(repo, subject)
    assert problems(campaign) == ""
    reseal(repo, "0001 keep 0.0001 rmse opt: I won")
    assert "has a message that does not follow from it: '0001 keep 0.0001 rmse" in problems(campaign)


def test_a_ledger_commit_with_a_parent_that_it_does_not_record_is_named(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.9)
    repo = campaign.paths.repository
    reseal(repo, git(repo, "log", "-1", "--format=%s", "ledger"), git(repo, "rev-parse", "trial/0000"))
    assert "its parents are not the previous entry" in problems(campaign)


def test_a_record_that_breaks_the_arithmetic_is_named_and_raises_nothing(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.9)
    repo = campaign.paths.repository
    tip = git(repo, "rev-parse", "ledger")
    wrong: list[tuple[str, object]] = [
        ("comparisons.0.candidate.metrics", {}),
        ("comparisons.0.candidate.box_seeds", []),
        ("comparisons.0.candidate.metrics.error", [1e308, 1e308]),
        ("comparisons.0.candidate", None),
        ("comparisons.0.turns", []),
        ("comparisons", []),
        ("proposal.parent", 99),
    ]
    for field, value in wrong:
        git(repo, "update-ref", "refs/heads/ledger", tip)
        rewrite_newest(repo, field, value)
        assert "ledger entry" in problems(campaign), field


def test_a_calibration_of_something_else_is_named_and_raises_nothing(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    entry = lineage.calibrations[0]
    wrong: list[dict[str, object]] = [{"metrics": {}}, {"box_seeds": tuple(range(1000))}, {"source_bytes": 9}]
    for change in wrong:
        candidate = entry.comparison.candidate.model_copy(update=change)
        comparison = entry.comparison.model_copy(update={"candidate": candidate})
        lineage.calibrate(entry.model_copy(update={"comparison": comparison}))
    report = problems(campaign)
    assert "calibration: its candidate lacks values of the metrics" in report
    assert "calibration has 1000 seeds, the campaign 2" in report
    assert "calibration has a source of 9 bytes" in report


@pytest.mark.parametrize(("field", "value"), [("comparisons", []), ("comparisons.1.candidate.metrics", {})])
def test_a_head_without_the_values_that_made_it_is_named_and_the_rest_can_be_read(
    campaign: Campaign, field: str, value: object
) -> None:
    submit(campaign.lineage.refresh(), 0.3)
    rewrite_newest(campaign.paths.repository, field, value)
    assert "ledger entry" in problems(campaign)
    assert "ledger: can't be checked" not in problems(campaign)
    assert Lineage(Store(campaign.paths.repository)).refresh().trials.keys() == {0, 1}


def test_refs_that_the_ledger_does_not_give_are_named(campaign: Campaign) -> None:
    repo = campaign.paths.repository
    replaced = f"refs/replace/{git(repo, 'rev-parse', 'trial/0000')}"
    names = [replaced, "refs/notes/commits", "refs/x/evil", "refs/remotes/origin/best"]
    for name in names:
        git(repo, "update-ref", name, git(repo, "rev-parse", "ledger"))
    report = problems(campaign)
    assert [name for name in names if f"{name} is at" not in report] == []


def test_a_clone_with_a_ledger_of_its_own_has_its_remotes(campaign: Campaign, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", campaign.paths.repository, tmp_path / "clone"], check=True)
    git(tmp_path / "clone", "checkout", "-q", "ledger")
    assert verify(Store(tmp_path / "clone")).problems == ()


def test_objects_that_lie_in_another_repository_are_named(campaign: Campaign, tmp_path: Path) -> None:
    objects = campaign.paths.repository / "objects"
    objects.rename(tmp_path / "elsewhere")
    (objects / "info").mkdir(parents=True)
    (objects / "info" / "alternates").write_text(f"{tmp_path / 'elsewhere'}\n", "utf-8")
    assert "takes objects from another repository" in problems(campaign)
    (objects / "info" / "alternates").unlink()
    (objects / "info").rmdir()
    objects.rmdir()
    objects.symlink_to(tmp_path / "elsewhere")
    assert "is a link to another place" in problems(campaign)


def test_a_recipe_with_more_than_plain_files_is_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    repo = campaign.paths.repository
    blob = git(repo, "hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    listed = [
        f"120000 blob {blob}\tfit.py",
        f"160000 commit {'1' * 40}\tsub",
        f"100644 blob {blob}\t.gitattributes",
        f"100644 blob {blob}\tfit\x1b[2J.py",
    ]
    inner = git(repo, "mktree", "-z", "--missing", stdin="".join(f"{line}\0" for line in listed).encode())
    tree = git(repo, "mktree", stdin=f"040000 tree {inner}\tlib\n100644 blob {blob}\tfit.py\n".encode())
    claim = proposal(lineage).model_copy(update={"recipe_tree": tree})
    finish(lineage, lineage.register(claim, lineage.campaign.digests, lambda _: None), 0.9)
    report = problems(campaign)
    for name, mode in [("fit.py", 120000), ("sub", 160000), (".gitattributes", 100644), ("fit\\x1b[2J.py", 100644)]:
        assert f"recipe/lib/{name}' has mode {mode}" in report


def test_a_trial_that_differs_where_nobody_may_edit_is_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    files = campaign.task_folder.read_start() | {"lib/evil.so": b"\0\1"}
    claim = proposal(lineage).model_copy(update={"recipe_tree": lineage.store.write_tree(files)})
    finish(lineage, lineage.register(claim, lineage.campaign.digests, lambda _: None), 0.9)
    assert "differs from 0000 in 'lib/evil.so'; the task lets agents edit" in problems(campaign)
