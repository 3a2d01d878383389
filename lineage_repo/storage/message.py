"""Commit messages: what people read in `git log`. They are never parsed: `trial.json` is the record."""

import textwrap

from lineage_repo.model.ledger import Proposal, Registration, Trial
from lineage_repo.model.manifest import Objective, Task
from lineage_repo.model.measurement import Status


def trial_subject(trial: Trial, objective: Objective) -> str:
    """Return one line: number, status, score, difference to the best of that moment, role and title."""
    verdict = trial.verdict
    score = f" {objective.text(verdict.score)}" if verdict.score is not None else ""
    delta = f" ({verdict.delta_vs_best:+.{objective.digits}f})" if verdict.delta_vs_best is not None else ""
    return f"{trial.number:04d} {verdict.status}{score}{delta} {heading(trial.proposal)}"


def heading(proposal: Proposal) -> str:
    """Return `role: title`; a title that repeats the role loses it."""
    title = proposal.title.removeprefix(f"{proposal.specialist}:").strip()
    return f"{proposal.specialist}: {title}"


def trial_message(trial: Trial, task: Task) -> str:
    """Return the message of a trial's commit: subject, hypothesis, failure, trailers.

    The trailers are `Trial`, `Status`, `Score`, `Delta`, `Expected-Delta`, `Parent`, `Specialist`, `Session`,
    `Recipe-Tree` (the git tree of the recipe), `Evaluator` (the start of its digest) and `Isolation`; an imported trial
    has `Origin`, `Source-Id` and `Repairs` instead of the last three. A trailer without a value is left out.
    """
    proposal, verdict = trial.proposal, trial.verdict
    parts = [trial_subject(trial, task.objective), _quote(proposal.hypothesis)]
    if verdict.failure:
        parts.append(_quote(f"Failed: {verdict.failure}"))
    digits = task.objective.digits
    has_prediction = trial.status is not Status.BASELINE and not trial.lacks("expected_delta")
    trailers = {
        "Trial": f"{trial.number:04d}",
        "Status": verdict.status.value,
        "Score": None if verdict.score is None else f"{verdict.score:.{digits}f}",
        "Delta": None if verdict.delta_vs_best is None else f"{verdict.delta_vs_best:+.{digits}f}",
        "Expected-Delta": f"{proposal.expected_delta:+.{digits}f}" if has_prediction else None,
        "Parent": None if proposal.parent is None else f"{proposal.parent:04d}",
        "Specialist": proposal.specialist,
        "Session": proposal.session,
        "Recipe-Tree": proposal.recipe_tree,
        "Evaluator": trial.digests.get("evaluator", "")[:12],
        "Isolation": trial.isolation.get("level", "unknown"),
    }
    if trial.imported:
        repairs = len(trial.imported.repairs)
        trailers |= {"Recipe-Tree": None, "Evaluator": None, "Isolation": None}
        trailers["Session"] = None if trial.lacks("session") else proposal.session
        trailers |= {"Origin": "imported", "Source-Id": trial.imported.id, "Repairs": str(repairs) if repairs else None}
    parts.append("\n".join(f"{key}: {value}" for key, value in trailers.items() if value is not None))
    return "\n\n".join(filter(None, parts)) + "\n"


def proposal_message(registration: Registration) -> str:
    """Return the message of a proposal's commit, which is written before anything is measured."""
    proposal = registration.proposal
    return f"{registration.number:04d} proposed {heading(proposal)}\n\n{_quote(proposal.hypothesis)}\n"


def _quote(text: str) -> str:
    """Wrap and indent an agent's text, so that none of its lines can look like a trailer."""
    return textwrap.fill(text, width=76, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
