"""The evaluator: a trusted program with two verbs, run as its own process outside every box."""

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from pydantic import Field, ValidationError

from lineage_repo.errors import EspalierError
from lineage_repo.manifest import Evaluator
from lineage_repo.records import Fault, Record, Status
from lineage_repo.text import clipped
from mcp_server.parent import die_with_parent

_MAX_REPORT = 1_000_000
_HUGE = 1e100
"""What a metric must stay below; means and spreads of such values can still be computed."""


class EvaluatorError(EspalierError):
    """The evaluator failed: the harness's fault, never the recipe's."""


class _Fault(Record):
    status: Status
    line: str
    seed: int | None = None


class _Report(Record):
    metrics: dict[str, list[float]] = Field(default_factory=dict)
    fault: _Fault | None = None


class EvaluatorProgram:
    """The program of one task, on one host's interpreter."""

    def __init__(self, declared: Evaluator, program: Path, python: Path, log: Path) -> None:
        self._declared, self._program, self._python, self._log = declared, program, python, log
        self.seconds = 0.0
        """Wall seconds of all verbs so far."""

    def prepare(self, seed: int, repeats: int, public: Path, secret: Path) -> None:
        """Write what boxes may see to `public` and what only the evaluator sees to `secret`."""
        public.mkdir(parents=True)
        secret.mkdir(mode=0o700)
        self._run("prepare", "--seed", str(seed), "--repeats", str(repeats), str(public), str(secret), cwd=secret)

    def score(self, sealed: Path, secret: Path, repeats: int) -> tuple[dict[str, tuple[float, ...]], Fault | None]:
        """Score sealed artifacts: one value per seed for each declared metric, or why there is none."""
        sealed.mkdir(exist_ok=True)
        self._run("score", str(sealed), str(secret), cwd=secret)
        try:
            body = (secret / "measurement.json").read_bytes()[:_MAX_REPORT]
            report = _Report.model_validate_json(body)
        except (FileNotFoundError, ValidationError, json.JSONDecodeError) as error:
            raise EvaluatorError(f"{self._program.name} wrote no usable measurement.json: {error}") from None
        if report.fault:
            return {}, _fault(report.fault)
        lengths = {name: len(values) for name, values in report.metrics.items()}
        if lengths != dict.fromkeys(self._declared.metrics, repeats):
            raise EvaluatorError(
                f"{self._program.name} measured {lengths}, the manifest declares {list(self._declared.metrics)} "
                f"with {repeats} values each"
            )
        for name, values in report.metrics.items():
            for seed, value in enumerate(values):
                if not abs(value) < _HUGE:
                    return {}, Fault(status=Status.CRASH, line=f"{name} is {value:g}: the recipe diverged", seed=seed)
        return {name: tuple(values) for name, values in report.metrics.items()}, None

    def _run(self, *arguments: str, cwd: Path) -> None:
        begun = time.monotonic()
        try:
            self._verb(*arguments, cwd=cwd)
        finally:
            self.seconds += time.monotonic() - begun

    def _verb(self, *arguments: str, cwd: Path) -> None:
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(cwd),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [self._python, "-I", self._program, *arguments],
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(signal.SIGKILL),
            )
            try:
                code = process.wait(self._declared.seconds)
            except subprocess.TimeoutExpired:
                raise EvaluatorError(f"{arguments[0]} took more than {self._declared.seconds:g} s") from None
            finally:
                if process.poll() is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        if code:
            raise EvaluatorError(f"{arguments[0]} exited {code}: {clipped(_tail(self._log), 400)}")


def _fault(said: _Fault) -> Fault:
    try:
        return Fault(status=said.status, line=clipped(said.line, 400), seed=said.seed)
    except ValidationError as error:
        raise EvaluatorError(f"measurement.json names a fault that is none: {error}") from None


def _tail(log: Path) -> str:
    lines = log.read_bytes()[-4000:].decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"
