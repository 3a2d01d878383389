"""`espalier task prepare`: an upstream recipe at its pin and a user's data become a task that can be measured."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lineage_repo.cli.main import main
from lineage_repo.errors import CampaignError, TaskError
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from mcp_server.sandbox.host import Host
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import LocalExecutor

MANIFEST = """
name = "borrowed"
title = "A recipe from elsewhere"
summary = "Say how many of the hidden numbers are even."
n_seeds = 1
objective = { metric = "right", direction = "higher", unit = "share" }
evaluator = { metrics = ["right"], shared = ["verbs.py", "layout.py"] }
data = { about = "numbers.txt, one number a line", get = "count them" }

[upstream]
url = "https://example.org/upstream"
commit = "COMMIT"
licence = "MIT"
files = { "src/model.py" = "DIGEST" }

[variants.patient]
about = "More time."
set = { "phases.guess.limit_s" = 7, "objective.digits" = 2 }

[[phases]]
name = "guess"
argv = ["python", "-S", "/recipe/guess.py"]
inputs = ["train"]
artifact = { path = "answer.json", format = "json", max_bytes = 100 }
limit_s = 5

[[specialists]]
name = "opt"
title = "All of it"
"""
UPSTREAM = "import torch\n\n\ndef half(numbers):  # of them are even\n    return 0.5\n"
ADAPTER = """
import shutil, sys
from pathlib import Path
upstream, recipe = map(Path, sys.argv[1:3])
body = (upstream / "src" / "model.py").read_text()
if "def half" not in body:
    sys.exit("model.py has no half")
(recipe / "model.py").write_text(body.replace("import torch", "import json"))
shutil.copyfile(Path(__file__).with_name("guess.py"), recipe / "guess.py")
"""
GUESS = """
import os, sys
from pathlib import Path
sys.path.insert(0, "/recipe")
import model
numbers = [int(line) for path in sorted(Path(os.environ["ESPALIER_DATA"], "train").glob("*")) for line in path.open()]
Path(os.environ["ESPALIER_OUT"], "answer.json").write_text(str(model.half(numbers) if numbers == [1, 2, 3] else -1))
"""
EVALUATOR = """
import json
import layout, verbs

def data(raw):
    source = raw / "numbers.txt"
    if not source.exists():
        raise layout.MissingError(f"{source} is missing: count to six")
    lines = source.read_text().splitlines(keepends=True)
    parts = {"train/a.txt": lines[:2], "train/b.txt": lines[2:3], "hidden/c.txt": lines[3:]}
    return [layout.Piece(name, 2 * len(part), lambda path, part=part: path.write_text("".join(part)) and None)
            for name, part in parts.items()]

def prepare(trial_seed, n_seeds, public, secret):
    for i in range(n_seeds):
        for path in (layout.open_prepared() / "train").iterdir():
            layout.link(path, public / str(i) / "train" / path.name)

def score(sealed, secret):
    hidden = [int(line) % 2 == 0 for line in (layout.open_prepared() / "hidden/c.txt").open()]
    answer = json.loads((sealed / "0/guess/answer.json").read_text())
    return {"metrics": {"right": [1 - abs(answer - sum(hidden) / len(hidden))]}}

