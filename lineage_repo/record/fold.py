"""The fold: a ledger read into memory, entry by entry."""

from collections.abc import Sequence
from typing import Self

from lineage_repo.errors import RecordError
from lineage_repo.model.comparison import Comparison, Outcome
from lineage_repo.model.ledger import (
    Calibration,
    CampaignEntry,
    Demotion,
    Entry,
    Proof,
    ProofRegistration,
    Registration,
    Trial,
)
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Measurement, Status
from lineage_repo.model.roster import Roster
from lineage_repo.record.entries import read_entry
from lineage_repo.storage.store import Row, Store
from lineage_repo.verdict.margins import values_per_seed
from lineage_repo.verdict.standing import Standing, advance


class Fold:
    """A ledger in memory. It is empty until `refresh`, which reads only the new entries.

    `trials` and `registered` map numbers to entries in the order of recording. Scores and gains are in the unit of
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
        self._proof_registered_at: dict[int, int] = {}
        self.demoted: set[int] = set()
        """Heads that were demoted, and not measured again since."""

    def refresh(self) -> Self:
        """Read the entries since the last call; return self. Raise `RecordError` for an unreadable one."""
        for row in self.store.rows(self._tip):
            entry = read_entry(row)
            try:
                self.fold(row, entry)
            except (LookupError, ValueError, ArithmeticError) as error:
                raise RecordError(f"ledger entry {row.commit} does not fit the ones before it: {error!r}") from None
            self._tip = row.commit
        return self

    def fold(self, row: Row, entry: Entry) -> None:
        """Add one ledger entry to the index."""
        place = self.positions[row.commit] = len(self.positions)
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
                self._proof_registered_at[entry.proof] = place
            case Proof():
                self.proofs[entry.proof] = entry
                if entry.outcome is not Outcome.ABORTED:
                    self._fold_comparisons(place, entry.comparisons)
                if entry.fault is None:
                    self._add_values(place, entry.number, [c.candidate for c in entry.comparisons])
            case Demotion():
                self.demotions.append(entry)
                if self.standing:
                    self.demoted |= set(self.standing.list_fallen(entry.head))
        if isinstance(entry, Trial | Proof | Demotion):
            self.events.append(entry)
            self.standing = advance(self.standing, entry)
            if self.standing and (not self._heads or self._heads[-1][1] != self.standing.head):
                self._heads.append((place, self.standing.head))

    def _fold_trial(self, place: int, trial: Trial) -> None:
        # What a disturbed host measured says nothing of the head.
        if trial.number and not (trial.fault and trial.fault.status is Status.HARNESS_ABORT):
            self._fold_comparisons(place, trial.comparisons)
        if trial.status is Status.KEEP:
            self._add_values(place, trial.number, [c.candidate for c in trial.comparisons[-1:]])

    def _fold_comparisons(self, place: int, comparisons: Sequence[Comparison]) -> None:
        for comparison in comparisons:
            if comparison.against is not None and comparison.reference:
                self._add_values(place, comparison.against, [comparison.reference])

    def _add_values(self, place: int, number: int, measurements: Sequence[Measurement]) -> None:
        metric = self.task.objective.metric
        values = [value for m in measurements for value in values_per_seed(self.task, m).get(metric, ())]
        self._values.setdefault(number, []).extend((place, value) for value in values)

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
