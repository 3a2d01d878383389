"""A job: the folder that an engine is handed, and the two files that matter in it."""

import io
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, Field, ValidationError

from lineage_repo.model.comparison import Comparison, Side, Turn
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import (
    Clock,
    Fault,
    Isolation,
    Measurement,
    Record,
    Spread,
    Status,
    pool_measurements,
)
from lineage_repo.model.paths import JobPaths
from lineage_repo.storage.files import write_whole
from lineage_repo.storage.snapshot import Files
from lineage_repo.text.sanitize import clip
from mcp_server.sandbox.host import Host

REFERENCE_FAILED = "the reference failed"
"""How the failure begins where not the recipe in question failed, but what it is compared with."""


class Assignment(Record):
    """One turn that a worker must measure."""

    side: Side
    trial_seed: int
    """63 bits, secret until the result is recorded; every box's seed derives from it."""
    n_seeds: int = 1


class JobSpec(Record):
    """What the worker must do: `spec.json`."""

    name: str
    nonce: str
    """Proves that a result belongs to this attempt."""
    task: Task
    task_folder: Path
    turns: tuple[Assignment, ...] = Field(min_length=1)
    """In the order in which they are measured, up to the first fault."""
    window: tuple[float, ...] = ()
    """Earlier values of the reference's objective, from which follows whether a first seed is the last turn."""
    noise: dict[str, Spread] = Field(default={})
    """Calibrated spreads, given with a screen only."""
    clock: Clock
    host: Host
    boxes: Path
    """Folder for what this job's boxes see, under a random name that reveals nothing."""
    isolation: Isolation
    """The least that the campaign requires; `none` asks for plain processes."""
    dry_run_s: float | None = None
    """Cap on every phase in a dry run; None for the manifest's limits."""


class MeasuredTurn(Record):
    """What one turn gave."""

    side: Side
    began: AwareDatetime
    measurement: Measurement


class JobResult(Record):
    """What the worker returns: `result.json`, written once, whole.

    A complete measurement has no fault. A recipe's fault comes with the turns up to it; a failure of the harness or of
    the reference is a fault with the status `harness_abort`.
    """

    nonce: str = ""
    turns: tuple[MeasuredTurn, ...] = ()
    fault: Fault | None = None
    isolation: dict[str, str] = Field(default_factory=lambda: {"level": "not run"})
    """What held the boxes, for the record."""
    host: dict[str, str] = Field(default_factory=dict)
    attempts: int = 1
    """How many times the recipe was handed to an executor."""

    @property
    def measurement(self) -> Measurement | None:
        """Every seed of the recipe in question; None if nothing was measured."""
        return self._pool("candidate")

    @property
    def whole(self) -> Measurement | None:
        """Every turn of both sides, for what concerns the host and not a recipe."""
        return self._pool("candidate", "reference")

    def _pool(self, *sides: Side) -> Measurement | None:
        measurements = [turn.measurement for turn in self.turns if turn.side in sides]
        return pool_measurements(measurements) if measurements else None

    def comparison(
        self,
        against: int | None = None,
        *,
        shared_seeds: bool = False,
        ledger: str | None = None,
        window: tuple[float, ...] = (),
    ) -> Comparison | None:
        """Return the turns as a comparison, for the record; None if the recipe in question was not measured.

        The arguments are the fields of `Comparison`.
        """
        candidate = self.measurement
        if candidate is None:
            return None
        return Comparison(
            against=against,
            shared_seeds=shared_seeds,
            ledger=ledger,
            window=window,
            candidate=candidate,
            reference=self._pool("reference"),
            turns=tuple(Turn(side=turn.side, began=turn.began) for turn in self.turns),
            host=self.host,
        )

    @classmethod
    def abort(cls, line: str, *, nonce: str = "", isolation: dict[str, str] | None = None) -> Self:
        """Make the result of a harness failure."""
        fault = Fault(status=Status.HARNESS_ABORT, failure=clip(line, 400))
        return cls(nonce=nonce, fault=fault, isolation=isolation or {"level": "not run"})

    @property
    def reference_failed(self) -> bool:
        """Whether the recipe in question could not be compared."""
        return self.fault is not None and self.fault.failure.startswith(REFERENCE_FAILED)

    @property
    def failure(self) -> str:
        """Why the measurement is missing or incomplete."""
        return self.fault.failure if self.fault else "no measurement"


class Job(JobPaths):
    """One job folder, staged and read."""

    def stage(self, spec: JobSpec, recipes: Mapping[Side, Files]) -> None:
        """Write what the worker reads; only the owner can open the folder."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for side, files in recipes.items():
            self.recipe_tar(side).write_bytes(_pack(files))
        spec.boxes.mkdir(mode=0o711, exist_ok=True)
        elsewhere = Path(tempfile.mkdtemp(dir=spec.boxes))
        elsewhere.chmod(0o711)
        self.boxes.symlink_to(elsewhere)
        write_whole(self.spec, spec.canonical())

    def files(self, side: Side) -> dict[str, bytes]:
        """Read a staged recipe."""
        with tarfile.open(self.recipe_tar(side)) as archive:
            streams = {member.name: archive.extractfile(member) for member in archive}
            return {name: stream.read() for name, stream in streams.items() if stream}

    def read_result(self, nonce: str) -> JobResult | None:
        """Return this attempt's result; None while there is none, or if it is torn or another attempt's."""
        try:
            result = JobResult.model_validate_json(self.result.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        return result if result.nonce == nonce else None


def _pack(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, body in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return buffer.getvalue()