verbs.run(prepare, score, data=data)
"""


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=u", "-c", "user.email=u@example.org"]
    return subprocess.run(
        ["git", "-C", folder, *who, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """The folder of a task whose recipe lies in `tmp_path/clone`, and its data in `tmp_path/raw`."""
    clone, folder, raw = tmp_path / "clone", tmp_path / "borrowed", tmp_path / "raw"
    (clone / "src").mkdir(parents=True)
    (clone / "src" / "model.py").write_text(UPSTREAM)
    git(clone, "init", "--quiet")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "-m", "x")
    pinned = git(clone, "rev-parse", "HEAD")
    (clone / "src" / "model.py").write_text("raise SystemExit('newer than the pin')")
    git(clone, "commit", "--quiet", "-a", "-m", "y")
    for name, body in {
        "adapter/adapt.py": ADAPTER,
        "adapter/guess.py": GUESS,
        "evaluator/evaluate.py": EVALUATOR,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(body)
    digest = hashlib.sha256(UPSTREAM.encode()).hexdigest()
    (folder / "task.toml").write_text(MANIFEST.replace("COMMIT", pinned).replace("DIGEST", digest))
    raw.mkdir()
    (raw / "numbers.txt").write_text("1\n2\n3\n4\n5\n6\n")
    return folder


def prepare(task: Path, *options: str | Path) -> Result:
    home = task.parent / "ready"
    return CliRunner().invoke(main, ["task", "prepare", str(task), "-o", str(home), *map(str, options)])


def test_a_prepared_task_is_measured_like_any_other_and_sees_only_its_train_side(task: Path, tmp_path: Path) -> None:
    result = prepare(task, "--from", tmp_path / "clone", "--data", tmp_path / "raw")
    assert result.exit_code == 0, result.output
    host = Host(state=tmp_path / "state")
    campaign = Campaign.create(tmp_path / "campaign", TaskFolder.load(tmp_path / "ready"))
    files = campaign.task_folder.read_start()
    assert sorted(files) == ["guess.py", "model.py"]
    outcome = measure(campaign, files, tmp_path / "t", LocalExecutor(host))
    assert outcome.fault is None, outcome.fault
    assert outcome.measurement
    assert outcome.measurement.metrics == {"right": (pytest.approx(5 / 6),)}
    assert (tmp_path / "ready" / "data" / "train" / "a.txt").read_text() == "1\n2\n"


def test_without_its_parts_a_task_says_what_is_missing_and_continues_from_there(task: Path, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"no recipe and no data/data\.json: `espalier task prepare borrowed`"):
        TaskFolder.load(task).read_start()
    (tmp_path / "raw" / "numbers.txt").rename(tmp_path / "numbers.txt")
    first = prepare(task, "--from", tmp_path / "clone")
    assert first.exit_code == 1
    assert "missing   numbers.txt, one number a line: count them; then name its folder with --data" in first.output
    second = prepare(task, "--data", tmp_path / "raw")
    assert second.exit_code == 1
    assert "numbers.txt is missing: count to six" in second.output
    (tmp_path / "numbers.txt").rename(tmp_path / "raw" / "numbers.txt")
    third = prepare(task, "--data", tmp_path / "raw", "--json")
    assert third.exit_code == 0, third.output
    assert "data      3 of 3: hidden/c.txt" in third.output
    repeated = prepare(task, "--data", tmp_path / "raw")
    assert "data      3 of 3" not in repeated.output, "what exists is not made again"


def test_a_dry_run_prints_sizes_and_makes_nothing(task: Path, tmp_path: Path) -> None:
    result = prepare(task, "--data", tmp_path / "raw", "--dry-run", "--json")
    printed = json.loads(result.output)
    assert printed["recipe"] == ["src/model.py"]
    assert printed["data"]["hidden/c.txt"] == {"bytes": 6}
    assert not (tmp_path / "ready").exists()


def test_only_the_pinned_bytes_become_a_recipe(task: Path, tmp_path: Path) -> None:
    manifest = task / "task.toml"
    digest = hashlib.sha256(UPSTREAM.encode()).hexdigest()
    manifest.write_text(manifest.read_text().replace(digest, "0" * 64))
    result = prepare(task, "--from", tmp_path / "clone")
    assert f"src/model.py has sha256 {digest}, but {'0' * 64} is pinned" in result.output
    assert not (tmp_path / "ready" / "recipe").exists()


def test_a_source_without_the_commit_is_refused_with_the_way_out(task: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "other")
    result = prepare(task, "--from", tmp_path / "other")
    assert "git clone https://example.org/upstream where there is a network, and name the clone" in result.output
    assert "can't be fetched from --upload-pack=x" in prepare(task, "--from=--upload-pack=x").output


def test_a_variant_is_another_manifest_that_says_so(task: Path, tmp_path: Path) -> None:
    result = prepare(task, "--from", tmp_path / "clone", "--data", tmp_path / "raw", "--variant", "patient")
    assert result.exit_code == 0, result.output
    prepared = TaskFolder.load(tmp_path / "ready").task
    assert (prepared.variant, prepared.phase("guess").limit_s, prepared.objective.digits) == ("patient", 7, 2)
    assert "name a new folder" in prepare(task, "--from", tmp_path / "clone").output
    assert "no variant 'hasty': borrowed has patient" in prepare(task, "--variant", "hasty").output


def test_data_that_change_after_init_stop_the_campaign(task: Path, tmp_path: Path) -> None:
    prepare(task, "--from", tmp_path / "clone", "--data", tmp_path / "raw")
    campaign = Campaign.create(tmp_path / "campaign", TaskFolder.load(tmp_path / "ready"))
    campaign.check_digests()
    (tmp_path / "raw" / "numbers.txt").write_text("1\n2\n3\n4\n5\n7\n")
    (tmp_path / "ready" / "data" / "hidden" / "c.txt").unlink()
    prepare(task, "--data", tmp_path / "raw")
    with pytest.raises(CampaignError, match="the data of borrowed changed"):
        Campaign.open(tmp_path / "campaign").check_digests()


def test_a_clone_names_no_command_that_is_run(task: Path, tmp_path: Path) -> None:
    clone, ran = tmp_path / "clone", tmp_path / "ran"
    for name, value in {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "e",
        "remote.e.promisor": "true",
        "remote.e.url": f"ext::touch {ran}",
        "protocol.ext.allow": "always",
    }.items():
        git(clone, "config", name, value)
    blob = git(clone, "rev-parse", "HEAD~1:src/model.py")
    (clone / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert "can't be fetched from" in prepare(task, "--from", clone).output
    assert not ran.exists()


def test_other_data_are_laid_out_anew_and_nothing_slips_in_beside_them(task: Path, tmp_path: Path) -> None:
    prepare(task, "--from", tmp_path / "clone", "--data", tmp_path / "raw")
    (tmp_path / "raw" / "numbers.txt").write_text("7\n8\n9\n4\n5\n6\n")
    assert "data      3 of 3" in prepare(task, "--data", tmp_path / "raw").output
    train = tmp_path / "ready" / "data" / "train"
    assert (train / "a.txt").read_text() == "7\n8\n"
    program = TaskFolder.load(tmp_path / "ready").stage_evaluator(tmp_path / "staged")

    def prepare_trial() -> str:
        folders = [tmp_path / "public", tmp_path / "secret"]
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        argv = [sys.executable, "-EsB", program, "prepare", "--trial-seed", "1", "--n-seeds", "1", *folders]
        there = {"ESPALIER_PREPARED": str(tmp_path / "ready" / "data")}
        return subprocess.run(argv, env=there, capture_output=True, text=True, check=False).stderr

    assert prepare_trial() == ""
    (train / "c.txt").write_text("4\n")
    assert "train/c.txt was not prepared" in prepare_trial()
    (train / "c.txt").unlink()
    (train / "a.txt").write_text("1\n2\n")
    assert "train/a.txt was changed after it was prepared" in prepare_trial()


def test_data_are_plain_files_with_one_name_each(task: Path, tmp_path: Path) -> None:
    (tmp_path / "raw" / "more.txt").symlink_to("numbers.txt")
    assert (
        "numbers.txt is the same file as"
        in prepare(task, "--data", tmp_path / "raw", "--from", tmp_path / "clone").output
    )
    (tmp_path / "raw" / "more.txt").unlink()
    os.mkfifo(tmp_path / "raw" / "more.txt")
    assert "more.txt is not a plain file" in prepare(task, "--data", tmp_path / "raw").output


def test_a_tasks_name_means_its_prepared_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_task("cifar10_airbench96").path.parent.name == "tasks"
    shutil.copytree(find_task("cifar10_airbench96").path, tmp_path / "cifar10_airbench96")
    assert find_task("cifar10_airbench96").path == Path("cifar10_airbench96")
