"""The evaluator: a trusted program with two to four verbs, run as its own process outside every box."""

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
from mcp_server.sandbox.process import die_with_parent

_MAX_OUTPUT_BYTES = 1_000_000
_HUGE = 1e100
"""What a metric must stay below; means and spreads of such values can still be computed."""


class _OutputFault(Record):
    """Why there is no score, as the evaluator writes it."""

    status: Status
    line: str
    seed_index: int | None = None


class _Output(Record):
    """`measurement.json`: one value per seed for each metric, or a fault."""

    metrics: dict[str, list[float]] = Field(default_factory=dict)
    fault: _OutputFault | None = None


class EvaluatorProgram:
    """The evaluator of one task, run with this host's interpreter as `python -EsB PROGRAM VERB ...`.

    The protocol, in the order of the calls:

    - `prepare --trial-seed S --n-seeds N PUBLIC SECRET` writes what boxes may see to `PUBLIC/<seed index>/`, and what
      only the evaluator may see to SECRET.
    - `dialogue --phase P [--index I] --channel FD SEALED SECRET` talks with a running box over a stream socket. It
      listens only after its standard input has ended. What it learns stays in SECRET.
    - `score SEALED SECRET` reads `SEALED/<seed index or "trial">/<phase>/<path>`.

    `score` and `dialogue` leave their answer in `measurement.json` in their working directory, SECRET:
    `{"metrics": {name: [one value per seed]}}` or `{"fault": {"status", "line", "seed_index"}}`. Each verb has
    `evaluator.limit_s` seconds and must exit 0. A fourth verb, `data`, is called by `espalier task prepare`.
    """

    def __init__(self, declared: Evaluator, program: Path, python: Path, log: Path, data: Path | None = None) -> None:
        """Describe the program; nothing runs yet.

        Args:
            declared: The manifest's table `evaluator`.
            program: The staged program; only its own folder is importable.
            python: The interpreter that runs it.
            log: Where its standard output and error are appended.
            data: The task's prepared data, which the program finds in `ESPALIER_PREPARED`.
        """
        self._declared, self._program, self._python, self._log = declared, program, python, log
        self._data = data
        self.elapsed_s = 0.0
        """Wall seconds of `prepare` and `score` so far; a dialogue's are its box's."""

    def prepare(self, trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
        """Make both folders and have the evaluator fill them.

        Raises:
            EvaluatorError: the verb took too long or failed.
        """
        public.mkdir(parents=True)
        secret.mkdir(mode=0o700)
        numbers = ("--trial-seed", str(trial_seed), "--n-seeds", str(n_seeds))
        self._run("prepare", *numbers, str(public), str(secret), cwd=secret)

    def score(self, sealed: Path, secret: Path, n_seeds: int) -> tuple[dict[str, tuple[float, ...]], Fault | None]:
        """Score the sealed artifacts: return `n_seeds` values for each declared metric, or nothing and a fault.

        A value that is not finite, or huge, is the recipe's fault.

        Raises:
            EvaluatorError: the verb failed, or its metrics are not those that the manifest declares.
        """
        sealed.mkdir(exist_ok=True)
        self._run("score", str(sealed), str(secret), cwd=secret)
        output = self._read_output(secret)
        if output.fault:
            return {}, _to_fault(output.fault)
        lengths = {name: len(values) for name, values in output.metrics.items()}
        if lengths != dict.fromkeys(self._declared.metrics, n_seeds):
            raise EvaluatorError(
                f"{self._program.name} measured {lengths}, the manifest declares {list(self._declared.metrics)} "
                f"with {n_seeds} values each"
            )
        for name, values in output.metrics.items():
            for index, value in enumerate(values):
                if not abs(value) < _HUGE:
                    line = f"{name} is {value:g}: the recipe diverged"
                    return {}, Fault(status=Status.CRASH, failure=line, seed_index=index)
        return {name: tuple(values) for name, values in output.metrics.items()}, None

    @contextmanager
    def dialogue(self, phase: str, seed_index: int | None, sealed: Path, secret: Path) -> Generator["Dialogue"]:
        """Start the verb that talks with a box; it waits for `Dialogue.go` before it listens.

        How it ends is in `Dialogue.failed` and never raised, because a box could provoke it.
        """
        theirs, ours = socket.socketpair()
        index = [] if seed_index is None else ["--index", str(seed_index)]
        verb = ("dialogue", "--phase", phase, *index, "--channel", str(ours.fileno()), str(sealed), str(secret))
        with ours, self._log.open("ab") as log:
            process = self._start(verb, secret, log, stdin=subprocess.PIPE, pass_fds=(ours.fileno(),))
        dialogue = Dialogue(process, theirs.detach())
        try:
            yield dialogue
            dialogue.go()
            try:
                self._wait(process, "dialogue")
            except EvaluatorError:
                dialogue.failed = True
        finally:
            dialogue.go()
            _kill(process)

    def take_dialogue_fault(self, secret: Path, seed_index: int | None) -> Fault | None:
        """Return and remove what a dialogue found wrong with the recipe's part of it; None if it went well."""
        answer = secret / "measurement.json"
        if not answer.exists():
            return None
        fault = self._read_output(secret).fault
        answer.unlink()
        return _to_fault(fault.model_copy(update={"seed_index": seed_index})) if fault else None

    def _run(self, *arguments: str, cwd: Path) -> None:
        begun = time.monotonic()
        with self._log.open("ab") as log:
            process = self._start(arguments, cwd, log, stdin=subprocess.DEVNULL)
        try:
            self._wait(process, arguments[0])
        finally:
            _kill(process)
            self.elapsed_s += time.monotonic() - begun

    def _wait(self, process: subprocess.Popen[bytes], verb: str) -> None:
        try:
            code = process.wait(self._declared.limit_s)
        except subprocess.TimeoutExpired:
            raise EvaluatorError(f"{verb} took more than {self._declared.limit_s:g} s") from None
        if code:
            raise EvaluatorError(f"{verb} exited {code}: {clip(_last_line(self._log, self._program.parent), 400)}")

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

    def _read_output(self, secret: Path) -> _Output:
        try:
            return _Output.model_validate_json((secret / "measurement.json").read_bytes()[:_MAX_OUTPUT_BYTES])
        except (FileNotFoundError, ValidationError, json.JSONDecodeError) as error:
            raise EvaluatorError(f"{self._program.name} wrote no usable measurement.json: {error}") from None


class Dialogue:
    """A running evaluator, and the box's end of the channel to it."""

    def __init__(self, process: subprocess.Popen[bytes], channel: int) -> None:
        self._process, self.channel = process, channel
        self.failed = False
        """Whether the evaluator failed or ran out of time."""

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


def _to_fault(declared: _OutputFault) -> Fault:
    try:
        return Fault(status=declared.status, failure=clip(declared.line, 400), seed_index=declared.seed_index)
    except ValidationError as error:
        raise EvaluatorError(f"measurement.json names an invalid fault: {error}") from None


def _last_line(log: Path, program: Path) -> str:
    """Return the last line of a log, and which line of the program its traceback names last."""
    text = log.read_bytes()[-4000:].decode("utf-8", "replace").strip()
    if not text:
        return "it wrote nothing"
    places = re.findall(rf'File "{re.escape(str(program))}/([^"]+)", line (\d+)', text)
    return text.splitlines()[-1] + (f" at {':'.join(places[-1])}" if places else "")
