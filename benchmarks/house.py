"""The shape of the code, and how fast its commands start: `python -m benchmarks.house [ROOT ...] [--runs N] [--json]`.

Each ROOT is a checkout (default: this one). Several are measured in one run, their commands started in turn, so that
two versions can be compared on a noisy machine.
"""

import ast
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

PACKAGES = ("lineage_repo", "mcp_server", "agent_client")


class Module(NamedTuple):
    """One parsed file."""

    name: str
    text: str
    tree: ast.Module


def read_modules(root: Path) -> dict[str, Module]:
    """Every module of the three packages by its dotted name."""
    modules: dict[str, Module] = {}
    for path in sorted(p for package in PACKAGES for p in (root / package).rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text("utf-8")
        modules[name] = Module(name, text, ast.parse(text))
    return modules


def find_imports(module: Module, names: Iterable[str]) -> dict[str, bool]:
    """Modules of `names` that this one imports, anywhere in it; True where a string in `import_module` hides it."""
    known, imports = set(names), dict[str, bool]()
    for node in ast.walk(module.tree):
        match node:
            case ast.ImportFrom(module=str(origin)):
                for alias in node.names:
                    target = f"{origin}.{alias.name}" if f"{origin}.{alias.name}" in known else origin
                    imports.setdefault(target, False)
            case ast.Import():
                for alias in node.names:
                    imports.setdefault(alias.name, False)
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(target)), *_]):
                imports.setdefault(target, True)
            case _:
                pass
    return {name: hidden for name, hidden in imports.items() if name in known and name != module.name}


def find_circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or not (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    circles: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph[node]):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                circles.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return circles


def count_upward(root: Path, graph: dict[str, set[str]]) -> int | None:
    """Imports against the layers that pyproject.toml declares; None where it declares none."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8")).get("tool", {}).get("importlinter")
    if settings is None:
        return None
    upward = 0
    for contract in settings["contracts"]:
        containers: list[str] = contract.get("containers", [""]) if contract["type"] == "layers" else []
        for container in containers:
            prefix = f"{container}." if container else ""
            height = {
                prefix + name.strip(): -level
                for level, layer in enumerate(contract["layers"])
                for name in layer.split("|")
            }
            for source, targets in graph.items():
                for target in targets:
                    low, high = _height(source, height), _height(target, height)
                    upward += low is not None and high is not None and high > low
    return upward


def _height(module: str, height: dict[str, int]) -> int | None:
    rooms = [room for room in height if module == room or module.startswith(f"{room}.")]
    return height[max(rooms, key=len)] if rooms else None


def count_lines(modules: Iterable[Module]) -> dict[str, int]:
    """Lines by kind: docstring, import, blank, comment, and code for the rest."""
    counts: dict[str, int] = dict.fromkeys(("code", "docstring", "import", "blank", "comment"), 0)
    for module in modules:
        kinds = {number: kind for node in ast.walk(module.tree) for number, kind in _spans(node)}
        for number, line in enumerate(module.text.splitlines(), 1):
            bare = line.strip()
            kind = kinds.get(number, "blank" if not bare else "comment" if bare.startswith("#") else "code")
            counts[kind] += 1
    return counts


def _spans(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Import() | ast.ImportFrom():
            kind = "import"
        case ast.Expr(value=ast.Constant(value=str())):
            kind = "docstring"
        case _:
            return
    yield from ((number, kind) for number in range(node.lineno, (node.end_lineno or node.lineno) + 1))


def measure_shape(root: Path) -> dict[str, Any]:
    """The figures of one checkout."""
    modules = read_modules(root)
    imports = {name: find_imports(module, modules) for name, module in modules.items()}
    graph = {name: set(targets) for name, targets in imports.items()}
    functions = [
        node
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = sorted((f.end_lineno or f.lineno) - f.lineno + 1 for f in functions)
    public = [
        node
        for module in modules.values()
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    classes = [n for m in modules.values() for n in ast.walk(m.tree) if isinstance(n, ast.ClassDef)]
    sizes = [len(m.text.splitlines()) for m in modules.values()]
    lines = count_lines(modules.values())
    return {
        "lines": sum(sizes),
        **{f"lines, {kind}": count for kind, count in lines.items()},
        "modules": len(modules),
        "rooms": len({name.rpartition(".")[0] for name in modules if "." in name}),
        "median module": statistics.median(sizes),
        "longest module": max(sizes),
        "import circles, hidden imports counted": len(find_circles(graph)),
        "own modules imported by a string": sum(hidden for found in imports.values() for hidden in found.values()),
        "upward imports": count_upward(root, graph),
        "functions": len(lengths),
        "function median": statistics.median(lengths),
        "function p90": lengths[int(len(lengths) * 0.9)],
        "longest function": lengths[-1],
        "public names with a docstring": f"{sum(ast.get_docstring(n) is not None for n in public)} of {len(public)}",
        "docstrings of five lines and more": sum(
            len((ast.get_docstring(node) or "").splitlines()) >= 5 for node in (*classes, *functions)
        ),
        "error classes": sum(c.name.endswith("Error") for c in classes),
        "signatures with dict[str, Any]": sum("dict[str, Any]" in ast.unparse(f.args) for f in functions),
    }


def measure_startup(roots: list[Path], runs: int) -> list[dict[str, float]]:
    """Median milliseconds of `espalier --help` and `espalier status` in each checkout, started in turn."""
    with tempfile.TemporaryDirectory() as scratch:
        campaigns = [Path(scratch) / str(i) for i in range(len(roots))]
        for root, campaign in zip(roots, campaigns, strict=True):
            _espalier(root, "init", str(campaign), "--task", "toy")
        seconds: dict[tuple[int, str], list[float]] = {}
        for _ in range(runs):
            for i, (root, campaign) in enumerate(zip(roots, campaigns, strict=True)):
                for name, words in (("--help", ["--help"]), ("status", ["status", str(campaign)])):
                    seconds.setdefault((i, name), []).append(_espalier(root, *words))
    return [
        {f"{name}, ms": round(1000 * statistics.median(seconds[i, name]), 1) for name in ("--help", "status")}
        for i in range(len(roots))
    ]


def _espalier(root: Path, *words: str) -> float:
    module = "lineage_repo.cli.main" if (root / "lineage_repo" / "cli").is_dir() else "lineage_repo.cli"
    program = f"import sys; sys.argv = ['espalier', *{list(words)!r}]; from {module} import main; main()"
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True, capture_output=True)
    return time.perf_counter() - begun


@click.command()
@click.argument("roots", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--runs", default=20, show_default=True, help="Starts of each command; 0 measures none.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")
def main(roots: tuple[Path, ...], runs: int, as_json: bool) -> None:
    """Measure the shape of each checkout ROOT, and how fast its commands start."""
    places = [root.resolve() for root in roots] or [Path(__file__).resolve().parents[1]]
    figures = [measure_shape(root) for root in places]
    if runs:
        for shape, startup in zip(figures, measure_startup(places, runs), strict=True):
            shape |= startup
    if as_json:
        print(json.dumps(figures, indent=1))
        return
    for name in figures[0]:
        cells = ["-" if shape[name] is None else f"{shape[name]}" for shape in figures]
        print(f"{name:42}" + "".join(f"{cell:>14}" for cell in cells))


if __name__ == "__main__":
    main()
