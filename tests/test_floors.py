"""Who may import whom, and who owns which outside dependency (docs/design.md section 2)."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOORS = {"lineage_repo": set[str](), "mcp_server": {"lineage_repo"}, "agent_client": {"lineage_repo"}}
OWNERS = {
    "git": "lineage_repo/storage/repository.py",
    "mcp": "mcp_server/",
    "mcp_types": "mcp_server/",
    "claude_agent_sdk": "agent_client/",
    "torch": "tasks/",
}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_no_floor_imports_the_floor_above_or_beside_it() -> None:
    for floor, allowed in FLOORS.items():
        for path in (ROOT / floor).rglob("*.py"):
            wrong = imports(path) & (FLOORS.keys() - allowed - {floor})
            assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_every_outside_dependency_has_one_owner() -> None:
    for path in [p for floor in (*FLOORS, "tasks") for p in (ROOT / floor).rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        wrong = {d for d in imports(path) & OWNERS.keys() if not name.startswith(OWNERS[d])}
        assert not wrong, f"{name} imports {wrong}"


def test_tasks_and_knowledge_are_data_and_not_packages() -> None:
    assert not list((ROOT / "tasks").glob("**/__init__.py"))
    assert not list((ROOT / "knowledge").glob("**/*.py"))


def test_bubblewraps_arguments_are_spelt_in_one_module() -> None:
    users = [p.name for p in (ROOT / "mcp_server").rglob("*.py") if '"--ro-bind"' in p.read_text("utf-8")]
    assert users == ["bwrap_args.py"]
