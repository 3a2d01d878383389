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
    Demotion,
    Entry,
    Proof,
    ProofRegistration,
    Proposal,
    Registration,
    Trial,
)
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Clock, Comparison, Measurement, Outcome, Spread, Status
from lineage_repo.model.roster import Roster, build_roster
from lineage_repo.storage.store import Row, Store
from lineage_repo.text.escape import escape_line
from lineage_repo.verdict.judge import values_per_seed
from lineage_repo.verdict.notices import find_notices
from lineage_repo.verdict.standing import Standing
from lineage_repo.verdict.statistics import correlate, estimate_spread

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
SHARED_FROM = 0.5
"""Correlation from which on both sides of a block share their seed: it halves the variance of their difference."""
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
        self.proofs_registered: dict[int, ProofRegistration] = {}
        """Registered proofs by their number, ended ones included."""
        self.proofs: dict[int, Proof] = {}
        """Ended proofs by their number."""
        self.demotions: list[Demotion] = []
        self.events: list[Trial | Proof | Demotion] = []
        """Finished trials, ended proofs and demotions, in the order of the ledger."""
        self.standing: Standing | None = None
        """Head and anchor; None before the baseline."""
        self.positions: dict[str, int] = {}
        """Ledger commit to its place in the ledger, from 0."""
        self._heads: list[tuple[int, int]] = []
        """Places at which the head moved, and the head from then on."""
        self._values: dict[int, list[tuple[int, float]]] = {}
        """Trial to the values of its objective that later screens compare with, each with the place of its entry."""
        self._calibrated_at: list[int] = []
        self._registered_at: dict[int, int] = {}

    def refresh(self) -> Self:
        """Read the entries since the last call; return self. Raise `RecordError` for an unreadable one."""
        for row in self.store.rows(self._tip):
            self.fold(row, read_entry(row))
            self._tip = row.commit
        return self

    def fold(self, row: Row, entry: Entry) -> None:
        """Add one ledger entry to the index."""
        place = self.positions[row.commit] = len(self.positions)
        if isinstance(entry, Trial | Proof | Demotion):
            self.events.append(entry)
        match entry:
            case CampaignEntry():
                self._campaign, self._task, self._roster = entry, None, None
            case Calibration():
                self.calibrations.append(entry)
                self._calibrated_at.append(place)
                self._add_values(place, 0, [entry.measurement])
            case Registration():
                self.registered[entry.number] = entry
                self._registered_at[entry.number] = place
                self.proposals[entry.number] = row.second_parent or ""
            case Trial():
                self.trials[entry.number] = entry
                self.commits[entry.number] = row.second_parent or ""
                self._fold_trial(place, entry)
            case ProofRegistration():
                self.proofs_registered[entry.proof] = entry
            case Proof():
                self.proofs[entry.proof] = entry
                self._fold_comparisons(place, entry.comparisons)
                if entry.failure is None:
                    self._add_values(place, entry.number, [c.candidate for c in entry.comparisons])
                if entry.level == "replicated" and self.standing:
                    self._stand(place, self.standing.replicate(entry.number, entry.outcome))
            case Demotion():
                self.demotions.append(entry)
                if self.standing:
                    self._stand(place, self.standing.demote())

    def _fold_trial(self, place: int, trial: Trial) -> None:
        if trial.number:
            self._fold_comparisons(place, trial.comparisons)
        if trial.status is Status.BASELINE or (trial.imported and trial.status is Status.KEEP):
            self._stand(place, Standing(anchor=trial.number))
        elif trial.status is Status.KEEP and self.standing:
            self._add_values(place, trial.number, [c.candidate for c in trial.comparisons[-1:]])
            self._stand(place, self.standing.move(trial.number))

    def _fold_comparisons(self, place: int, comparisons: Sequence[Comparison]) -> None:
        for comparison in comparisons:
            if comparison.against is not None and comparison.reference:
                self._add_values(place, comparison.against, [comparison.reference])

    def _add_values(self, place: int, number: int, measurements: Sequence[Measurement]) -> None:
        metric = self.task.objective.metric
        values = [value for m in measurements for value in values_per_seed(self.task, m).get(metric, ())]
        self._values.setdefault(number, []).extend((place, value) for value in values)

    def _stand(self, place: int, standing: Standing) -> None:
        self.standing = standing
        self._heads.append((place, standing.head))

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
    def head(self) -> Trial | None:
        """The trial that agents build on: the newest that beat the one before in its blocks; None before the start."""
        return self.trials[self.standing.head] if self.standing else None

    @property
    def anchor(self) -> Trial | None:
        """The trial that is proven: the newest that a replication passed, else the start; None before it."""
        return self.trials[self.standing.anchor] if self.standing else None

    def head_at(self, ledger: str) -> int | None:
        """Return the head after the ledger entry with this commit; None if there was none, or no such entry."""
        place = self.positions.get(ledger, -1)
        return next((head for at, head in reversed(self._heads) if at <= place), None)

    def registered_after(self, number: int, ledger: str) -> bool:
        """Return whether a trial was registered after a ledger entry, or that entry is not there."""
        return self._registered_at.get(number, 0) > self.positions.get(ledger, -1)

    def window_at(self, number: int, ledger: str) -> tuple[float, ...]:
        """Return the values of a trial's objective that a screen compares with, as known at a ledger entry.

        They are the last `head_window` in the order of the ledger; with the rule `any` those of the trial itself.
        """
        if self.task.judge.rule == "any":
            measurement = self.trials[number].measurement
            return values_per_seed(self.task, measurement)[self.task.objective.metric] if measurement else ()
        place = self.positions.get(ledger, -1)
        known = [value for at, value in self._values.get(number, ()) if at <= place]
        return tuple(known[-self.task.judge.head_window :])

    def correlate_seeds(self, ledger: str | None = None) -> float | None:
        """Return how the start's values correlate under the same seed, over the calibrations up to a ledger entry.

        None with fewer than three pairs, or where the values never vary.
        """
        last = len(self.positions) if ledger is None else self.positions.get(ledger, -1)
        known = [c.comparison for place, c in zip(self._calibrated_at, self.calibrations, strict=True) if place <= last]
        metric = self.task.objective.metric
        pairs = [
            pair
            for c in known
            if c.reference
            for pair in zip(*(values_per_seed(self.task, m)[metric] for m in c.measurements), strict=True)
        ]
        return correlate(pairs)

    def shares_seeds(self, ledger: str | None = None) -> bool:
        """Return whether both sides of a block take the same seed: where that takes noise out of their difference."""
        found = self.correlate_seeds(ledger)
        return found is not None and found >= SHARED_FROM

    def running_proof(self) -> ProofRegistration | None:
        """Return the registered proof without an outcome; None if there is none."""
        return next((r for proof, r in self.proofs_registered.items() if proof not in self.proofs), None)

    def count_proofs(self, level: str, up_to: int | None = None) -> int:
        """Return how many proofs of a level were registered, up to the one with the number `up_to` if given."""
        return sum(r.level == level and (up_to is None or n <= up_to) for n, r in self.proofs_registered.items())

    def find_due_demotion(self) -> Proof | None:
        """Return the replication that refuted a head which is not demoted yet; None if there is none."""
        newest = next((p for p in reversed(self.proofs.values()) if p.level == "replicated"), None)
        if newest is None or newest.outcome is not Outcome.REFUTED:
            return None
        return None if any(d.proof == newest.proof for d in self.demotions) else newest

    def running(self) -> list[Registration]:
        """Return the registered trials without a verdict, oldest first."""
        return [entry for number, entry in self.registered.items() if number not in self.trials]

    def noise(self, task: Task, ledger: str | None = None) -> dict[str, Spread]:
        """Return each metric's spread over the seeds of all calibrations together, or of those up to a ledger entry."""
        pooled: dict[str, tuple[float, ...]] = {}
        last = len(self.positions) if ledger is None else self.positions.get(ledger, -1)
        for place, calibration in zip(self._calibrated_at, self.calibrations, strict=True):
            if place > last:
                break
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
