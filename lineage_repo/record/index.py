"""The index: a ledger read into memory, entry by entry, and the questions that it answers."""

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
    Registration,
    Trial,
)
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Clock, Measurement, Spread, Status
from lineage_repo.model.roster import Roster, build_roster
from lineage_repo.storage.store import Row, Store
from lineage_repo.text.escape import escape_line
from lineage_repo.verdict.judge import values_per_seed
from lineage_repo.verdict.notices import find_notices
from lineage_repo.verdict.statistics import estimate_spread

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
_FORMATS = 1000
"""No version will have this format: an entry that claims one is malformed, not old or new."""


def read_entry(row: Row) -> Entry:
    """Parse one ledger entry.

    Raises:
        RecordError: the entry is malformed, or has a format that this version does not read.
    """
    try:
        return _ENTRY.validate_json(row.body)
    except ValidationError as error:
        if (version := _read_version(row.body)) != SCHEMA_VERSION:
            raise RecordError(
                f"this record has format {version}, and this version of espalier reads format {SCHEMA_VERSION} only: "
                "read it with the version that made it, or make a new campaign"
            ) from None
        problem = error.errors()[0]
        # One line: a key that a stranger chose may hold line breaks and pass for a line of espalier's.
        where = "".join(f"{escape_line(str(part))}: " for part in problem["loc"])
        raise RecordError(
            f"ledger entry {row.commit} is not one that this version knows: {where}{escape_line(problem['msg'])}"
        ) from None


def _read_version(body: bytes) -> int:
    """Return the format that an entry claims; the current one if it claims no number, as most kinds of entry do."""
    with suppress(ValueError, AttributeError, RecursionError):
        version: object = json.loads(body).get("schema_version")
        if type(version) is int and 0 < version < _FORMATS:
            return version
    return SCHEMA_VERSION


