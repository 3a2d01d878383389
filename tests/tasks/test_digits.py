"""The evaluator of airbench_cpu deals digits that are not in a table of the public ones."""

import subprocess
import sys
from pathlib import Path

import pytest

from lineage_repo.task.find import find_task

HEADER = 128  # of an .npy file
PIXELS = 64


def prepared(folder: Path, seed: int) -> Path:
    """What the evaluator's `prepare` writes for two repeats."""
    program = find_task("airbench_cpu").stage_evaluator(folder / "evaluator")
    argv = [sys.executable, "-EsB", str(program), "prepare"]
    options = ["--trial-seed", str(seed), "--n-seeds", "2", str(folder / "public"), str(folder / "secret")]
    subprocess.run([*argv, *options], check=True)
    return folder


def images(folder: Path) -> list[bytes]:
    """Every image of one repeat, train and test."""
    bodies = [(folder / name).read_bytes()[HEADER:] for name in ("train_x.npy", "test_x.npy")]
    return [body[i : i + PIXELS] for body in bodies for i in range(0, len(body), PIXELS)]


@pytest.fixture(scope="module")
def dealt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("dealt"), 7)


def test_no_image_is_dealt_twice_with_the_same_pixels(dealt: Path) -> None:
    both = [image for index in ("0", "1") for image in images(dealt / "public" / index)]
    assert len(set(both)) == len(both) == 2 * 1797


def test_the_secret_seed_determines_everything_dealt(dealt: Path, tmp_path: Path) -> None:
    again = prepared(tmp_path, 7)
    for path in (p for p in dealt.rglob("*") if p.is_file()):
        assert (again / path.relative_to(dealt)).read_bytes() == path.read_bytes()


def test_test_labels_are_not_public(dealt: Path) -> None:
    names = {p.name for p in (dealt / "public").rglob("*.npy")}
    assert names == {"train_x.npy", "train_y.npy", "test_x.npy"}
