"""Rooms and rights: the contracts in pyproject.toml hold, and a planted violation breaks each of them."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("lineage_repo", "mcp_server", "agent_client")
OWNERS = {"mcp": "mcp_server/", "mcp_types": "mcp_server/", "claude_agent_sdk": "agent_client/", "torch": "tasks/"}


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    argv = [sys.executable, "-c", program, "--no-cache", "pyproject.toml"]
    return subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("lineage_repo/record/campaign.py", "from mcp_server.trial import job", "Three packages"),
        ("mcp_server/tools/replies.py", "from agent_client.brief import message", "Three packages"),
        ("lineage_repo/model/roster.py", "from lineage_repo.cli import output", "Rooms of the record"),
        ("mcp_server/sandbox/box.py", "from mcp_server.trial import queue", "Rooms of the server"),
        ("agent_client/brief/message.py", "from agent_client.loop import news", "Rooms of the client"),
        ("lineage_repo/model/measurement.py", "from lineage_repo.model import ledger", "No circle"),
        ("lineage_repo/record/lineage.py", "import git", "Git is run"),
    ],
)
def test_a_planted_violation_breaks_its_contract(tmp_path: Path, module: str, line: str, contract: str) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    planted = tmp_path / module
    planted.write_text(f"{planted.read_text('utf-8')}\n{line}\n", "utf-8")
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    assert re.search(rf"{contract}[^\n]*(\n[^\n]+)?BROKEN", result.stdout), result.stdout


def imports(path: Path) -> set[str]:
    """First names of what a file imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_every_outside_dependency_has_one_owner() -> None:
    for path in [p for folder in (*PACKAGES, "tasks") for p in (ROOT / folder).rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        wrong = {owned for owned in imports(path) & OWNERS.keys() if not name.startswith(OWNERS[owned])}
        assert not wrong, f"{name} imports {wrong}"


def test_no_own_module_is_imported_by_a_string_but_by_the_table_of_commands() -> None:
    pattern = re.compile(rf"import_module\(\s*[\"'](?:{'|'.join(PACKAGES)})\b")
    for path in [p for package in PACKAGES for p in (ROOT / package).rglob("*.py")]:
        assert not pattern.search(path.read_text("utf-8")), path


def test_tasks_and_knowledge_are_data_and_not_packages() -> None:
    assert not list((ROOT / "tasks").glob("**/__init__.py"))
    assert not list((ROOT / "knowledge").glob("**/*.py"))


def test_bubblewraps_arguments_are_written_in_one_module() -> None:
    users = [p.name for p in (ROOT / "mcp_server").rglob("*.py") if '"--ro-bind"' in p.read_text("utf-8")]
    assert users == ["bwrap_args.py"]
