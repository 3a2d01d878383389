"""The index: what a ledger says, folded entry by entry, and every question that it answers."""

import json
from collections.abc import Sequence
from contextlib import suppress
from statistics import median
from typing import Self

from pydantic import TypeAdapter, ValidationError

from lineage_repo.errors import RecordError
from lineage_repo.model.ledger import (
    NO_RECIPE_TREE,
    SCHEMA_VERSION,
    Calibration,
    CampaignEntry,
    Certification,
    Entry,
    Incumbent,
    Proposal,
    Started,
    Trial,
)
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Clock, Measurement, Spread, Status
from lineage_repo.model.roster import Roster, build_roster
from lineage_repo.storage.store import Row, Store
from lineage_repo.verdict.judge import estimate_spread, values_per_seed
from lineage_repo.verdict.notices import find_notices

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


def read_entry(row: Row) -> Entry:
    """Parse one ledger entry; raise `RecordError` naming its commit."""
    try:
        return _ENTRY.validate_json(row.body)
    except ValidationError as error:
        if (version := _version(row.body)) != SCHEMA_VERSION:
            raise RecordError(
                f"this record has format {version}, and this version of espalier reads format {SCHEMA_VERSION} only: "
                "read it with the version that made it, or make a new campaign"
            ) from None
        raise RecordError(f"ledger entry {row.commit} is not one that this version knows: {error}") from None


def _version(body: bytes) -> object:
    """The format that an entry claims; the present one where it claims none, as most kinds of entry do."""
    with suppress(ValueError, AttributeError):
        return json.loads(body).get("schema_version", SCHEMA_VERSION)
    return SCHEMA_VERSION


class Index:
    """What a ledger says; `refresh` reads only what is new."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._tip: str | None = None
        self._campaign: CampaignEntry | None = None
        self._task: Task | None = None
        self._roster: Roster | None = None
        self.calibrations: list[Calibration] = []
        self.started: dict[int, Started] = {}
        self.trials: dict[int, Trial] = {}
        self.commits: dict[int, str] = {}
        """Trial number to trial commit."""
        self.proposals: dict[int, str] = {}
        """Trial number to proposal commit."""
        self.certifications: list[Certification] = []
        self._best: int | None = None

    def refresh(self) -> Self:
        """Fold in the entries that came since the last call; return self."""
        for row in self.store.rows(self._tip):
            self.fold(row, read_entry(row))
            self._tip = row.commit
        return self

    def fold(self, row: Row, entry: Entry) -> None:
        """Take one more ledger entry into the index."""
        match entry:
            case CampaignEntry():
                self._campaign, self._task, self._roster = entry, None, None
            case Calibration():
                self.calibrations.append(entry)
            case Certification():
                self.certifications.append(entry)
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
    def is_empty(self) -> bool:
        """Whether the ledger has no campaign entry, its first one."""
        return self._campaign is None

    @property
    def campaign(self) -> CampaignEntry:
        """What is searched and by whom; raise `RecordError` for an empty ledger."""
        if self._campaign is None:
            raise RecordError(f"{self.store.path} holds a git repository, but no ledger: it is no clone of a lineage")
        return self._campaign

    @property
    def is_imported(self) -> bool:
        """Whether another harness made every trial, so that this lineage is read and never added to."""
        return self.campaign.origin is not None

    @property
    def task(self) -> Task:
        """The manifest that the campaign is judged by."""
        if self._task is None:
            self._task = Task.model_validate(self.campaign.task)
        return self._task

    @property
    def roster(self) -> Roster:
        """Who searches, by name."""
        if self._roster is None:
            self._roster = build_roster(self.task, self.campaign.arm, self.campaign.specialists)
        return self._roster

    @property
    def best(self) -> Trial | None:
        """The incumbent: the newest keep, else the baseline, else None."""
        return None if self._best is None else self.trials[self._best]

    @property
    def clock(self) -> Clock | None:
        """The clock that the first calibration froze; None before it."""
        return self.calibrations[0].measurement.clock if self.calibrations else None

    def incumbent(self) -> Incumbent | None:
        """What the next verdict compares with."""
        best = self.best
        if best is None or best.score is None:
            return None
        return Incumbent(number=best.number, score=best.score, n_seeds=best.n_seeds)

    def running(self) -> list[Started]:
        """Registered trials without an outcome."""
        return [entry for number, entry in self.started.items() if number not in self.trials]

    def noise(self, task: Task) -> dict[str, Spread]:
        """How each metric varies over the seeds of every calibration of the unmodified start."""
        seen: dict[str, tuple[float, ...]] = {}
        for calibration in self.calibrations:
            for metric, values in values_per_seed(task, calibration.measurement).items():
                seen[metric] = seen.get(metric, ()) + values
        return {metric: estimate_spread(values) for metric, values in seen.items()}

    def host_slowdown(self, measurement: Measurement) -> float | None:
        """By which share the host was slower than at calibration; None where nobody looked."""
        known = self.calibrated_loop_s()
        return median(measurement.loop_cpu_s) / known - 1 if measurement.loop_cpu_s and known else None

    def calibrated_loop_s(self) -> float:
        """Median CPU seconds of the fixed loop at calibration; 0 where nobody looked."""
        known = [reading for calibration in self.calibrations for reading in calibration.measurement.loop_cpu_s]
        return median(known) if known else 0.0

    def find_measured(self, recipe_tree: str, by: str | None = None) -> Started | None:
        """The trial, finished or running, that has this recipe already, of anybody or of one specialist.

        Harness aborts don't count.
        """
        for number, entry in self.started.items():
            aborted = number in self.trials and self.trials[number].status is Status.HARNESS_ABORT
            if entry.proposal.recipe_tree == recipe_tree and by in {None, entry.proposal.specialist} and not aborted:
                return entry
        return None

    def trial(self, number: int) -> Trial:
        """A finished trial; raise `RecordError` that says which there are."""
        if number in self.trials:
            return self.trials[number]
        if number in self.started:
            raise RecordError(f"trial {number:04d} is still running; ask again when it is recorded")
        span = f"0000 to {max(self.trials):04d}" if self.trials else "none yet"
        raise RecordError(f"no trial {number:04d}; recorded are {span}")

    def notices(self, proposals: Sequence[Proposal]) -> list[tuple[str, ...]]:
        """For each proposal, where its edit goes beyond what its role declares."""
        roles = [None if p.parent not in self.trials else self.roster.get(p.specialist) for p in proposals]
        declared = [(i, r) for i, r in enumerate(roles) if r and (r.surface or r.edit_radius)]
        parents = [self.trials[p.parent].proposal.recipe_tree if p.parent in self.trials else "" for p in proposals]
        changed = self.store.changed_lines([(parents[i], proposals[i].recipe_tree) for i, _ in declared])
        found: list[tuple[str, ...]] = [()] * len(proposals)
        for (i, role), lines in zip(declared, changed, strict=True):
            found[i] = find_notices(role, lines)
        return found

    def recipe_tree(self, number: int) -> str:
        """The git tree of a trial's recipe; raise `RecordError` where it was imported without one."""
        tree = self.trial(number).proposal.recipe_tree
        if tree == NO_RECIPE_TREE:
            raise RecordError(f"the snapshot of trial {number:04d} is missing: the trial was imported without its code")
        return tree

    def recipe(self, number: int) -> dict[str, bytes]:
        """The exact files that a trial measured."""
        return self.store.read_tree(self.recipe_tree(number))
