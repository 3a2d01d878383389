"""A job: the folder that an engine is handed, and the two files that matter in it."""

import hashlib
import io
import tarfile
import tempfile
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError

from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Clock, Fault, Isolation, Measurement, Record, Status
from lineage_repo.model.paths import JobPaths
from lineage_repo.storage.files import write_whole
from lineage_repo.storage.snapshot import Files
from lineage_repo.text.sanitize import clip
from mcp_server.sandbox.host import Host


class JobSpec(Record):
    """What the worker must do: `spec.json`."""

    name: str
    nonce: str
    """Proves that a result belongs to this attempt."""
    task: Task
    task_folder: Path
    trial_seed: int
    """63 bits, secret until the result is recorded; every box's seed derives from it."""
    n_seeds: int
    clock: Clock
    host: Host
    boxes: Path
    """Folder for what this job's boxes see, under a random name that reveals nothing."""
    isolation: Isolation
    """The least that the campaign requires; `none` asks for plain processes."""
    dry_run_s: float | None = None
    """Cap on every phase in a dry run; None for the manifest's limits."""


class JobResult(Record):
    """What the worker returns: `result.json`, written once, whole.

    A complete measurement has no fault. A recipe's fault comes with the measurement up to it; a harness failure is a
    fault with the status `harness_abort` and without a measurement.
    """

    nonce: str = ""
    measurement: Measurement | None = None
    fault: Fault | None = None
    isolation: dict[str, str] = Field(default_factory=lambda: {"level": "not run"})
    """What held the boxes, for the record."""
    attempts: int = 1
    """How many times the recipe was handed to an executor."""

    @classmethod
    def abort(cls, line: str, *, nonce: str = "", isolation: dict[str, str] | None = None) -> Self:
        """Make the result of a harness failure."""
        fault = Fault(status=Status.HARNESS_ABORT, failure=clip(line, 400))
        return cls(nonce=nonce, fault=fault, isolation=isolation or {"level": "not run"})

    @property
    def failure(self) -> str:
        """Why the measurement is missing or incomplete."""
        return self.fault.failure if self.fault else "no measurement"


class Job(JobPaths):
    """One job folder, staged and read."""

    def stage(self, spec: JobSpec, files: Files) -> None:
        """Write what the worker reads; only the owner can open the folder."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for path, body in files.items():
                member = tarfile.TarInfo(path)
                member.size = len(body)
                archive.addfile(member, io.BytesIO(body))
        self.recipe_tar.write_bytes(buffer.getvalue())
        spec.boxes.mkdir(mode=0o711, exist_ok=True)
        elsewhere = Path(tempfile.mkdtemp(dir=spec.boxes))
        elsewhere.chmod(0o711)
        self.boxes.symlink_to(elsewhere)
        write_whole(self.spec, spec.canonical())

    def sealed_folder(self, phase: str, index: int | None) -> Path:
        """Return where a phase's sealed artifact lies; `index` is None for a phase that runs once per trial."""
        return self.sealed / ("trial" if index is None else str(index)) / phase

    def files(self) -> dict[str, bytes]:
        """Read the staged recipe."""
        with tarfile.open(self.recipe_tar) as archive:
            streams = {member.name: archive.extractfile(member) for member in archive}
            return {name: stream.read() for name, stream in streams.items() if stream}

    def read_result(self, nonce: str) -> JobResult | None:
        """Return this attempt's result; None while there is none, or if it is torn or another attempt's."""
        try:
            result = JobResult.model_validate_json(self.result.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        return result if result.nonce == nonce else None


def derive_seed(trial_seed: int, index: int) -> int:
    """Derive a box's seed: 63 bits that reveal neither the trial's seed nor another box's."""
    digest = hashlib.sha256(f"espalier seed {trial_seed} {index}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1
