"""The lineage: every trial of a campaign, folded from the ledger, and the three ways to add to it."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lineage_repo.errors import EspalierError
from lineage_repo.judge import JUDGE_VERSION, judge, per_seed, pooled, spread
from lineage_repo.manifest import Task
from lineage_repo.message import proposal_message, trial_message, trial_subject
from lineage_repo.notices import notices
from lineage_repo.overview import write_overview
from lineage_repo.records import (
    NO_SNAPSHOT,
    Calibration,
    CampaignEntry,
    Entry,
    Fault,
    Incumbent,
    Measurement,
    Proposal,
    Replication,
    Spread,
    Started,
    Status,
    Trial,
    now,
)
from lineage_repo.roster import Roster, roster
from lineage_repo.store import BEST, Row, Signature, Store, StoreError

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


class LineageError(EspalierError):
    """A request that the record does not allow; the message names the value and the next step."""


def read_entry(row: Row) -> Entry:
    """Parse one ledger entry; raise `StoreError` naming its commit."""
    try:
        return _ENTRY.validate_json(row.body)
    except ValidationError as error:
        raise StoreError(f"ledger entry {row.commit} is not one that this version knows: {error}") from None


class Lineage:
    """An index over the ledger; `refresh` reads only what is new."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._tip: str | None = None
        self.campaign: CampaignEntry | None = None
        self._task: Task | None = None
        self._roster: Roster | None = None
        self.calibrations: list[Calibration] = []
        self.started: dict[int, Started] = {}
        self.trials: dict[int, Trial] = {}
        self.commits: dict[int, str] = {}
        """Trial number to trial commit."""
        self.proposals: dict[int, str] = {}
        """Trial number to proposal commit."""
        self.replications: list[Replication] = []
        self._best: int | None = None

    def refresh(self) -> "Lineage":
        """Fold in the entries that came since the last call; return self."""
        for row in self.store.rows(self._tip):
            self.fold(row, read_entry(row))
            self._tip = row.commit
        return self

    def fold(self, row: Row, entry: Entry) -> None:
        """Take one more ledger entry into the index."""
        match entry:
            case CampaignEntry():
                self.campaign, self._task, self._roster = entry, None, None
            case Calibration():
                self.calibrations.append(entry)
            case Replication():
                self.replications.append(entry)
            case Started():
                self.started[entry.number] = entry
                self.proposals[entry.number] = row.second or ""
            case Trial():
                self.trials[entry.number] = entry
                self.commits[entry.number] = row.second or ""
                if entry.status in {Status.BASELINE, Status.KEEP}:
                    self._best = entry.number

    # ---- what the record says

    @property
    def tip(self) -> str | None:
        """The newest entry that is folded in."""
        return self._tip

    @property
    def task(self) -> Task:
        """The manifest that the campaign is judged by; raise `StoreError` for an empty ledger."""
        if self.campaign is None:
            raise StoreError(f"{self.store.path} holds no campaign entry")
        if self._task is None:
            self._task = Task.model_validate(self.campaign.task)
        return self._task

    @property
    def roster(self) -> Roster:
        """Who searches, by name; nobody for an empty ledger."""
        if self._roster is None and self.campaign:
            self._roster = roster(self.task, self.campaign.arm, self.campaign.specialists)
        return self._roster or {}

    @property
    def best(self) -> Trial | None:
        """The incumbent: the newest keep, else the baseline, else None."""
        return None if self._best is None else self.trials[self._best]

    def incumbent(self) -> Incumbent | None:
        """What the next verdict compares with."""
        best = self.best
        if best is None or best.score is None:
            return None
        return Incumbent(number=best.number, score=best.score, seeds=best.seeds)

    def running(self) -> list[Started]:
        """Registered trials without an outcome."""
        return [entry for number, entry in self.started.items() if number not in self.trials]

    def noise(self, task: Task) -> dict[str, Spread]:
        """How each metric varies over the seeds of every calibration of the unmodified start."""
        seen: dict[str, tuple[float, ...]] = {}
        for calibration in self.calibrations:
            for metric, values in per_seed(task, calibration.measurement).items():
                seen[metric] = seen.get(metric, ()) + values
        return {metric: spread(values) for metric, values in seen.items()}

    def drift(self, measurement: Measurement) -> float | None:
        """By which share the host was slower than at calibration; None where nobody looked."""
        known = self.tempo()
        return median(measurement.tempo) / known - 1 if measurement.tempo and known else None

    def tempo(self) -> float:
        """Median CPU seconds of the fixed loop at calibration; 0 where nobody looked."""
        known = [reading for calibration in self.calibrations for reading in calibration.measurement.tempo]
        return median(known) if known else 0.0

    def measured(self, snapshot: str, by: str | None = None) -> Started | None:
        """The trial, finished or running, that has this recipe already, of anybody or of one specialist.

        Harness aborts don't count.
        """
        for number, entry in self.started.items():
            aborted = number in self.trials and self.trials[number].status is Status.HARNESS_ABORT
            if entry.proposal.snapshot == snapshot and by in {None, entry.proposal.specialist} and not aborted:
                return entry
        return None

    def trial(self, number: int) -> Trial:
        """A finished trial; raise `LineageError` that says which there are."""
        if number in self.trials:
            return self.trials[number]
        if number in self.started:
            raise LineageError(f"trial {number:04d} is still running; ask again when it is recorded")
        span = f"0000 to {max(self.trials):04d}" if self.trials else "none yet"
        raise LineageError(f"no trial {number:04d}; recorded are {span}")

    def notices(self, proposals: Sequence[Proposal]) -> list[tuple[str, ...]]:
        """For each proposal, where its edit goes beyond what its role declares."""
        roles = [None if p.parent not in self.trials else self.roster.get(p.specialist) for p in proposals]
        declared = [(i, r) for i, r in enumerate(roles) if r and (r.surface or r.edit_radius)]
        parents = [self.trials[p.parent].proposal.snapshot if p.parent in self.trials else "" for p in proposals]
        changed = self.store.changed_lines([(parents[i], proposals[i].snapshot) for i, _ in declared])
        found: list[tuple[str, ...]] = [()] * len(proposals)
        for (i, role), lines in zip(declared, changed, strict=True):
            found[i] = notices(role, lines)
        return found

    def snapshot(self, number: int) -> str:
        """The git tree of a trial's recipe; raise `LineageError` where it was imported without one."""
        tree = self.trial(number).proposal.snapshot
        if tree == NO_SNAPSHOT:
            raise LineageError(
                f"the snapshot of trial {number:04d} is missing: the trial was imported without its code"
            )
        return tree

    def recipe(self, number: int) -> dict[str, bytes]:
        """The exact files that a trial measured."""
        return self.store.read_tree(self.snapshot(number))

    # ---- the writes; each is one compare-and-swap under the one lock

    def subject(self, entry: Entry) -> str:
        """What the ledger's commit of `entry` says where `entry` comes next; `verify` asks again."""
        match entry:
            case CampaignEntry():
                return f"campaign {entry.name}: {entry.task['title']}"
            case Calibration():
                return f"calibration {len(self.calibrations) + 1}: {len(entry.measurement.seeds)} seeds of the start"
            case Replication():
                verdict = "certified" if entry.certified else "not certified"
                return f"replication {entry.number:04d} against {entry.against:04d}: {verdict}, p {entry.p:.2g}"
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

    def replicate(self, entry: Replication) -> None:
        """Append a comparison of two recorded recipes on fresh seeds."""
        with self.store.writing():
            self._append(entry)

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
                    pooled(runs),
                    None,
                    attempts=len(runs),
                    isolation=self.calibrations[0].isolation,
                )
        return self.trials[0]

    def register(self, proposal: Proposal, digests: dict[str, str], claim: Callable[[int], Any]) -> int:
        """Allot the next number to a hypothesis before anything runs; `claim(number)` is called first, under the lock.

        Raises:
            LineageError: the parent is not a recorded trial, or nothing is calibrated yet.
        """
        with self.store.writing():
            self.refresh()
            if self.campaign and self.campaign.origin:
                raise LineageError(
                    "the lineage was imported: it is read, never added to; `espalier init` makes a new one"
                )
            if 0 not in self.trials:
                raise LineageError("the campaign has no baseline: run `espalier calibrate` first")
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
            proposal.snapshot,
        )
        self._append(entry, commit)
        write_overview(self)

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
            outcome=judge(task, measurement, fault, incumbent, parent_score, noise),
            started=started.at,
            at=now(),
        )
        files = {"trial.json": trial.canonical()}
        if trial.number == 0:
            files["task.json"] = task.canonical()
        parents = [] if proposal.parent is None else [self.commits[proposal.parent]]
        signed = Signature(proposal.specialist, trial.at)
        commit = self.store.write_commit(files, trial_message(trial, task), signed, parents, proposal.snapshot)
        self._append(trial, commit)
        self.store.set_refs(trial_refs(trial, commit))
        write_overview(self)

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
