"""Preflight: what can be known of a recipe without running it. Ruff lints it, which executes nothing."""

import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Fault, Margin, Record, Status
from lineage_repo.storage import snapshot
from lineage_repo.task import source_size
from lineage_repo.text.sanitize import clip

_RULES = "E9,F63,F7,F82"
"""Syntax errors, misused statements, undefined names."""
_OPTIONS = ("--isolated", "--no-cache", "--ignore-noqa", "--output-format", "json")


class Problem(Record):
    """One finding in one file."""

    file: str
    line: int
    message: str


def find_syntax_problems(files: Mapping[str, bytes]) -> list[Problem]:
    """Find syntax errors and undefined names in every Python file."""
    if hidden := _find_hidden_lines(files):
        return hidden
    sources = {path: body for path, body in files.items() if path.endswith(".py")}
    if not sources:
        return []
    with TemporaryDirectory() as scratch:
        snapshot.write_folder(sources, Path(scratch))
        ruff = Path(sysconfig.get_path("scripts")) / "ruff"
        version = f"py{sys.version_info.major}{sys.version_info.minor}"
        program = str(ruff) if ruff.exists() else "ruff"
        command = [program, "check", *_OPTIONS, "--select", _RULES, "--target-version", version, "."]
        try:
            done = subprocess.run(command, cwd=scratch, capture_output=True, timeout=30, check=False)
            findings = json.loads(done.stdout) if done.returncode in {0, 1} else None
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            findings = None
        if findings is None:
            return [Problem(file=min(sources), line=1, message="the linter could not read this recipe: simplify it")]
        root = Path(scratch).resolve()
        return [
            Problem(
                file=Path(f["filename"]).resolve().relative_to(root).as_posix(),
                line=f["location"]["row"],
                message=clip(f["message"], 200),
            )
            for f in findings
        ]


def _find_hidden_lines(files: Mapping[str, bytes]) -> list[Problem]:
    """Find carriage returns that end a line for Python, but not for whoever counts or reads lines."""
    message = "a carriage return without a line feed hides a line: end lines with a line feed"
    return [
        Problem(file=path, line=body[: match.start()].count(b"\n") + 1, message=message)
        for path, body in sorted(files.items())
        if path.endswith(".py") and (match := re.search(rb"\r(?!\n)", body))
    ]


def find_surface_problem(task: Task, files: Mapping[str, bytes], parent: Mapping[str, bytes]) -> Problem | None:
    """Return the first file outside the editable surface that differs from the parent's; None if there is none."""
    surface = ", ".join(task.recipe.editable)
    for path in sorted(files.keys() | parent.keys()):
        if snapshot.matches(path, task.recipe.editable) or files.get(path) == parent.get(path):
            continue
        change = "is missing" if path not in files else "is new" if path not in parent else "was changed"
        message = f"{change}, but only {surface} may change: restore it (rebase_to gives a fresh copy)"
        return Problem(file=path, line=1, message=message)
    return None


def preflight(task: Task, files: Mapping[str, bytes]) -> Fault | None:
    """Return why a recipe can't be measured, with the margin of a size that is too large; None if it may run."""
    size, cap = source_size.source_bytes(files, packed=task.limits.packed), task.limits.source_bytes
    if size > cap:
        line = f"the source has {size:,} bytes, {size - cap:,} over the {cap:,}"
        return Fault(status=Status.SIZE_BLOCKED, failure=line, margin=Margin.below("source", size, cap, "bytes"))
    if problems := find_syntax_problems(files):
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return Fault(status=Status.PREFLIGHT_CRASH, failure=f"{first.file}:{first.line}: {first.message}{more}")
    return None
