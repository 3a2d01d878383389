"""The evaluator: a trusted program with two or three verbs, run as its own process outside every box."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pydantic import Field, ValidationError

from lineage_repo.errors import EvaluatorError
from lineage_repo.model.manifest import Evaluator
from lineage_repo.model.measurement import Fault, Record, Status
from lineage_repo.text.sanitize import clip
from mcp_server.sandbox.parent import die_with_parent

_MAX_REPORT = 1_000_000
_HUGE = 1e100
"""What a metric must stay below; means and spreads of such values can still be computed."""


class _Fault(Record):
    status: Status
    line: str
    seed_index: int | None = None


class _Report(Record):
    metrics: dict[str, list[float]] = Field(default_factory=dict)
    fault: _Fault | None = None


class EvaluatorProgram:
    """The program of one task, on one host's interpreter."""

    def __init__(self, declared: Evaluator, program: Path, python: Path, log: Path, data: Path | None = None) -> None:
        self._declared, self._program, self._python, self._log = declared, program, python, log
        self._data = data
        self.seconds = 0.0
        """Wall seconds of `prepare` and `score` so far; a dialogue's are its box's."""

    def prepare(self, trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
        """Write what boxes may see to `public` and what only the evaluator sees to `secret`."""
        public.mkdir(parents=True)
        secret.mkdir(mode=0o700)
        self._run(
            "prepare", "--trial-seed", str(trial_seed), "--n-seeds", str(n_seeds), str(public), str(secret), cwd=secret
        )

    def score(self, sealed: Path, secret: Path, n_seeds: int) -> tuple[dict[str, tuple[float, ...]], Fault | None]:
        """Score sealed artifacts: one value per seed for each declared metric, or why there is none."""
        sealed.mkdir(exist_ok=True)
        self._run("score", str(sealed), str(secret), cwd=secret)
        report = self._report(secret)
        if report.fault:
            return {}, _fault(report.fault)
        lengths = {name: len(values) for name, values in report.metrics.items()}
        if lengths != dict.fromkeys(self._declared.metrics, n_seeds):
            raise EvaluatorError(
                f"{self._program.name} measured {lengths}, the manifest declares {list(self._declared.metrics)} "
                f"with {n_seeds} values each"
            )
        for name, values in report.metrics.items():
            for seed, value in enumerate(values):
                if not abs(value) < _HUGE:
                    return {}, Fault(
                        status=Status.CRASH, failure=f"{name} is {value:g}: the recipe diverged", seed_index=seed
                    )
        return {name: tuple(values) for name, values in report.metrics.items()}, None

    @contextmanager
    def dialogue(self, phase: str, seed: int | None, sealed: Path, secret: Path) -> Generator["Dialogue"]:
        """Start the verb that talks with a box; it waits for `Dialogue.go` before it listens.

        How it ends is in `Dialogue.failed` and never raised: what a box says could provoke it.
        """
        theirs, ours = socket.socketpair()
        which = [] if seed is None else ["--index", str(seed)]
        verb = ("dialogue", "--phase", phase, *which, "--channel", str(ours.fileno()), str(sealed), str(secret))
        with ours, self._log.open("ab") as log:
            process = self._start(verb, secret, log, stdin=subprocess.PIPE, pass_fds=(ours.fileno(),))
        talk = Dialogue(process, theirs.detach())
        try:
            yield talk
            talk.go()
            try:
                self._end(process, "dialogue")
            except EvaluatorError:
                talk.failed = True
        finally:
            talk.go()
            _kill(process)

    def broken_off(self, secret: Path, seed: int | None) -> Fault | None:
        """What a dialogue found wrong with the recipe's part of it; None where it went well."""
        found = secret / "measurement.json"
        if not found.exists():
            return None
        fault = self._report(secret).fault
        found.unlink()
        return _fault(fault.model_copy(update={"seed_index": seed})) if fault else None

    def _run(self, *arguments: str, cwd: Path) -> None:
        begun = time.monotonic()
        with self._log.open("ab") as log:
            process = self._start(arguments, cwd, log, stdin=subprocess.DEVNULL)
        try:
            self._end(process, arguments[0])
        finally:
            _kill(process)
            self.seconds += time.monotonic() - begun

    def _end(self, process: subprocess.Popen[bytes], verb: str) -> None:
        try:
            code = process.wait(self._declared.limit_s)
        except subprocess.TimeoutExpired:
            raise EvaluatorError(f"{verb} took more than {self._declared.limit_s:g} s") from None
        if code:
            raise EvaluatorError(f"{verb} exited {code}: {clip(_tail(self._log, self._program.parent), 400)}")

    def _start(
        self, arguments: Sequence[str], cwd: Path, log: IO[bytes], *, stdin: int, pass_fds: tuple[int, ...] = ()
    ) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(cwd),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        } | ({"ESPALIER_PREPARED": str(self._data)} if self._data else {})
        return subprocess.Popen(
            # As -I, but the program's own folder stays importable: only what its digest covers lies there.
            [self._python, "-EsB", self._program, *arguments],
            cwd=cwd,
            env=environment,
            stdin=stdin,
            stdout=log,
            stderr=log,
            pass_fds=pass_fds,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(signal.SIGKILL),
        )

    def _report(self, secret: Path) -> _Report:
        try:
            body = (secret / "measurement.json").read_bytes()[:_MAX_REPORT]
            return _Report.model_validate_json(body)
        except (FileNotFoundError, ValidationError, json.JSONDecodeError) as error:
            raise EvaluatorError(f"{self._program.name} wrote no usable measurement.json: {error}") from None


class Dialogue:
    """A running evaluator, and the box's end of the channel to it."""

    def __init__(self, process: subprocess.Popen[bytes], channel: int) -> None:
        self._process, self.channel = process, channel
        self.failed = False
        """Whether the evaluator ended badly, or not at all."""

    def __repr__(self) -> str:
        return f"Dialogue(pid={self._process.pid})"

    def go(self) -> None:
        """Let the evaluator listen: what a box says before its clock runs is answered after it."""
        if self._process.stdin:
            self._process.stdin.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _fault(said: _Fault) -> Fault:
    try:
        return Fault(status=said.status, failure=clip(said.line, 400), seed_index=said.seed_index)
    except ValidationError as error:
        raise EvaluatorError(f"measurement.json names a fault that is none: {error}") from None


def _tail(log: Path, program: Path) -> str:
    """The last line of a log, and which line of the program was the last in its traceback."""
    text = log.read_bytes()[-4000:].decode("utf-8", "replace").strip()
    if not text:
        return "it wrote nothing"
    places = re.findall(rf'File "{re.escape(str(program))}/([^"]+)", line (\d+)', text)
    return text.splitlines()[-1] + (f" at {':'.join(places[-1])}" if places else "")
