"""Commit messages: what people read in `git log`. They are never parsed: `trial.json` is the record."""

import textwrap

from lineage_repo.model.ledger import Demotion, Proof, ProofRegistration, Proposal, Registration, Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Status
from lineage_repo.model.objective import Objective


def trial_subject(trial: Trial, objective: Objective) -> str:
    """Return one line: number, status, score, gain over the head, role and title."""
    verdict = trial.verdict
    score = f" {objective.text(verdict.score)}" if verdict.score is not None else ""
    gain = f" ({objective.gain_text(verdict.gain)})" if verdict.gain else ""
    return f"{trial.number:04d} {verdict.status}{score}{gain} {heading(trial.proposal)}"


def heading(proposal: Proposal) -> str:
    """Return `role: title`; a title that repeats the role loses it."""
    title = proposal.title.removeprefix(f"{proposal.specialist}:").strip()
    return f"{proposal.specialist}: {title}"


def trial_message(trial: Trial, task: Task) -> str:
    """Return the message of a trial's commit: subject, hypothesis, failure, trailers.

    The trailers are `Trial`, `Status`, `Score`, `Gain`, `Expected-Delta`, `Parent`, `Specialist`, `Session`,
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
        "Gain": task.objective.gain_text(verdict.gain) if verdict.gain else None,
        "Against": None if verdict.against is None else f"{verdict.against:04d}",
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


def proof_subject(entry: ProofRegistration | Proof, objective: Objective) -> str:
    """Return one line for a proof that begins or ends."""
    pair = f"{entry.number:04d} against {entry.against:04d}"
    if isinstance(entry, ProofRegistration):
        return f"proof {entry.proof} registered: {pair}, to be {entry.level}"
    gain = f", gain {objective.gain_text(entry.gain)}" if entry.gain else ""
    return f"proof {entry.proof} {entry.outcome}: {pair}, to be {entry.level}{gain}"


def demotion_subject(entry: Demotion) -> str:
    """Return one line for a head that falls back to the anchor."""
    return f"demotion of {entry.number:04d}: the head is {entry.head:04d} again, by proof {entry.proof}"


def proposal_message(registration: Registration) -> str:
    """Return the message of a proposal's commit, which is written before anything is measured."""
    proposal = registration.proposal
    return f"{registration.number:04d} proposed {heading(proposal)}\n\n{_quote(proposal.hypothesis)}\n"


def _quote(text: str) -> str:
    """Wrap and indent an agent's text, so that none of its lines can look like a trailer."""
    return textwrap.fill(text, width=76, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
