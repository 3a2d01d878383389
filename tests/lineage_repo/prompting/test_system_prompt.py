"""The system prompt: every variable is set, a wrong one is named, and its bytes never change for a role."""

from pathlib import Path

import pytest

from lineage_repo.errors import TaskError
from lineage_repo.model.objective import Gate
from lineage_repo.prompting.system_prompt import gate_text, limit_texts, prompt_variables, render, system_prompt
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task

TASKS = ("toy", "airbench_cpu", "nanochat_cpu", "parameter_golf_cpu")


def campaign_of(tmp_path: Path, task: str) -> Campaign:
    return Campaign.create(tmp_path / "campaign", find_task(task))


@pytest.mark.parametrize("task", TASKS)
def test_every_role_of_a_built_in_task_has_a_prompt(tmp_path: Path, task: str) -> None:
    campaign = campaign_of(tmp_path, task)
    for name in campaign.settings.specialists:
        assert campaign.task.title in system_prompt(campaign, name)


def test_the_prompt_of_a_role_is_the_same_bytes_in_every_campaign_and_session(tmp_path: Path) -> None:
    first, second = campaign_of(tmp_path / "a", "toy"), campaign_of(tmp_path / "b", "toy")
    name = first.settings.specialists[0]
    assert system_prompt(first, name) == system_prompt(first, name) == system_prompt(second, name)


def test_the_numbers_come_from_the_manifest(tmp_path: Path) -> None:
    campaign = campaign_of(tmp_path, "toy")
    values = prompt_variables(campaign, campaign.settings.specialists[0])
    assert values["metric"] == campaign.task.objective.metric
    assert values["n_seeds"] == str(campaign.task.n_seeds)
    assert all(f"`{phase.name}`" in values["phases"] for phase in campaign.task.phases)
    assert f"{campaign.task.limits.source_bytes:,} bytes" in values["limits"]
    assert all(text.startswith("- ") for key in ("gates", "limits", "phases") for text in values[key].splitlines())


def test_a_missing_variable_is_named_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "brief.md"
    file.write_text("at most $hours hours", encoding="utf-8")
    with pytest.raises(TaskError, match=r"brief\.md names the variable 'hours'.*metric"):
        render(file, {"metric": "loss"})


def test_a_stray_dollar_sign_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "brief.md"
    file.write_text("costs 5 $ or $metric", encoding="utf-8")
    with pytest.raises(TaskError, match=r"brief\.md.*\$\$"):
        render(file, {"metric": "loss"})


def test_a_missing_knowledge_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"roles/opt\.md does not exist"):
        render(tmp_path / "roles" / "opt.md", {})


def test_gates_and_limits_are_phrases() -> None:
    assert gate_text(Gate(metric="accuracy", at_least=0.94, rule="mean")) == (
        "`accuracy` at least 0.94 (its mean over the seeds counts)"
    )
    assert "the 99% confidence bound" in gate_text(Gate(metric="loss", at_most=3))
    assert "GPUs: 0" in limit_texts(find_task("toy").task)
