"""Make upstream's one-file trainer speak the phase contract: `adapt.py UPSTREAM RECIPE [--variant NAME]`.

Every change finds its place by the names that upstream uses, so that none of upstream's text stands here:
torchvision's two modules become ours, the loader takes its images from `images.py`, `main` returns the predictions of
its last inference instead of their accuracy, and the script's own start becomes `compiled()`, which `train.py` calls.
What `main` computes stays as it is.
"""

import argparse
import ast
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, TypeVar

Found = TypeVar("Found")
UPSTREAM, RECIPE = "airbench96_faster.py", "airbench96.py"
OURS = Path(__file__).parent / "files"
MORE_EPOCHS = "90.0"  # twice upstream's


def adapted(text: str, variant: str) -> str:
    """Upstream's program with our changes; exits with a line where a name is missing."""
    tree = ast.parse(text)
    lines = text.splitlines()
    changes = [*imports(tree), loading(tree), *returning(tree, lines), starting(tree, lines)]
    if variant == "stronger":
        changes.append(longer(tree, lines))
    for node, new in sorted(changes, key=lambda change: change[0].lineno, reverse=True):
        lines[node.lineno - 1 : node.end_lineno] = new
    return "\n".join(lines) + "\n"


Change = tuple[ast.stmt, list[str]]
"""A statement and the lines that replace those that it covers."""


def imports(tree: ast.Module) -> Iterator[Change]:
    """torchvision and its transforms: only a normalisation and the files are used of them."""
    found = {alias.name: node for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    yield expect(found.get("torchvision"), "import torchvision"), ["import images"]
    transforms = expect(found.get("torchvision.transforms"), "import torchvision.transforms")
    yield transforms, [f"import transforms as {transforms.names[0].asname or 'transforms'}"]


def loading(tree: ast.Module) -> Change:
    """The loader's files: everything from the path of its data to the data itself."""
    maker = function(owner(tree, "InfiniteCifarLoader"), "__init__")
    first = expect(assigned(maker, "data_path"), "data_path in the loader")
    last = expect(assigned(maker, "data"), "data in the loader")
    span = ast.Pass(lineno=first.lineno, end_lineno=last.end_lineno, col_offset=first.col_offset)
    return span, [f"{' ' * first.col_offset}data = images.load(train)"]


def returning(tree: ast.Module, lines: list[str]) -> Iterator[Change]:
    """The end of `main`: logits in the place of their accuracy, which no recipe can know."""
    main = function(tree, "main")
    final = expect(assigned(main, "tta_val_acc"), "tta_val_acc in main")
    if not (isinstance(final.value, ast.Call) and isinstance(final.value.func, ast.Name)):
        missing("a call that sets tta_val_acc in main")
    expect(function(tree, "infer"), "infer")
    loop = expect(next((n for n in main.body if isinstance(n, ast.For)), None), "the loop of main")
    line, called = lines[final.lineno - 1], final.value.func
    indent = " " * final.col_offset
    yield final, [f"{indent}logits = infer{line[called.end_col_offset :]}", *lines[final.lineno : final.end_lineno]]
    back = expect(next((n for n in main.body if isinstance(n, ast.Return)), None), "the return of main")
    yield back, [f"{' ' * back.col_offset}return logits.argmax(1)"]
    # Only set within the loop, though never read before: a check of names takes it for undefined.
    yield loop, [f"{' ' * loop.col_offset}epoch = 0", *lines[loop.lineno - 1 : loop.end_lineno]]


def starting(tree: ast.Module, lines: list[str]) -> Change:
    """The script's start: of all it does, only what makes the models."""
    block = expect(next((n for n in tree.body if isinstance(n, ast.If)), None), "the script's start")
    made = [(name, node) for node in block.body if isinstance(node, ast.Assign)
            for name in [root(node.targets[0])] if name.startswith("model_")]  # fmt: skip
    names = list(dict.fromkeys(name for name, _ in made))
    wanted = [argument.arg for argument in function(tree, "main").args.args if argument.arg.startswith("model_")]
    if names != wanted:
        missing(f"the models {', '.join(wanted)} in the script's start")
    body = [line for _, node in made for line in lines[node.lineno - 1 : node.end_lineno]]
    return block, ["def compiled():", *body, f"    return {', '.join(names)}"]


def longer(tree: ast.Module, lines: list[str]) -> Change:
    """More epochs, in the table of hyperparameters."""
    node = expect(assigned(tree, "hyp"), "hyp")
    value = entry(entry(node.value, "opt"), "train_epochs")
    row = value.lineno - node.lineno
    new = lines[node.lineno - 1 : node.end_lineno]
    new[row] = new[row][: value.col_offset] + MORE_EPOCHS + new[row][value.end_col_offset :]
    return node, new


def entry(table: ast.expr, key: str) -> ast.expr:
    """The value of a key in a literal table."""
    pairs = zip(table.keys, table.values, strict=True) if isinstance(table, ast.Dict) else ()
    return expect(next((v for k, v in pairs if isinstance(k, ast.Constant) and k.value == key), None), f"hyp's {key}")


def root(target: ast.expr) -> str:
    """The variable that an assignment changes or makes; empty where it is none."""
    while isinstance(target, ast.Attribute | ast.Subscript):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""


def assigned(owner: ast.Module | ast.FunctionDef, name: str) -> ast.Assign | None:
    """The first statement of a body that sets a variable."""
    return next((n for n in owner.body if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)
                 and n.targets[0].id == name), None)  # fmt: skip


def function(place: ast.Module | ast.ClassDef, name: str) -> ast.FunctionDef:
    """A function by its name."""
    return expect(next((n for n in place.body if isinstance(n, ast.FunctionDef) and n.name == name), None), name)


def owner(tree: ast.Module, name: str) -> ast.ClassDef:
    """A class by its name."""
    return expect(next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name), None), name)


def expect(found: Found | None, what: str) -> Found:
    """What was looked for, or the end."""
    return missing(what) if found is None else found


def missing(what: str) -> NoReturn:
    """End with the line that a person can act on."""
    sys.exit(f"{UPSTREAM} has no {what}: this adapter fits the commit that task.toml pins, and no other")


def main() -> None:
    """Fill the recipe's folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("upstream", type=Path)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--variant", default="")
    given = parser.parse_args()
    text = (given.upstream / UPSTREAM).read_text("utf-8")
    (given.recipe / RECIPE).write_text(adapted(text, given.variant), "utf-8")
    shutil.copyfile(given.upstream / "LICENSE", given.recipe / "LICENSE")
    for file in OURS.glob("*.py"):
        body = file.read_text("utf-8")
        if file.name == "train.py" and given.variant == "paper":
            body = body.replace("WARMUP_EPOCHS = 2", "WARMUP_EPOCHS = 0")  # on the paper's clock warm-up is no gift
        (given.recipe / file.name).write_text(body, "utf-8")


if __name__ == "__main__":
    main()
