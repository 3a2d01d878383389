"""The lineage: a ledger that is written as well as read, and the refs that follow from it."""

from collections.abc import Callable
from typing import Any

from lineage_repo.errors import RecordError
from lineage_repo.model.ledger import (
    Calibration,
    CampaignEntry,
    Certification,
    Entry,
    Proposal,
    Started,
    Trial,
)
from lineage_repo.model.measurement import Fault, Measurement, Status, now
from lineage_repo.record.index import Index
from lineage_repo.storage.message import proposal_message, trial_message, trial_subject
from lineage_repo.storage.repository import Signature
from lineage_repo.storage.store import BEST
from lineage_repo.verdict.judge import JUDGE_VERSION, judge, pool_measurements


class Lineage(Index):
    """A ledger that is read and written: each write is one compare-and-swap under the one lock."""

    def subject(self, entry: Entry) -> str:
        """What the ledger's commit of `entry` says where `entry` comes next; `verify` asks again."""
        match entry:
            case CampaignEntry():
                return f"campaign {entry.name}: {entry.task['title']}"
            case Calibration():
                return (
                    f"calibration {len(self.calibrations) + 1}: {len(entry.measurement.box_seeds)} seeds of the start"
                )
            case Certification():
                verdict = "certified" if entry.certified else "not certified"
                return f"certification {entry.number:04d} against {entry.against:04d}: {verdict}, p {entry.p:.2g}"
            case Started():
                return proposal_message(entry).splitlines()[0]
            case Trial():
                return trial_subject(entry, self.task.objective)

    def _append(self, entry: Entry, second: str | None = None) -> None:
        self.store.append(entry.canonical(), self.subject(entry), entry.at, second)
        self.refresh()

    def open_campaign(self, entry: CampaignEntry) -> None:
        """Write the ledger's root."""
        with self.store.writing():
            self._append(entry)

    def calibrate(self, entry: Calibration) -> None:
        """Append one measurement of the unmodified start."""
        with self.store.writing():
            self.refresh()
            self._append(entry)

    def certify(self, compare: Callable[[], Certification]) -> Certification:
        """Append a comparison of two recorded recipes on fresh seeds, made from what the record says by then."""
        with self.store.writing():
            self.refresh()
            entry = compare()
            self._append(entry)
        return entry

    def open_baseline(self, proposal: Proposal, digests: dict[str, str]) -> Trial:
        """Record the calibrated start as trial 0, the root of every recipe; a half-done attempt is completed."""
        with self.store.writing():
            self.refresh()
            if 0 not in self.started:
                self._start(0, proposal, digests)
            if 0 not in self.trials:
                runs = [c.measurement for c in self.calibrations]
                self._finish(
                    self.started[0],
                    pool_measurements(runs),
                    None,
                    attempts=len(runs),
                    isolation=self.calibrations[0].isolation,
                )
        return self.trials[0]

    def register(self, proposal: Proposal, digests: dict[str, str], claim: Callable[[int], Any]) -> int:
        """Allot the next number to a hypothesis before anything runs; `claim(number)` is called first, under the lock.

        Raises:
            RecordError: the parent is not a recorded trial, or nothing is calibrated yet.
        """
        with self.store.writing():
            self.refresh()
            if self.is_imported:
                raise RecordError(
                    "the lineage was imported: it is read, never added to; `espalier init` makes a new one"
                )
            if 0 not in self.trials:
                raise RecordError("the campaign has no baseline: run `espalier calibrate` first")
            self.trial(proposal.parent if proposal.parent is not None else -1)
            number = max(self.started) + 1
            claim(number)
            self._start(number, proposal, digests)
        return number

    def record(
        self,
        number: int,
        measurement: Measurement | None,
        fault: Fault | None,
        *,
        attempts: int,
        isolation: dict[str, str],
    ) -> Trial:
        """Judge a registered trial against the best of this moment and record it; a recorded one is returned as is."""
        with self.store.writing():
            self.refresh()
            if number not in self.trials:
                self._finish(self.started[number], measurement, fault, attempts=attempts, isolation=isolation)
        return self.trials[number]

    def _start(self, number: int, proposal: Proposal, digests: dict[str, str]) -> None:
        entry = Started(number=number, proposal=proposal, digests=digests, at=now())
        parents = [] if proposal.parent is None else [self.commits[proposal.parent]]
        commit = self.store.write_commit(
            {"proposal.json": proposal.canonical()},
            proposal_message(entry),
            Signature(proposal.specialist, entry.at),
            parents,
            proposal.recipe_tree,
        )
        self._append(entry, commit)

    def _finish(
        self,
        started: Started,
        measurement: Measurement | None,
        fault: Fault | None,
        *,
        attempts: int,
        isolation: dict[str, str],
    ) -> None:
        task, proposal = self.task, started.proposal
        incumbent, noise = self.incumbent(), self.noise(task) if started.number else {}
        parent_score = None if proposal.parent is None else self.trials[proposal.parent].score
        trial = Trial(
            number=started.number,
            proposal=proposal,
            measurement=measurement,
            fault=fault,
            attempts=attempts,
            incumbent=incumbent,
            parent_score=parent_score,
            noise=noise,
            judge_version=JUDGE_VERSION,
            notices=self.notices([proposal])[0],
            digests=started.digests,
            isolation=isolation,
            verdict=judge(task, measurement, fault, incumbent, parent_score, noise),
            registered_at=started.at,
            at=now(),
        )
        files = {"trial.json": trial.canonical()}
        if trial.number == 0:
            files["task.json"] = task.canonical()
        parents = [] if proposal.parent is None else [self.commits[proposal.parent]]
        signed = Signature(proposal.specialist, trial.at)
        commit = self.store.write_commit(files, trial_message(trial, task), signed, parents, proposal.recipe_tree)
        self._append(trial, commit)
        self.store.set_refs(trial_refs(trial, commit))

    # ---- derived files and refs

    def derived_refs(self) -> dict[str, str]:
        """Every tag and branch that follows from the ledger."""
        refs: dict[str, str] = {}
        for number, trial in self.trials.items():
            refs |= trial_refs(trial, self.commits[number])
        return refs

    def repair_refs(self) -> list[str]:
        """Make tags and `best` agree with the ledger; return the names that did not."""
        wanted = self.derived_refs()
        found = self.store.refs("refs/tags/trial", "refs/tags/keep", BEST)
        stale = [name for name in found if name not in wanted]
        moved = {name: commit for name, commit in wanted.items() if found.get(name) != commit}
        self.store.set_refs(moved, stale)
        return [*moved, *stale]


def trial_refs(trial: Trial, commit: str) -> dict[str, str]:
    """The refs that one trial accounts for."""
    refs = {f"refs/tags/trial/{trial.number:04d}": commit}
    if trial.status is Status.KEEP:
        refs[f"refs/tags/keep/{trial.number:04d}"] = commit
    if trial.status in {Status.KEEP, Status.BASELINE}:
        refs[BEST] = commit
    return refs
