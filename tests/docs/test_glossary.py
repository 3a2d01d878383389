"""The glossary of docs/design.md: every public class that packages share, and no term that the code lacks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("lineage_repo", "mcp_server", "agent_client")


def parse_modules(*packages: str) -> Iterator[ast.Module]:
    """The syntax tree of every module of the packages."""
    for package in packages:
        for path in (ROOT / package).rglob("*.py"):
            yield ast.parse(path.read_text("utf-8"))


def glossary_terms() -> set[str]:
    """What the first column of the tables of section 3 has in backticks."""
    section = (ROOT / "docs" / "design.md").read_text("utf-8").split("\n## 3.")[1].split("\n## ")[0]
    cells = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    return {term for cell in cells for term in re.findall(r"`([^`]+)`", cell)}


def defined_classes(tree: ast.Module) -> set[str]:
    """Classes and named types at the top of a module."""
    names = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in names if re.fullmatch(r"[A-Z]\w*[a-z]\w*", name)}


def defined_fields(tree: ast.Module) -> set[str]:
    """Annotated fields of every class of a module."""
    return {
        field.target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def shared_names() -> set[str]:
    """What `mcp_server` and `agent_client` import from `lineage_repo`, and what the latter exports."""
    names = {
        alias.name
        for tree in parse_modules("mcp_server", "agent_client")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lineage_repo"
        for alias in node.names
    }
    exports = ast.parse((ROOT / "lineage_repo" / "__init__.py").read_text("utf-8"))
    for node in ast.walk(exports):
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            names |= set(ast.literal_eval(node.value))
    return names


def test_every_class_that_packages_share_is_in_the_glossary() -> None:
    classes = {name for tree in parse_modules("lineage_repo") for name in defined_classes(tree)}
    missing = (shared_names() & classes) - glossary_terms()
    assert not missing, f"add to the tables of docs/design.md section 3: {sorted(missing)}"


def test_every_term_of_the_glossary_exists_in_the_code() -> None:
    trees = list(parse_modules(*PACKAGES))
    known = {name for tree in trees for name in defined_classes(tree) | defined_fields(tree)}
    terms = glossary_terms()
    assert len(terms) > 40
    assert terms <= known, f"the code has no {sorted(terms - known)}"
