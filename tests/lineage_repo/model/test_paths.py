"""Where a campaign's files lie is spelled once, in `lineage_repo/model/paths.py`."""

import ast
from collections.abc import Iterator
from pathlib import Path

from lineage_repo.model.paths import CampaignPaths

ROOT = Path(__file__).parents[3]
SPELLED = "lineage_repo/model/paths.py"
NAMES = (
    "campaign.toml",
    "lineage.git",
    "overview.json",
    "rows.tsv",
    "state.json",
    "progress.txt",
    "runner.log",
    "worker.log",
    "spec.json",
    "result.json",
    "session.json",
    "system.md",
    "transcript.jsonl",
    "tools.jsonl",
    "cli.log",
)


def strings(path: Path) -> Iterator[str]:
    """Every string of a module but its docstrings, which may name a file for a reader."""
    tree = ast.parse(path.read_text("utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def test_no_other_module_spells_a_path_of_a_campaign() -> None:
    modules = [p for floor in ("lineage_repo", "mcp_server", "agent_client") for p in (ROOT / floor).rglob("*.py")]
    wrong = {
        f"{path.relative_to(ROOT)}: {text}"
        for path in modules
        for text in strings(path)
        if path.relative_to(ROOT).as_posix() != SPELLED and set(NAMES) & set(text.split("/"))
    }
    assert wrong == set()


def test_every_name_is_one_that_the_layout_has() -> None:
    spelled = " ".join(strings(ROOT / SPELLED))
    assert [name for name in NAMES if name not in spelled] == []


def test_a_trials_and_a_jobs_files_lie_where_people_are_told_to_look() -> None:
    paths = CampaignPaths(Path("runs/demo"))
    job = paths.trial(42).job(1)
    assert job.turn(3).box_logs == Path("runs/demo/trials/0042/job-1/turns/03/logs")
    assert job.recipe_tar("reference") == Path("runs/demo/trials/0042/job-1/reference.tar")
    assert paths.session("s-1").brief == Path("runs/demo/sessions/s-1/brief.md")


def test_jobs_and_turns_are_listed_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    trial = CampaignPaths(tmp_path).trial(42)
    for number in (100, 9, 10):
        trial.job(number).turn(number).folder.mkdir(parents=True)
    assert [job.folder.name for job in trial.jobs] == ["job-9", "job-10", "job-100"]
    for number in (100, 9):
        trial.job(10).turn(number).folder.mkdir(parents=True)
    assert [turn.folder.name for turn in trial.job(10).turns] == ["09", "10", "100"]


def test_what_must_not_outlive_a_job_is_what_boxes_and_the_evaluator_see_of_each_turn(tmp_path: Path) -> None:
    job = CampaignPaths(tmp_path).trial(42).job(1)
    job.turn(0).folder.mkdir(parents=True)
    job.turn(1).folder.mkdir()
    hidden = [job.folder / "turns" / turn / name for turn in ("00", "01") for name in ("public", "secret")]
    assert job.staged == (*hidden, job.folder / "evaluator", job.folder / "boxes")
