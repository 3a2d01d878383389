"""The commits of a lineage: each holds what the ledger says, and says it in the words that follow from it."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from lineage_repo.model.ledger import Entry, Proposal, Started, Trial
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.message import proposal_message, trial_message
from lineage_repo.storage.repository import Signature
from lineage_repo.storage.store import Row


def check(lineage: Lineage) -> Iterator[str]:
    """Every proposal and trial commit holds what the ledger says, on the parent that it names."""
    wanted = [_proposal_commit(lineage, entry) for entry in lineage.started.values()]
    wanted += [_trial_commit(lineage, trial) for trial in lineage.trials.values()]
    found = lineage.store.commits_with_files([want.commit for want in wanted])
    for want, (head, text, files, recipe) in zip(wanted, found, strict=True):
        where = f"{want.what}: {want.commit[:12]}"
        if files != want.files:
            yield f"{where} holds other files than the ledger says"
        if recipe != want.recipe:
            yield f"{where} holds another recipe than was registered"
        if head != want.head:
            yield f"{where} does not stand on the parent, or is not by the author and of the time, that it names"
        if text != want.message:
            yield f"{where} has a message that its record does not give"


class _Commit(NamedTuple):
    """A commit as the ledger describes it."""

    what: str
    commit: str
    files: dict[str, bytes]
    recipe: str
    head: list[str]
    message: str


def _proposal_commit(lineage: Lineage, entry: Started) -> _Commit:
    files = {"proposal.json": entry.proposal.canonical()}
    head = _head(lineage, entry.proposal, entry.at)
    commit = lineage.proposals[entry.number]
    return _Commit(
        f"proposal of {entry.number:04d}", commit, files, entry.proposal.recipe_tree, head, proposal_message(entry)
    )


def _trial_commit(lineage: Lineage, trial: Trial) -> _Commit:
    files = {"trial.json": trial.canonical()}
    if trial.number == 0:
        files["task.json"] = lineage.task.canonical()
    head = _head(lineage, trial.proposal, trial.at)
    message = trial_message(trial, lineage.task)
    commit = lineage.commits[trial.number]
    recipe = "" if trial.imported else trial.proposal.recipe_tree
    return _Commit(f"trial {trial.number:04d}", commit, files, recipe, head, message)


def _head(lineage: Lineage, proposal: Proposal, at: datetime) -> list[str]:
    parents = [] if proposal.parent is None else [f"parent {lineage.commits.get(proposal.parent, 'missing')}"]
    return [*parents, *Signature(proposal.specialist, at).lines()]


def check_link(
    lineage: Lineage, row: Row, entry: Entry, before: Row | None, found: tuple[list[str], str, dict[str, bytes], str]
) -> Iterator[str]:
    """A ledger commit holds and says the entry that comes next and nothing else, by the evaluator."""
    head, text, files, recipe = found
    where = f"ledger entry {row.commit[:12]}"
    parents = [line for line in head if line.startswith("parent ")]
    if files != {"entry.json": row.body} or recipe or head[len(parents) :] != Signature("evaluator", entry.at).lines():
        yield f"{where}: it holds more than its entry, or is not the evaluator's"
    known = [before.commit] if before else []
    known += [row.second_parent or "missing"] if isinstance(entry, Started | Trial) else []
    if parents != [f"parent {commit}" for commit in known]:
        yield f"{where}: its parents are not the entry before it and the commit that it records, if it records one"
    if text != (said := f"{lineage.subject(entry)}\n"):
        yield f"{where} has a message that its entry does not give: {text[:80]!r} instead of {said[:80]!r}"