class Index:
    """A ledger in memory, for reading. It is empty until `refresh`, which reads only the new entries.

    `trials` and `registered` map numbers to entries in the order of recording. Scores and deltas are in the unit of
    `task.objective`.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._tip: str | None = None
        self._campaign: CampaignEntry | None = None
        self._task: Task | None = None
        self._roster: Roster | None = None
        self.calibrations: list[Calibration] = []
        self.registered: dict[int, Registration] = {}
        """Registered trials by number, finished ones included."""
        self.trials: dict[int, Trial] = {}
        """Finished trials by number."""
        self.commits: dict[int, str] = {}
        """Trial number to trial commit."""
        self.proposals: dict[int, str] = {}
        """Trial number to proposal commit."""
        self.certifications: list[Certification] = []
        self._best: int | None = None

    def refresh(self) -> Self:
        """Read the entries since the last call; return self. Raise `RecordError` for an unreadable one."""
        for row in self.store.rows(self._tip):
            self.fold(row, read_entry(row))
            self._tip = row.commit
        return self

    def fold(self, row: Row, entry: Entry) -> None:
        """Add one ledger entry to the index."""
        match entry:
            case CampaignEntry():
                self._campaign, self._task, self._roster = entry, None, None
            case Calibration():
                self.calibrations.append(entry)
            case Certification():
                self.certifications.append(entry)
            case Registration():
                self.registered[entry.number] = entry
                self.proposals[entry.number] = row.second_parent or ""
            case Trial():
                self.trials[entry.number] = entry
                self.commits[entry.number] = row.second_parent or ""
                if entry.status in {Status.BASELINE, Status.KEEP}:
                    self._best = entry.number

    # ---- what the record says

    @property
    def tip(self) -> str | None:
        """Commit of the newest entry that the index contains."""
        return self._tip

    @property
    def is_empty(self) -> bool:
        """Whether the ledger lacks its first entry, the campaign."""
        return self._campaign is None

    @property
    def campaign(self) -> CampaignEntry:
        """The campaign's frozen settings; raises `RecordError` if the ledger has no campaign entry."""
        if self._campaign is None:
            raise RecordError(f"{self.store.path} has no campaign entry, with which each ledger begins")
        return self._campaign

    @property
    def is_imported(self) -> bool:
        """Whether another harness made every trial, so that this lineage is read-only."""
        return self.campaign.origin is not None

    @property
    def task(self) -> Task:
        """The manifest that the judge uses, as the campaign froze it."""
        if self._task is None:
            self._task = Task.model_validate(self.campaign.task)
        return self._task

    @property
    def roster(self) -> Roster:
        """The campaign's specialists by name."""
        if self._roster is None:
            self._roster = build_roster(self.task, self.campaign.arm, self.campaign.specialists)
        return self._roster

    @property
    def clock(self) -> Clock:
        """The clock that times every trial, frozen by the first calibration; raises `RecordError` before it."""
        if not self.calibrations:
            raise RecordError("the campaign is not calibrated: run `espalier calibrate` first")
        return self.calibrations[0].measurement.clock

    @property
    def best(self) -> Trial | None:
        """The newest keep, else the baseline, else None."""
        return None if self._best is None else self.trials[self._best]

    def incumbent(self) -> Incumbent | None:
        """Return the best trial as the judge compares with it; None if there is none with a score."""
        best = self.best
        if best is None or best.score is None:
            return None
        return Incumbent(number=best.number, score=best.score, n_seeds=best.n_seeds)

    def running(self) -> list[Registration]:
        """Return the registered trials without a verdict, oldest first."""
        return [entry for number, entry in self.registered.items() if number not in self.trials]

    def noise(self, task: Task) -> dict[str, Spread]:
        """Return each metric's spread over the seeds of all calibrations together."""
        pooled: dict[str, tuple[float, ...]] = {}
        for calibration in self.calibrations:
            for metric, values in values_per_seed(task, calibration.measurement).items():
                pooled[metric] = pooled.get(metric, ()) + values
        return {metric: estimate_spread(values) for metric, values in pooled.items()}

    def host_slowdown(self, measurement: Measurement) -> float | None:
        """Return by which share the host was slower than at calibration; None if the fixed loop was not timed."""
        calibrated = self.calibrated_loop_s()
        return median(measurement.loop_cpu_s) / calibrated - 1 if measurement.loop_cpu_s and calibrated else None

    def calibrated_loop_s(self) -> float:
        """Return the median CPU seconds of the fixed loop at calibration; 0 if it was not timed."""
        readings = [reading for calibration in self.calibrations for reading in calibration.measurement.loop_cpu_s]
        return median(readings) if readings else 0.0

    def find_measured(self, recipe_tree: str, by: str | None = None) -> Registration | None:
        """Return the registered trial, finished or running, that has this recipe; None if there is none.

        Harness aborts do not count, since nothing was measured. With `by` only that specialist's trials count.
        """
        for number, entry in self.registered.items():
            aborted = number in self.trials and self.trials[number].status is Status.HARNESS_ABORT
            if entry.proposal.recipe_tree == recipe_tree and by in {None, entry.proposal.specialist} and not aborted:
                return entry
        return None

    def trial(self, number: int) -> Trial:
        """Return a finished trial; raise `RecordError` with the recorded numbers if there is none of this number."""
        if number in self.trials:
            return self.trials[number]
        if number in self.registered:
            raise RecordError(f"trial {number:04d} is still running; ask again when it is recorded")
        span = f"0000 to {max(self.trials):04d}" if self.trials else "none yet"
        raise RecordError(f"no trial {number:04d}; recorded are {span}")

    def notices(self, proposals: Sequence[Proposal]) -> list[tuple[str, ...]]:
        """Return for each proposal where its edit goes beyond what its role declares."""
        roles = [None if p.parent not in self.trials else self.roster.get(p.specialist) for p in proposals]
        declared = [(i, r) for i, r in enumerate(roles) if r and (r.surface or r.edit_radius)]
        parents = [self.trials[p.parent].proposal.recipe_tree if p.parent in self.trials else "" for p in proposals]
        changed = self.store.changed_lines([(parents[i], proposals[i].recipe_tree) for i, _ in declared])
        notices: list[tuple[str, ...]] = [()] * len(proposals)
        for (i, role), lines in zip(declared, changed, strict=True):
            notices[i] = find_notices(role, lines)
        return notices

    def recipe_tree(self, number: int) -> str:
        """Return the git tree of a trial's recipe; raise `RecordError` if it was imported without one."""
        tree = self.trial(number).proposal.recipe_tree
        if tree == NO_RECIPE_TREE:
            raise RecordError(f"the snapshot of trial {number:04d} is missing: the trial was imported without its code")
        return tree

    def read_recipe(self, number: int) -> dict[str, bytes]:
        """Return the exact files that a trial measured."""
        return self.store.read_tree(self.recipe_tree(number))
