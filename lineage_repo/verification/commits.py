"""Check the commits of a lineage: each contains what the ledger says, and has the message that follows from it."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from lineage_repo.model.ledger import Entry, Proposal, Registration, Trial
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.message import proposal_message, trial_message
from lineage_repo.storage.objects import Commit, Signature
from lineage_repo.storage.store import Row


def check_commits(lineage: Lineage) -> Iterator[str]:
    """Yield a problem for each proposal or trial commit that differs from what the ledger implies."""
    expectations = [_expect_proposal(lineage, entry) for entry in lineage.registered.values()]
    expectations += [_expect_trial(lineage, trial) for trial in lineage.trials.values()]
    commits = lineage.store.read_commits([expected.id for expected in expectations])
    for (name, commit_id, expected), commit in zip(expectations, commits, strict=True):
        where = f"{name}: {commit_id[:12]}"
        if commit.files != expected.files:
            yield f"{where} has other files than the ledger says"
        if commit.recipe_tree != expected.recipe_tree:
            yield f"{where} has another recipe than was registered"
        if commit.header != expected.header:
            yield f"{where} has another parent, author or time than the ledger says"
        if commit.message != expected.message:
            yield f"{where} has a message that does not follow from its record"


class _Expectation(NamedTuple):
    name: str
    id: str
    commit: Commit


def _expect_proposal(lineage: Lineage, entry: Registration) -> _Expectation:
    proposal = entry.proposal
    commit = Commit(
        header=_expect_header(lineage, proposal, entry.at),
        message=proposal_message(entry),
        files={"proposal.json": proposal.canonical()},
        recipe_tree=proposal.recipe_tree,
    )
    return _Expectation(f"proposal of {entry.number:04d}", lineage.proposals[entry.number], commit)


def _expect_trial(lineage: Lineage, trial: Trial) -> _Expectation:
    manifest = {"task.json": lineage.task.canonical()} if trial.number == 0 else {}
    commit = Commit(
        header=_expect_header(lineage, trial.proposal, trial.at),
        message=trial_message(trial, lineage.task),
        files={"trial.json": trial.canonical(), **manifest},
        recipe_tree="" if trial.imported else trial.proposal.recipe_tree,
    )
    return _Expectation(f"trial {trial.number:04d}", lineage.commits[trial.number], commit)


def _expect_header(lineage: Lineage, proposal: Proposal, at: datetime) -> list[str]:
    parents = [] if proposal.parent is None else [f"parent {lineage.commits.get(proposal.parent, 'missing')}"]
    return [*parents, *Signature(proposal.specialist, at).lines()]


def check_entry_commit(lineage: Lineage, row: Row, entry: Entry, previous: Row | None, commit: Commit) -> Iterator[str]:
    """Yield a problem if a ledger commit has more than the next entry, or another author, message or parent."""
    where = f"ledger entry {row.commit[:12]}"
    parents = [line for line in commit.header if line.startswith("parent ")]
    signature = Signature("evaluator", entry.at).lines()
    if commit.files != {"entry.json": row.body} or commit.recipe_tree or commit.header[len(parents) :] != signature:
        yield f"{where}: it has more than its entry, or is not signed by the evaluator"
    expected = [previous.commit] if previous else []
    expected += [row.second_parent or "missing"] if isinstance(entry, Registration | Trial) else []
    if parents != [f"parent {commit_id}" for commit_id in expected]:
        yield f"{where}: its parents are not the previous entry and the commit that it records, if it records one"
    if commit.message != (message := f"{lineage.subject(entry)}\n"):
        yield f"{where} has a message that does not follow from it: {commit.message[:80]!r}, not {message[:80]!r}"
