"""What others may build on: the exported names, the example that uses them, and the examples in docstrings."""

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import agent_client
import lineage_repo
import mcp_server
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.claims import Claims
from tests.support.trials import submit

ROOT = Path(__file__).parents[2]
ROOMS = ("text", "model", "storage", "verdict", "task", "record", "verification", "prompting")
MODULES = sorted(
    module.name
    for room in ROOMS
    for module in pkgutil.iter_modules([str(ROOT / "lineage_repo" / room)], f"lineage_repo.{room}.")
)
DOCTESTED = [name for name in MODULES if ">>> " in inspect.getsource(importlib.import_module(name))]


@pytest.mark.parametrize("package", [lineage_repo, mcp_server, agent_client], ids=lambda package: package.__name__)
def test_every_exported_name_has_a_docstring_of_its_own(package: object) -> None:
    exported = {name: getattr(package, name) for name in getattr(package, "__all__")}  # noqa: B009 - not typed
    assert exported
    assert [name for name, value in exported.items() if not (value.__dict__.get("__doc__") or value.__doc__)] == []
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        getattr(package, "nonsense")  # noqa: B009 - not typed


def test_importing_the_packages_loads_nothing_else() -> None:
    code = "import agent_client, lineage_repo, mcp_server, sys; print(sorted(m for m in sys.modules if '.' in m))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = [name for name in ("pydantic", "lineage_repo.", "mcp_server.", "agent_client.") if name in done.stdout]
    assert loaded == []


def test_the_example_reads_a_campaign_and_any_clone_of_it(campaign: Campaign, tmp_path: Path) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.01)
    submit(lineage, 0.9, body=b"x = 2\n")
    submit(lineage, body=b"x = 3\n")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", campaign.paths.repository, clone], check=True)
    outputs = {_read(campaign.folder), _read(clone)}
    gain = Claims(lineage).of(1).gain
    assert gain
    proven = f"0001  gain {lineage.task.objective.gain_text(gain)}  observed"
    counts = "baseline: 1\nkeep: 1\ndiscard: 1\ncrash: 1\n"
    assert outputs == {f"head: {proven}\nanchor: 0000  the start\n{counts}keeps:\n  {proven}  try x\n"}


def test_the_example_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    done = _run(tmp_path)
    assert (done.returncode, done.stderr) == (1, f"{tmp_path} is neither a campaign nor a clone of a lineage\n")


def _read(directory: Path) -> str:
    done = _run(directory)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _run(directory: Path) -> subprocess.CompletedProcess[str]:
    example = ROOT / "examples" / "read_lineage.py"
    command = [sys.executable, str(example), str(directory)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", DOCTESTED)
def test_the_examples_in_docstrings_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_examples_stand_in_the_rooms_of_pure_functions() -> None:
    assert {name.split(".")[1] for name in DOCTESTED} >= {"text", "model", "storage", "verdict"}
