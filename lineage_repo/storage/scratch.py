"""What must not outlive a job in its folder: staged files, hidden data among them."""

import shutil
from pathlib import Path

SCRATCH = ("public", "secret", "evaluator", "boxes")


def clear_scratch(job: Path) -> None:
    """Remove what must not outlive a job."""
    for name in SCRATCH:
        shutil.rmtree((job / name).resolve(), ignore_errors=True)
        if (job / name).is_symlink():
            (job / name).unlink(missing_ok=True)
