"""News: the lines that a run reports of trials and sessions."""

from lineage_repo.model.ledger import Registration, Trial
from lineage_repo.model.session import SessionRecord
from lineage_repo.progress import report_detail, report_progress
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.message import demotion_subject, heading, proof_subject, trial_subject


class News:
    """Reports each trial and proof when it is registered and when it is recorded; those from before are old news."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage
        self._started, self._recorded = set(lineage.registered), set(lineage.trials)
        self._proofs = self._read_proofs()

    def _read_proofs(self) -> list[str]:
        """Return a line for each proof that began or ended, and for each demotion."""
        lineage, objective = self._lineage, self._lineage.task.objective
        begun = [proof_subject(entry, objective) for entry in lineage.proofs_registered.values()]
        ended = [proof_subject(entry, objective) for entry in lineage.proofs.values()]
        return [*begun, *ended, *map(demotion_subject, lineage.demotions)]

    def report(self) -> list[Registration | Trial]:
        """Report what came into the lineage since the last call, and return it."""
        started = self._lineage.registered.keys() - self._started
        recorded = self._lineage.trials.keys() - self._recorded
        for number in sorted(started - recorded):
            report_detail(f"{number:04d} running {heading(self._lineage.registered[number].proposal)}")
        for number in sorted(recorded):
            trial = self._lineage.trials[number]
            why = f" [{trial.verdict.failure}]" if trial.verdict.failure else ""
            report_progress(trial_subject(trial, self._lineage.task.objective) + why)
        for line in self._read_proofs():
            if line not in self._proofs:
                report_progress(line)
                self._proofs.append(line)
        self._started |= started
        self._recorded |= recorded
        return [self._lineage.registered[n] for n in started] + [self._lineage.trials[n] for n in recorded]


def report_session_start(session: str, submits: int) -> None:
    """Report that a session starts and how many trials it may submit."""
    report_detail(f"session {session} starts, {submits} submit{'s' if submits > 1 else ''}")


def report_session_end(session: SessionRecord) -> None:
    """Report why a session ended, what it did and what it cost."""
    elapsed_s = (session.ended - session.started).total_seconds()
    trials = f"{len(session.trials)} trial{'s' if len(session.trials) != 1 else ''}"
    cost = f", {session.cost_usd:.2f} USD" if session.cost_usd else ""
    why = f": {session.error}" if session.error else ""
    report_progress(
        f"session {session.session} ends ({session.end_reason}): {trials}, {session.turns} turns, {elapsed_s:.1f} s"
        f"{cost}{why}"
    )
