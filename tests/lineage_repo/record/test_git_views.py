"""docs/git.md on real clones, without us."""

import re
import subprocess
from pathlib import Path

import pytest

from lineage_repo.model.measurement import Status
from lineage_repo.record.campaign import Campaign
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.record.test_lineage import git, submit
from tests.support.traces import line, small

LINES = [
    command
    for block in re.findall(
        r"```console\n(.*?)```", (Path(__file__).parents[3] / "docs" / "git.md").read_text("utf-8"), re.DOTALL
    )
    for command in block.splitlines()
]


@pytest.fixture
def clone(campaign: Campaign, tmp_path: Path) -> Path:
    submit(campaign.lineage.refresh(), 0.01)
    submit(campaign.lineage, 0.9, body=b"x = 2\n")
    submit(campaign.lineage, -0.9, body=b"x = 3\n")
    git(tmp_path, "clone", "-q", str(campaign.paths.repository), str(tmp_path / "clone"))
    return tmp_path / "clone"


def test_every_documented_line_says_something_on_a_plain_clone(clone: Path) -> None:
    assert len(LINES) > 12
    for command in LINES:
        done = subprocess.run(["sh", "-c", command], cwd=clone, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), command
        assert done.stdout or command.startswith("git config"), command


def test_the_keeps_alias_draws_keeps_only(clone: Path) -> None:
    subprocess.run(["sh", "-c", next(c for c in LINES if "alias.keeps" in c)], cwd=clone, check=True)
    drawn = git(clone, "keeps").splitlines()
    kept = sorted(words.split("*")[1].split()[:2] for words in drawn if "*" in words)
    assert kept == [["0000", "baseline"], ["0001", "keep"], ["0003", "keep"]]


def test_the_graph_draws_who_builds_on_whom_and_the_keeps_alone(clone: Path) -> None:
    drawn = {w.split("*")[1].split()[0]: w.index("*") for w in _graph(clone) if "*" in w}
    assert sorted(drawn) == ["0000", "0001", "0002", "0003"]
    assert list(drawn)[-1] == "0000"
    assert len({drawn[number] for number in ("0001", "0002", "0003")}) > 1, "siblings stand side by side"
    keeps = [w.split("*")[1].split()[0] for w in _graph(clone, "--status", "keep") if "*" in w]
    assert sorted(keeps) == ["0000", "0001", "0003"]
    assert "--graph draws all trials" in espalier("log", clone, "--graph", "--specialist", "opt").output


def _graph(folder: Path, *options: str) -> list[str]:
    return espalier("log", folder, "--graph", *options).output.splitlines()


def test_an_imported_lineage_reads_the_same(tmp_path: Path) -> None:
    small(tmp_path / "out", line(0, 1.0), line(1, 0.9, Status.KEEP, role="opt"), line(2, 0.95, role="opt", parent="t0"))
    git(tmp_path, "clone", "-q", str(tmp_path / "out" / "lineage.git"), str(tmp_path / "clone"))
    for command in LINES:
        if ":recipe" not in command:
            done = subprocess.run(["sh", "-c", command], cwd=tmp_path / "clone", capture_output=True, check=True)
            assert done.stdout or command.startswith("git config"), command
