"""What one phase may see: public files of its seed, and sealed artifacts of earlier phases."""

import os
import shutil
from pathlib import Path

from lineage_repo.errors import EvaluatorError
from lineage_repo.model.manifest import Phase, Task
from lineage_repo.model.paths import TurnPaths


def deliver_inputs(turn: TurnPaths, task: Task, n_seeds: int, phase: Phase, index: int | None, data: Path) -> None:
    """Make the phase's inputs appear in its /data, as hard links, so that nothing is copied under the clock."""
    public = turn.public / str(index or 0)
    sources = [(public / name, name) for name in phase.inputs]
    for earlier in phase.sealed:
        maker = task.phase(earlier)
        if maker.artifact is None:
            continue
        # A phase that runs once sees every seed's artifact, each in a folder of its own.
        gathers = index is None and maker.per == "seed"
        for unit in range(n_seeds) if gathers else [index if maker.per == "seed" else None]:
            inside = f"{unit}/{maker.artifact.path}" if gathers else maker.artifact.path
            sources.append((turn.sealed_phase(earlier, unit) / maker.artifact.path, inside))
    for source, inside in sources:
        (data / inside).parent.mkdir(parents=True, exist_ok=True)
        try:
            _link(source, data / inside)
        except FileNotFoundError:
            raise EvaluatorError(
                f"`inputs` of phase {phase.name} names {inside}, which prepare did not write to public/{index or 0}"
            ) from None


def _link(source: Path, target: Path) -> None:
    """Give a file, or every file of a folder, a second name."""
    if source.is_dir():
        shutil.copytree(source, target, copy_function=os.link)
    else:
        os.link(source, target)
