"""A campaign folder: create it, open it, check that nothing frozen changed, recover lost trials."""

import tempfile
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

import tomli_w
from pydantic import AwareDatetime, Field, ValidationError

from lineage_repo.errors import CampaignError, TaskError
from lineage_repo.model.explain import explain_validation
from lineage_repo.model.ledger import Arm, CampaignEntry, Caps, Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Fault, Isolation, Name, Record, Status, now
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.model.roster import Roster, build_roster, recruit
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.files import clear_staged
from lineage_repo.storage.locks import is_alive
from lineage_repo.storage.store import Store
from lineage_repo.task.find import knowledge_folder
from lineage_repo.task.folder import TaskFolder, digest_folder
from lineage_repo.verdict.power import find_rule_problem

FORMAT = 3
"""Of `campaign.toml`; no other one is read."""


class Settings(Record):
    """`campaign.toml`: frozen when the campaign is created."""

    format: int = FORMAT
    name: str
    task: Name
    """Name of the task."""
    task_folder: Path
    arm: Arm
    read_record: bool = True
    """Whether agents read the record of earlier trials."""
    n_seeds: Annotated[int, Field(ge=1, le=64)]
    """Seeds per calibration; overrides the manifest's number."""
    rule: Literal["paired", "any"]
    """How gains are judged; overrides the manifest's `judge.rule`."""
    specialists: tuple[Name, ...]
    caps: Caps
    isolation: Isolation
    digests: dict[str, str]
    """SHA-256 of `task`, `evaluator`, `knowledge` and, where there is some, `data`."""
    created: AwareDatetime


