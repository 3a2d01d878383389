"""The CORE bundle on disk: `core.yaml`, `eval_meta_data.csv` and one JSON-lines file per data set."""

import csv
import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import layout

KINDS = ("multiple_choice", "schema", "language_modeling")
ASKED = 500
"""The most items of a task that count for each of the two scores."""
SHUFFLE_SEED = 1337
SHOTS_SEED = 1234
"""Plus the place of an item, the seed that draws the examples before it."""


class Task(NamedTuple):
    """One task of the bundle."""

    label: str
    kind: str
    data: str
    """Its file below eval_data; several tasks can share one."""
    shots: int
    delimiter: str
    baseline: float
    """The accuracy of guessing, 0 to 1."""


def read(folder: Path) -> list[Task]:
    """Read the tasks in the bundle's order; raise `layout.MissingError`."""
    baselines = _read_baselines(folder / "eval_meta_data.csv")
    tasks: list[Task] = []
    for row in _read_rows(folder / "core.yaml"):
        try:
            label, kind, data, (shots,) = (row[k] for k in ("label", "icl_task_type", "dataset_uri", "num_fewshot"))
            tasks.append(Task(label, kind, data, shots, row.get("continuation_delimiter", " "), baselines[label]))
        except (KeyError, ValueError, TypeError) as error:
            raise layout.MissingError(f"{folder}: task {row.get('label')} lacks a value: {error!r}") from None
        if kind not in KINDS:
            raise layout.MissingError(f"{folder / 'core.yaml'}: task {label} is of the unknown kind {kind!r}")
        if not (folder / "eval_data" / data).is_file():
            raise layout.MissingError(f"{folder / 'eval_data' / data} is missing: unpack eval_bundle.zip again")
    return tasks


def read_items(folder: Path, data: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read the items that upstream asks, in its order, and the next ones, which it never asks."""
    lines = (folder / "eval_data" / data).read_text("utf-8").strip().split("\n")
    rows = [json.loads(line) for line in lines]
    random.Random(SHUFFLE_SEED).shuffle(rows)  # noqa: S311 - upstream's order
    return rows[:ASKED], rows[ASKED : 2 * ASKED]


def draw_examples(place: int, count: int, shots: int) -> list[int]:
    """Draw the places of the solved examples before item `place` of `count`, as upstream does."""
    rng = random.Random(SHOTS_SEED + place)  # noqa: S311 - upstream's draw
    return rng.sample([other for other in range(count) if other != place], shots) if shots else []


def _read_baselines(path: Path) -> dict[str, float]:
    if not path.is_file():
        raise layout.MissingError(f"{path} is missing: unpack eval_bundle.zip again")
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["Eval Task"]: float(row["Random baseline"]) / 100 for row in csv.DictReader(stream)}


def _read_rows(path: Path) -> list[dict[str, Any]]:
    """Read the list `icl_tasks` of the bundle's YAML file."""
    try:
        import yaml
    except ImportError:
        raise layout.MissingError(
            "the evaluator's interpreter lacks pyyaml: pip install 'espalier[full]' there"
        ) from None
    try:
        return list(yaml.safe_load(path.read_text("utf-8"))["icl_tasks"])
    except FileNotFoundError:
        raise layout.MissingError(f"{path} is missing: unpack eval_bundle.zip again") from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise layout.MissingError(f"{path} is not a table with a list `icl_tasks`: {error!r}") from None
