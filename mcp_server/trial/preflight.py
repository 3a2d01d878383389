"""Preflight: what can be known of a recipe without running it. The linter is ruff: nothing of it executes."""

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


class Problem(Record):
    """One finding in one file."""

    file: str
    line: int
    message: str


def syntax_problems(files: Mapping[str, bytes]) -> list[Problem]:
    """Syntax errors and undefined names in every Python file."""
    if hidden := _hidden_lines(files):
        return hidden
    sources = {path: body for path, body in files.items() if path.endswith(".py")}
    if not sources:
        return []
    with TemporaryDirectory() as scratch:
        snapshot.write_folder(sources, Path(scratch))
        ruff = Path(sysconfig.get_path("scripts")) / "ruff"
        command = [
            str(ruff) if ruff.exists() else "ruff",
            "check",
            "--isolated",
            "--no-cache",
            "--select",
            _RULES,
            "--output-format",
            "json",
            "--target-version",
            f"py{sys.version_info.major}{sys.version_info.minor}",
            "--ignore-noqa",
            ".",
        ]
        try:
            done = subprocess.run(command, cwd=scratch, capture_output=True, timeout=30, check=False)
            found = json.loads(done.stdout) if done.returncode in {0, 1} else None
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            found = None
        if found is None:
            return [Problem(file=min(sources), line=1, message="the linter could not read this recipe: simplify it")]
        root = Path(scratch).resolve()
        return [
            Problem(
                file=Path(f["filename"]).resolve().relative_to(root).as_posix(),
                line=f["location"]["row"],
                message=clip(f["message"], 200),
            )
            for f in found
        ]


def _hidden_lines(files: Mapping[str, bytes]) -> list[Problem]:
    """Carriage returns that end lines for Python, and for nobody who counts or reads them."""
    message = "a carriage return without a line feed hides a line: end lines with a line feed"
    return [
        Problem(file=path, line=body[: found.start()].count(b"\n") + 1, message=message)
        for path, body in sorted(files.items())
        if path.endswith(".py") and (found := re.search(rb"\r(?!\n)", body))
    ]


def surface_problem(task: Task, files: Mapping[str, bytes], parent: Mapping[str, bytes]) -> Problem | None:
    """Which file outside the editable surface differs from the parent's, or went missing; None when none does."""
    surface = ", ".join(task.recipe.editable)
    for path in sorted(files.keys() | parent.keys()):
        if snapshot.matches(path, task.recipe.editable) or files.get(path) == parent.get(path):
            continue
        what = "is missing" if path not in files else "is new" if path not in parent else "was changed"
        return Problem(
            file=path,
            line=1,
            message=f"{what}, but only {surface} may change: restore it (rebase_to gives a fresh copy)",
        )
    return None


def preflight(task: Task, files: Mapping[str, bytes]) -> Fault | None:
    """Why a snapshot can't be measured; None when it may run."""
    size, cap = source_size.source_bytes(files, packed=task.limits.packed), task.limits.source_bytes
    if size > cap:
        line = f"the source has {size:,} bytes, {size - cap:,} over the {cap:,}"
        passed = Margin.below("source", size, cap, "bytes")
        return Fault(status=Status.SIZE_BLOCKED, failure=line, margin=passed)
    if problems := syntax_problems(files):
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return Fault(status=Status.PREFLIGHT_CRASH, failure=f"{first.file}:{first.line}: {first.message}{more}")
    return None
