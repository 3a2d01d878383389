"""A job: the folder that an engine is handed, and the two files that matter in it."""

import io
import tarfile
import tempfile
from pathlib import Path

from pydantic import ValidationError

from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Clock, Fault, Isolation, Measurement, Record
from lineage_repo.model.paths import JobPaths
from lineage_repo.storage.files import write_whole
from lineage_repo.storage.snapshot import Files
from mcp_server.sandbox.host import Host


class JobSpec(Record):
    """What the worker must do: `spec.json`."""

    name: str
    nonce: str
    """Proves that an outcome belongs to this attempt."""
    task: Task
    task_folder: Path
    trial_seed: int
    """Secret until the outcome; every seed of the trial derives from it."""
    n_seeds: int
    clock: Clock
    host: Host
    boxes: Path
    """Folder below which the boxes of this job get theirs, under a name that tells nothing."""
    isolation: Isolation
    """What the campaign requires at least; `none` asks for no walls."""
    dry_run_s: float | None = None
    """Cap on every phase for a dry run; None for the manifest's."""


class JobResult(Record):
    """What the worker found: `result.json`, written once, whole."""

    nonce: str
    measurement: Measurement | None = None
    fault: Fault | None = None
    isolation: dict[str, str]


class Job(JobPaths):
    """One job folder, staged and read."""

    def stage(self, spec: JobSpec, files: Files) -> None:
        """Write what the worker reads; the folder is the owner's alone."""
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

    def files(self) -> dict[str, bytes]:
        """The staged recipe."""
        found: dict[str, bytes] = {}
        with tarfile.open(self.recipe_tar) as archive:
            for member in archive:
                stream = archive.extractfile(member)
                if stream is not None:
                    found[member.name] = stream.read()
        return found

    def read_result(self, nonce: str) -> JobResult | None:
        """The outcome of this attempt; None while there is none, or where it is another's or torn."""
        try:
            outcome = JobResult.model_validate_json(self.result.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        return outcome if outcome.nonce == nonce else None