class Campaign:
    """One search for a better recipe: a folder with frozen settings, a lineage, and what its trials left.

    `lineage` is not read yet when a campaign is opened: call `lineage.refresh()` before you ask it anything.
    """

    def __init__(self, folder: Path, settings: Settings, task_folder: TaskFolder) -> None:
        # Resolved, since workers and agents run in other working directories than the caller.
        self.folder, self.settings = folder.resolve(), settings
        self.task_folder = task_folder
        self.task: Task = task_folder.task
        self.paths = CampaignPaths(self.folder)
        self.lineage = Lineage(Store(self.paths.repository))

    def __repr__(self) -> str:
        return f"Campaign({str(self.folder)!r}, task={self.settings.task!r})"

    @classmethod
    def create(
        cls,
        folder: Path,
        source: TaskFolder,
        *,
        n_seeds: int | None = None,
        rule: Literal["paired", "any"] | None = None,
        arm: Arm = "roles",
        specialists: tuple[str, ...] = (),
        agents: int | None = None,
        read_record: bool = True,
        caps: Caps | None = None,
        isolation: Isolation = "bwrap",
    ) -> Self:
        """Create a campaign folder whose lineage has no trial yet; `espalier calibrate` measures the baseline.

        Args:
            folder: Must be missing or empty.
            source: The task; its manifest is copied into the ledger, its folder is used in place.
            n_seeds: Seeds per calibration; None for the manifest's number.
            rule: How gains are judged; None for the manifest's rule.
            arm: How the search is organised.
            specialists: Roles to take part, with the arm `roles`; all of the task's if empty.
            agents: Number of equal agents, with the arm `generic`; None for as many as the task has roles.
            read_record: Whether agents may read the record of earlier trials.
            caps: What one session may use; None for the defaults.
            isolation: The least isolation that trials need.

        Raises:
            CampaignError: `folder` is in use, or `specialists` or `agents` do not fit the arm.
            TaskError: the task is not prepared, or its judge would find next to nothing.
            SnapshotError: the starting recipe cannot be a snapshot.
        """
        _check_unused(folder)
        source = _override(source, n_seeds, rule)
        if problem := find_rule_problem(source.task.judge):
            raise TaskError(problem)
        start = source.read_start()
        settings = Settings(
            name=folder.resolve().name,
            task=source.task.name,
            task_folder=source.path.resolve(),
            arm=arm,
            read_record=read_record,
            n_seeds=source.task.n_seeds,
            rule=source.task.judge.rule,
            specialists=recruit(source.task, arm, specialists, agents),
            caps=caps or Caps(),
            isolation=isolation,
            digests=_digest_source(source),
            created=now(),
        )
        # Created beside and renamed, so that an interrupted init leaves no partial campaign.
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            unfinished = Path(scratch) / "campaign"
            paths = CampaignPaths(unfinished)
            for inner in (paths.workdirs, paths.trials, paths.sessions):
                inner.mkdir(parents=True)
            lineage = Lineage(Store.create(paths.repository))
            lineage.open_campaign(_create_entry(settings, source.task, lineage.store.write_tree(start)))
            raw = settings.model_dump(mode="json", exclude_none=True)
            paths.settings.write_text(tomli_w.dumps(raw), "utf-8")
            unfinished.rename(folder)
        return cls(folder, settings, source)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a campaign folder.

        Raises:
            CampaignError: it is missing or of another format, or its task cannot be used.
        """
        paths = CampaignPaths(folder)
        try:
            raw = tomllib.loads(paths.settings.read_text("utf-8"))
        except FileNotFoundError:
            if paths.repository.is_dir():
                raise CampaignError(
                    f"{folder} has a lineage without a campaign, such as an imported one: it can be read, not run"
                ) from None
            raise CampaignError(f"{folder} is not a campaign; `espalier init {folder} --task NAME` makes one") from None
        except (ValueError, RecursionError) as error:  # also bytes that are not UTF-8, and numbers without end
            raise CampaignError(f"{paths.settings} can't be read: {error}") from None
        if raw.get("format") != FORMAT:
            raise CampaignError(
                f"{folder} has format {raw.get('format')!r}, this version reads {FORMAT}: use the version that made it"
            )
        try:
            settings = Settings.model_validate(raw)
            source = _override(TaskFolder.load(settings.task_folder), settings.n_seeds, settings.rule)
        except ValidationError as error:
            raise CampaignError(
                f"{folder}: {explain_validation(error, Settings, paths.settings.name)}; restore {paths.settings.name}"
            ) from None
        except TaskError as error:
            raise CampaignError(f"{folder}: {error}") from None
        return cls(folder, settings, source)

    @property
    def roster(self) -> Roster:
        """The campaign's specialists by name."""
        return build_roster(self.task, self.settings.arm, self.settings.specialists)

    def check_digests(self) -> None:
        """Raise `CampaignError` if a setting, the task, the evaluator, its data or the knowledge has changed."""
        entry = self.lineage.refresh().campaign
        overridden = {"n_seeds": entry.task["n_seeds"], "rule": entry.task["judge"]["rule"]}
        for name in ("digests", "arm", "read_record", "specialists", "caps", "isolation", *overridden):
            frozen = overridden[name] if name in overridden else getattr(entry, name)
            if frozen != getattr(self.settings, name):
                raise CampaignError(f"{self.paths.settings} was edited: the ledger froze other {name}; restore it")
        frozen = self.settings.digests
        for name, digest in _digest_source(self.task_folder).items():
            if digest != frozen.get(name):
                raise CampaignError(
                    f"the {name} of {self.settings.task} changed since this campaign was made, so scores would not be "
                    f"comparable: restore {self.settings.task_folder}, or make a new campaign "
                    f"(sha256 {frozen.get(name)} then, {digest} now)"
                )

    def recover(self) -> list[Trial]:
        """Record every registered trial whose runner is dead as `harness_abort`, and return these trials.

        A registered proof whose runner is dead is recorded as aborted. Live ones are left alone. Staged files of dead
        trials and measurements are removed, hidden data among them.
        """
        lost = [
            e.number
            for e in self.lineage.refresh().running()
            if e.number and not is_alive(self.paths.trial(e.number).folder)
        ]
        others = [trial for trial in self.paths.measurements_beside_trials if not is_alive(trial.folder)]
        for trial in (*map(self.paths.trial, lost), *others):
            for job in trial.jobs:
                clear_staged(job)
        unknown = {"level": "not known"}
        proof = self.lineage.running_proof()
        if proof and not is_alive(self.paths.proof(proof.proof).folder):
            died = Fault(status=Status.HARNESS_ABORT, failure="the runner died before the proof was recorded")
            self.lineage.record_proof(proof.proof, (), died, unknown)
        self.lineage.settle()
        died = Fault(
            status=Status.HARNESS_ABORT, failure="the runner died before the trial was recorded; submit it again"
        )
        recorded = [self.lineage.record(n, (), died, attempts=1, isolation=unknown) for n in lost]
        return [trial for trial in recorded if trial]


def _check_unused(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        if CampaignPaths(folder).settings.exists():
            raise CampaignError(
                f"{folder} is a campaign already: `espalier status {folder}` reads it; name a new folder"
            )
        raise CampaignError(f"{folder} is not an empty folder: name a new one")


def _create_entry(settings: Settings, task: Task, start_tree: str) -> CampaignEntry:
    return CampaignEntry(
        name=settings.name,
        task=task.model_dump(mode="json"),
        arm=settings.arm,
        read_record=settings.read_record,
        specialists=settings.specialists,
        caps=settings.caps,
        isolation=settings.isolation,
        start_tree=start_tree,
        digests=settings.digests,
        at=settings.created,
    )


def _override(source: TaskFolder, n_seeds: int | None, rule: str | None) -> TaskFolder:
    raw = source.task.model_dump()
    raw["n_seeds"] = n_seeds or raw["n_seeds"]
    raw["judge"]["rule"] = rule or raw["judge"]["rule"]
    return source.model_copy(update={"task": Task.model_validate(raw)})


def _digest_source(source: TaskFolder) -> dict[str, str]:
    return source.digests() | {"knowledge": digest_folder(knowledge_folder(source))}
