"""Commit messages: what people read in `git log`. Never parsed; `trial.json` is the record."""

import textwrap

from lineage_repo.model.ledger import Proposal, Started, Trial
from lineage_repo.model.manifest import Objective, Task
from lineage_repo.model.measurement import Status


def trial_subject(trial: Trial, objective: Objective) -> str:
    """One line: number, verdict, score, difference to the best then, role, title."""
    outcome = trial.verdict
    score = f" {objective.text(outcome.score)}" if outcome.score is not None else ""
    delta = f" ({outcome.delta_vs_best:+.{objective.digits}f})" if outcome.delta_vs_best is not None else ""
    return f"{trial.number:04d} {outcome.status}{score}{delta} {heading(trial.proposal)}"


def heading(proposal: Proposal) -> str:
    """`role: title`, the role written once."""
    title = proposal.title.removeprefix(f"{proposal.specialist}:").strip()
    return f"{proposal.specialist}: {title}"


def trial_message(trial: Trial, task: Task) -> str:
    """Subject, hypothesis, failure line, trailers."""
    proposal, outcome = trial.proposal, trial.verdict
    parts = [trial_subject(trial, task.objective), _quoted(proposal.hypothesis)]
    if outcome.failure:
        parts.append(_quoted(f"Failed: {outcome.failure}"))
    digits = task.objective.digits
    predicted = trial.status is not Status.BASELINE and not trial.lacks("expected_delta")
    trailers = {
        "Trial": f"{trial.number:04d}",
        "Status": outcome.status.value,
        "Score": None if outcome.score is None else f"{outcome.score:.{digits}f}",
        "Delta": None if outcome.delta_vs_best is None else f"{outcome.delta_vs_best:+.{digits}f}",
        "Expected-Delta": f"{proposal.expected_delta:+.{digits}f}" if predicted else None,
        "Parent": None if proposal.parent is None else f"{proposal.parent:04d}",
        "Specialist": proposal.specialist,
        "Session": proposal.session,
        "Proposal": proposal.recipe_tree,
        "Evaluator": trial.digests.get("evaluator", "")[:12],
        "Isolation": trial.isolation.get("level", "unknown"),
    }
    if trial.imported:
        repairs = len(trial.imported.repairs)
        trailers |= {"Proposal": None, "Evaluator": None, "Isolation": None}
        trailers["Session"] = None if trial.lacks("session") else proposal.session
        trailers |= {"Origin": "imported", "Source-Id": trial.imported.id, "Repairs": str(repairs) if repairs else None}
    parts.append("\n".join(f"{key}: {value}" for key, value in trailers.items() if value is not None))
    return "\n\n".join(filter(None, parts)) + "\n"


def proposal_message(started: Started) -> str:
    """What the proposal commit says: the claim, before anything is measured."""
    proposal = started.proposal
    return f"{started.number:04d} proposed {heading(proposal)}\n\n{_quoted(proposal.hypothesis)}\n"


def _quoted(text: str) -> str:
    """Agent text, wrapped and indented, so that none of its lines can look like a trailer."""
    return textwrap.fill(text, width=76, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
