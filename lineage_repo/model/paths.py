"""The layout of a campaign folder. Every path and file name in it is spelled here and nowhere else.

campaign.toml                what was frozen at `init`
lineage.git/                 the record: a bare repository
overview.json, rows.tsv      caches derived from the record
run/                         state.json, pause, stop, lock: where a loop is observed and controlled
trials/NNNN/                 one trial: lock, cancel, progress.txt, runner.log, job-N/
trials/proof-NNNN/           one replication or certification: the same files
trials/KIND-.../             a measurement that is neither: a calibration, a dry run
sessions/ID/                 one session: session.json, brief.md, system.md, transcript.jsonl, tools.jsonl, cli.log
workdirs/SPECIALIST/         the working copy that a specialist edits
boxes/                       what boxes see, under random names that reveal nothing of the trial
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = "lineage.git"


def _by_number(folders: Iterable[Path]) -> list[Path]:
    """Sort folders whose names end in a number, so that 10 comes after 9."""
    return sorted(folders, key=lambda folder: (len(folder.name), folder.name))


@dataclass(frozen=True)
class JobPaths:
    """One job folder: what an engine gets, and what the worker leaves."""

    folder: Path

    @property
    def spec(self) -> Path:
        return self.folder / "spec.json"

    def recipe_tar(self, side: str) -> Path:
        """The recipe in question, `candidate`, or what it is compared with, `reference`."""
        return self.folder / f"{side}.tar"

    @property
    def result(self) -> Path:
        return self.folder / "result.json"

    @property
    def progress(self) -> Path:
        return self.folder / "progress.txt"

    @property
    def log(self) -> Path:
        return self.folder / "worker.log"

    @property
    def evaluator(self) -> Path:
        return self.folder / "evaluator"

    @property
    def boxes(self) -> Path:
        """A link to a folder elsewhere, since boxes can read where their mounts come from."""
        return self.folder / "boxes"

    @property
    def staged(self) -> tuple[Path, ...]:
        """What must not outlive the job: staged files, hidden data among them."""
        hidden = [path for turn in self.turns for path in (turn.public, turn.secret)]
        return *hidden, self.evaluator, self.boxes

    def turn(self, number: int) -> "TurnPaths":
        return TurnPaths(self.folder / "turns" / f"{number:02d}")

    @property
    def turns(self) -> list["TurnPaths"]:
        """The turns on disk, the first one first."""
        return [TurnPaths(folder) for folder in _by_number(self.folder.glob("turns/*"))]


@dataclass(frozen=True)
class TurnPaths:
    """One recipe measured once, in the folder of a job."""

    folder: Path

    @property
    def box_logs(self) -> Path:
        return self.folder / "logs"

    @property
    def public(self) -> Path:
        """What the evaluator prepared for boxes."""
        return self.folder / "public"

    @property
    def secret(self) -> Path:
        """What only the evaluator sees."""
        return self.folder / "secret"

    @property
    def sealed(self) -> Path:
        return self.folder / "sealed"

    def sealed_phase(self, phase: str, index: int | None) -> Path:
        """Return where a phase's sealed artifact lies; `index` is None for a phase that runs once per turn."""
        return self.sealed / ("trial" if index is None else str(index)) / phase


@dataclass(frozen=True)
class TrialPaths:
    """One trial's folder: what does not belong in git."""

    folder: Path

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def cancel(self) -> Path:
        """Exists once somebody has asked to cancel the trial."""
        return self.folder / "cancel"

    @property
    def progress(self) -> Path:
        return self.folder / "progress.txt"

    @property
    def log(self) -> Path:
        return self.folder / "runner.log"

    def job(self, attempt: int) -> JobPaths:
        return JobPaths(self.folder / f"job-{attempt}")

    @property
    def jobs(self) -> list[JobPaths]:
        """The jobs on disk, first attempt first."""
        return [JobPaths(folder) for folder in _by_number(self.folder.glob("job-*"))]

    @property
    def box_logs(self) -> list[Path]:
        """What boxes wrote, one file each, in the order of jobs and turns."""
        return [log for job in self.jobs for turn in job.turns for log in sorted(turn.box_logs.glob("*.log"))]


@dataclass(frozen=True)
class SessionPaths:
    """One session's folder."""

    folder: Path

    @property
    def record(self) -> Path:
        return self.folder / "session.json"

    @property
    def system(self) -> Path:
        """The system prompt as sent."""
        return self.folder / "system.md"

    @property
    def brief(self) -> Path:
        """The opening message as sent."""
        return self.folder / "brief.md"

    @property
    def transcript(self) -> Path:
        return self.folder / "transcript.jsonl"

    @property
    def tools(self) -> Path:
        """One line for each tool call."""
        return self.folder / "tools.jsonl"

    @property
    def log(self) -> Path:
        """What Claude Code wrote to standard error."""
        return self.folder / "cli.log"

    @property
    def home(self) -> Path:
        """Claude Code's own folder; it is deleted when the session ends."""
        return self.folder / "home"


@dataclass(frozen=True)
class CampaignPaths:
    """A campaign folder."""

    folder: Path

    @property
    def settings(self) -> Path:
        return self.folder / "campaign.toml"

    @property
    def repository(self) -> Path:
        return self.folder / REPOSITORY

    @property
    def ledger_ref(self) -> Path:
        """Git's own file with the ledger's tip: readable without git, rewritten by each new entry."""
        return self.repository / "refs" / "heads" / "ledger"

    @property
    def overview(self) -> Path:
        return self.folder / "overview.json"

    @property
    def log_rows(self) -> Path:
        return self.folder / "rows.tsv"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def run_state(self) -> Path:
        return self.run / "state.json"

    @property
    def pause(self) -> Path:
        return self.run / "pause"

    @property
    def stop(self) -> Path:
        return self.run / "stop"

    @property
    def trials(self) -> Path:
        return self.folder / "trials"

    def trial(self, number: int) -> TrialPaths:
        return TrialPaths(self.trials / f"{number:04d}")

    def proof(self, number: int) -> TrialPaths:
        return TrialPaths(self.trials / f"proof-{number:04d}")

    @property
    def measurements_beside_trials(self) -> list[TrialPaths]:
        """Folders of measurements that are not trials: calibrations, dry runs, proofs."""
        return [TrialPaths(folder) for folder in sorted(self.trials.glob("[!0-9]*"))]

    @property
    def sessions(self) -> Path:
        return self.folder / "sessions"

    def session(self, name: str) -> SessionPaths:
        return SessionPaths(self.sessions / name)

    @property
    def session_records(self) -> list[Path]:
        """Every `session.json`, oldest session first."""
        return sorted(self.sessions.glob("*/session.json"))

    @property
    def workdirs(self) -> Path:
        return self.folder / "workdirs"

    def workdir(self, specialist: str) -> Path:
        return self.workdirs / specialist

    @property
    def boxes(self) -> Path:
        return self.folder / "boxes"
