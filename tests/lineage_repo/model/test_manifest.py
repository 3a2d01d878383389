import json
from pathlib import Path

import pytest

from lineage_repo.errors import TaskError
from lineage_repo.model.manifest import Task
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from tests.conftest import MakeTask


@pytest.mark.parametrize("name", ["toy", "airbench_cpu", "nanochat_cpu", "parameter_golf_cpu"])
def test_a_built_in_task_loads_and_its_start_has_no_syntax_problem(name: str) -> None:
    from mcp_server.trial.preflight import preflight

    folder = find_task(name)
    assert preflight(folder.task, folder.read_start()) is None


def test_an_unknown_key_is_refused_with_the_key_that_was_meant(make_task: MakeTask) -> None:
    with pytest.raises(TaskError, match=r"objective\.directon: unknown key; did you mean 'direction'\?"):
        make_task(objective={"directon": "lower"})


def test_a_gate_on_a_metric_that_nobody_measures_is_refused(make_task: MakeTask) -> None:
    with pytest.raises(TaskError, match="'speed', which nobody measures; measured: seconds"):
        make_task(gates=[{"metric": "speed", "at_most": 1.0}])


def test_a_missing_evaluator_is_refused_by_its_path(make_task: MakeTask) -> None:
    with pytest.raises(TaskError, match=r"evaluator\.program: .*nowhere\.py does not exist"):
        make_task(evaluator={"program": "nowhere.py"})


def test_a_folder_without_a_manifest_is_refused_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="espalier task list"):
        TaskFolder.load(tmp_path)


def test_an_unknown_task_name_lists_the_built_in_ones() -> None:
    with pytest.raises(TaskError, match=r"airbench_cpu, .*toy"):
        find_task("airbench")


def test_a_phase_cannot_see_an_artifact_that_no_earlier_phase_makes(make_task: MakeTask) -> None:
    raw = make_task().task.model_dump(mode="json", exclude_none=True)
    with pytest.raises(TaskError, match="no earlier phase makes"):
        make_task(phases=[raw["phases"][1]])


def test_the_schema_is_json_that_forbids_unknown_keys() -> None:
    assert json.loads(json.dumps(Task.model_json_schema()))["additionalProperties"] is False


def test_shared_evaluator_code_is_part_of_the_evaluators_digest(make_task: MakeTask) -> None:
    without, with_it = make_task(evaluator={"shared": []}), make_task(evaluator={"shared": ["verbs.py"]})
    assert set(with_it.evaluator()) - set(without.evaluator()) == {"verbs.py"}
    assert with_it.digests()["evaluator"] != without.digests()["evaluator"]


def test_shared_code_that_does_not_exist_is_named(make_task: MakeTask) -> None:
    with pytest.raises(TaskError, match=r"evaluator\.shared: .*_shared has no verb\.py"):
        make_task(evaluator={"shared": ["verb.py"]})
