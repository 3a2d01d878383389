"""Progress lines: what came into the lineage since the last look."""

from collections.abc import Callable

from lineage_repo.model.ledger import Registration, Trial
from lineage_repo.model.session import SessionRecord
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.message import heading, trial_subject

Say = Callable[[str], None]


class Progress:
    """Tells of trials as they are registered and recorded; what was there before is not told."""

    def __init__(self, lineage: Lineage, say: Say) -> None:
        self._lineage, self._say = lineage, say
        self._objective = lineage.task.objective
        self._started, self._recorded = set(lineage.registered), set(lineage.trials)

    def tell(self) -> list[Registration | Trial]:
        """Print a line per news; return what is new."""
        started = self._lineage.registered.keys() - self._started
        recorded = self._lineage.trials.keys() - self._recorded
        for number in sorted(started - recorded):
            self._say(f"{number:04d} running {heading(self._lineage.registered[number].proposal)}")
        for number in sorted(recorded):
            trial = self._lineage.trials[number]
            why = f" [{trial.verdict.failure}]" if trial.verdict.failure else ""
            self._say(trial_subject(trial, self._objective) + why)
        self._started |= started
        self._recorded |= recorded
        return [self._lineage.registered[n] for n in started] + [self._lineage.trials[n] for n in recorded]

    def session_started(self, session: str, submits: int) -> None:
        self._say(f"session {session} starts, {submits} submit{'s' if submits > 1 else ''}")

    def session_ended(self, report: SessionRecord) -> None:
        seconds = (report.ended - report.started).total_seconds()
        done = (
            f"{len(report.trials)} trial{'s' if len(report.trials) != 1 else ''}, {report.turns} turns, {seconds:.1f} s"
        )
        cost = f", {report.cost_usd:.2f} USD" if report.cost_usd else ""
        why = f": {report.error}" if report.error else ""
        self._say(f"session {report.session} ends ({report.end_reason}): {done}{cost}{why}")
