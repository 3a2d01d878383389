"""Tasks as folders: the one that `task new` makes, and one from another field."""

import json
import shutil
from pathlib import Path

import pytest

from lineage_repo.cli.task import scaffold
from lineage_repo.errors import TaskError
from lineage_repo.model.ledger import Proposal
from lineage_repo.model.measurement import Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from lineage_repo.task.lint import find_oversights
from mcp_server.sandbox.host import Host
from mcp_server.trial import calibration, runner
from mcp_server.trial.executor import LocalExecutor
from tests.lineage_repo.cli.test_cli import espalier


@pytest.fixture
def mine(tmp_path: Path) -> TaskFolder:
    return scaffold(tmp_path / "mine")


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_new_task_is_named_after_its_folder_and_passes_its_check(tmp_path: Path) -> None:
    assert espalier("task", "new", tmp_path / "mine").exit_code == 0
    done = espalier("task", "check", tmp_path / "mine")
    assert done.exit_code == 0, done.output
    for line in (
        "manifest  mine: 1 phases",
        "metric    error",
        "margin    worst: ",
        "margin    train time: ",
        "ok        mine",
    ):
        assert line in done.output
    assert TaskFolder.load(tmp_path / "mine").task.name == "mine"


def test_a_new_task_goes_into_a_new_folder_with_a_name(tmp_path: Path, mine: TaskFolder) -> None:
    with pytest.raises(TaskError, match="is there already: name a new folder"):
        scaffold(mine.path)
    with pytest.raises(TaskError, match="'My Task' is not a valid name: begin with a-z"):
        scaffold(tmp_path / "My Task")


def test_what_an_author_probably_did_not_intend_is_a_warning(mine: TaskFolder) -> None:
    warnings = find_oversights(mine)
    assert warnings == [
        *(f"{what} is still the template's" for what in ("title", "summary")),
        *(f"{what} of {n} is still the template's" for what in ("scope", "off_limits") for n in ("model", "data")),
        "knowledge/brief.md is still the template's: agents read of another recipe",
    ]
    edited(mine.path / "task.toml", 'surface = ["train.py"]', 'surface = ["trian.py"]')
    edited(mine.path / "recipe" / "train.py", "[model]", "[modle]")
    warnings = find_oversights(TaskFolder.load(mine.path))
    assert any("surface 'trian.py' of" in line and "is no file of the recipe: train.py" in line for line in warnings)
    assert "train.py marks a number for [modle], who is none of data, model" in warnings


def refused(task: TaskFolder, file: str, old: str, new: str, problem: str) -> None:
    edited(task.path / file, old, new)
    done = espalier("task", "check", task.path)
    assert done.exit_code == 1
    assert problem in done.output
    assert "mcp_server/" not in done.output, "what fails is the task's, and so is any traceback"


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("recipe/train.py", "distance(point", "distanse(point", "Undefined name `distanse`"),
        ("knowledge/brief.md", "${summary}", "${sumary}", "names the variable 'sumary'; there are: "),
        ("task.toml", "n_seeds = 3", "n_sedes = 3", "n_sedes: unknown key; did you mean 'n_seeds'?"),
    ],
)
def test_a_check_says_what_is_wrong_before_anything_runs(
    mine: TaskFolder, file: str, old: str, new: str, problem: str
) -> None:
    refused(mine, file, old, new, problem)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (
            "recipe/train.py",
            "NEIGHBOURS = 1",
            "NEIGHBOURS = 1 / 0",
            "crash: train exited 1: ZeroDivision",
        ),
        ("task.toml", "at_most = 2.0", "at_most = 0.01", "misses the gate 0.01 by "),
        ("evaluator/evaluate.py", "N_TEST = 100", "N_TEST = None", "recipe is not why: prepare exited 1: TypeError"),
        ("evaluator/evaluate.py", "N_TEST = 100", "N_TEST = None", " at evaluate.py:"),
    ],
)
def test_a_check_says_why_the_start_has_no_score(mine: TaskFolder, file: str, old: str, new: str, problem: str) -> None:
    refused(mine, file, old, new, problem)


@pytest.mark.slow
def test_a_failed_check_prints_its_margins_as_json(mine: TaskFolder) -> None:
    edited(mine.path / "task.toml", "max_bytes = 20_000", "max_bytes = 1_000")
    done = espalier("task", "check", mine.path, "--json")
    printed = json.loads(done.stdout)
    assert (done.exit_code, printed["failure"][:12]) == (1, "size_blocked")
    (artifact,) = [m for m in printed["margins"] if m["name"] == "train artifact"]
    assert artifact["margin"] == 1_000 - artifact["value"] < 0


def test_the_template_is_not_a_built_in_task() -> None:
    listed = espalier("task", "list").output
    assert "toy" in listed
    assert "new_task" not in listed


# ---- another field


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("gcc"), reason="flags_cpu compiles with gcc")
def test_compiler_flags_are_searched_like_any_recipe(tmp_path: Path, host: Host) -> None:
    campaign = Campaign.create(tmp_path / "flags", find_task("flags_cpu"), n_seeds=2)
    calibration.calibrate(campaign, 2, LocalExecutor(host))
    lineage = campaign.lineage.refresh()
    start = lineage.read_recipe(0)

    def trial(**changes: tuple[str, str]) -> Status:
        files = dict(start)
        for name, (old, new) in changes.items():
            path = "build.py" if name == "build" else "kernel.c"
            files[path] = files[path].replace(old.encode(), new.encode())
        tree = lineage.refresh().store.write_tree(files)
        claimed = Proposal(
            parent=0, title="x", hypothesis="", expected_delta=0, specialist="flags", session="s", recipe_tree=tree
        )
        number = lineage.register(claimed, campaign.settings.digests, lambda n: campaign.paths.trial(n).folder.mkdir())
        return runner.run(campaign, number, host).status

    assert trial(build=("OPTIMISE = 0", "OPTIMISE = 3")) is Status.KEEP
    assert trial(kernel=("j < n; j++", "j < n; j += 2")) is Status.DISQUALIFIED
    assert trial(kernel=("long n =", "long n")) is Status.CRASH
