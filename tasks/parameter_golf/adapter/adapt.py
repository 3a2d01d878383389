"""Make the starting recipe of upstream's record: `adapt.py UPSTREAM RECIPE [--variant NAME]`.

The record is one line that unpacks and runs itself. It is unpacked here without running it, its program is written
out over lines, and what the evaluator owns now (validation, byte counting, prediction) is taken out by name. Our
files beside it speak the phases' contract and use what is left by name.
"""

import argparse
import ast
import base64
import lzma
import shutil
import sys
from pathlib import Path

SOURCE = "records/track_10min_16mb/2026-04-09_SP8192_3LayerRecur_ParResid_QK525_LegalTTT/train_gpt.py"
SETTINGS = {"seed": 0, "qk_gain_init": 5.25, "ttt_enabled": True, "val_loss_every": 0}
"""What the record sets on its command line, and that nothing is validated in training."""
OURS = {
    "ValidationData",
    "build_sentencepiece_luts",
    "load_validation_tokens",
    "eval_val_sliding",
    "eval_val_ttt",
    "timed_eval",
    "load_data_shard",
}
OURS |= {"train_and_eval", "main", "serialize", "_loss_bpb"}
"""Definitions of upstream's that the evaluator or our files stand for."""
USED = {"Hyperparameters", "GPT", "ShuffledSequenceLoader", "train_model", "collect_hessians", "gptq_mixed_quantize"}
USED |= {"gptq_quantize_weight", "deserialize", "_compress", "eval_val", "log"}
"""What our files use."""
RANKS = {"RANK", "WORLD_SIZE", "LOCAL_RANK"}
"""Read from the environment still: our files set them."""
SECONDS = {"one_gpu": 4800, "short": 60}
"""Of training, where a variant has others."""


class _Adapter(ast.NodeTransformer):
    """Take out by name, and put values in where the environment was asked."""

    def __init__(self) -> None:
        self.settings: set[str] = set()

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = [part for part in node.body if not self._goes(part)]
        self.generic_visit(node)
        return node

    def _goes(self, part: ast.stmt) -> bool:
        if isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            return part.name in OURS
        return isinstance(part, ast.If) and "__main__" in ast.unparse(part.test)

    def visit_Import(self, node: ast.Import) -> ast.Import:
        node.names = [name for name in node.names if name.name != "sentencepiece"]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.module == "flash_attn_interface":
            node.module = "attention"
            node.names = [ast.alias("attend", node.names[0].asname)]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if node.name == "eval_val":
            node.body = ast.parse("return (math.nan, math.nan)").body
        else:
            self.generic_visit(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        if node.name != "Hyperparameters":
            self.generic_visit(node)
            return node
        for part in node.body:
            if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
                self._set(part, part.targets[0].id)
        return node

    def _set(self, part: ast.Assign, name: str) -> None:
        value = _default(part.value)
        if name in SETTINGS:
            self.settings.add(name)
            value = SETTINGS[name]
        if value is not None:
            part.value = ast.Constant(value)


def main() -> None:
    """Write the recipe, or say in one line what upstream's file lacks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("upstream", type=Path)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--variant", default="")
    given = parser.parse_args()
    tree = parsed(unpacked((given.upstream / SOURCE).read_text("utf-8")))
    names = {part.name for part in tree.body if isinstance(part, (ast.FunctionDef, ast.ClassDef))}
    if lost := sorted((USED | OURS) - names):
        sys.exit(f"{SOURCE} does not define {', '.join(lost)}: this is another program than the pinned one")
    adapter = _Adapter()
    adapter.visit(tree)
    if lost := sorted(set(SETTINGS) - adapter.settings):
        sys.exit(f"{SOURCE}: Hyperparameters has no {', '.join(lost)}: this is another program than the pinned one")
    program = ast.unparse(ast.fix_missing_locations(tree))
    (given.recipe / "train_gpt.py").write_text(f"{licence(given.upstream)}\n{program}\n", "utf-8")
    for path in sorted(Path(__file__).with_name("files").glob("*.py")):
        shutil.copyfile(path, given.recipe / path.name)
    if seconds := SECONDS.get(given.variant):
        _respend(given.recipe / "train.py", seconds)


def licence(upstream: Path) -> str:
    """Upstream's licence and where the program is from, as comments: they weigh nothing."""
    lines = [f"Made of {SOURCE} by adapter/adapt.py", "", *(upstream / "LICENSE").read_text("utf-8").splitlines()]
    return "\n".join(f"# {line}".rstrip() for line in lines)


def unpacked(program: str) -> str:
    """The program that a self-extracting one holds; it is not run."""
    found = [node.value for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Constant)]
    texts = [value for value in found if isinstance(value, str) and len(value) > 1000]
    if len(texts) != 1:
        sys.exit(f"{SOURCE} has {len(texts)} long strings, 1 was expected: it is packed in another way")
    try:
        body = base64.b85decode(texts[0])
        return lzma.decompress(body, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2}]).decode()
    except (ValueError, lzma.LZMAError) as error:
        sys.exit(f"{SOURCE} can't be unpacked: {error}")


def parsed(program: str) -> ast.Module:
    """The program's tree, also under a Python (3.11) that knows no quotes within an f-string's braces as around it."""
    lines = program.splitlines()
    for _ in lines:
        try:
            return ast.parse("\n".join(lines))
        except SyntaxError as error:
            here = (error.lineno or 1) - 1
            other = _requoted(lines[here])
            if other == lines[here]:
                sys.exit(f"{SOURCE}, unpacked, line {here + 1}: {error.msg}")
            lines[here] = other
    sys.exit(f"{SOURCE}, unpacked, can't be parsed")


def _requoted(line: str) -> str:
    """Double quotes within the braces of f"..." as single ones."""
    out, depth, inside = "", 0, False
    for at, char in enumerate(line):
        if char == '"' and depth == 0:
            inside = not inside and line[at - 1 : at] == "f"
        elif inside and char in "{}":
            depth += 1 if char == "{" else -1
        out += "'" if char == '"' and depth else char
    return out


def _default(value: ast.expr) -> object:
    """The value of a setting where the environment does not have it; None for what is computed, or a rank."""
    asked = [
        node for node in ast.walk(value) if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.environ.get"
    ]
    if len(asked) != 1 or not all(isinstance(part, ast.Constant) for part in asked[0].args):
        return None
    key, default = (part.value for part in asked[0].args)
    if key in RANKS:
        return None
    kinds = [node.func.id for node in ast.walk(value) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    for kind in reversed(kinds):
        default = {"int": int, "float": float, "bool": bool}[kind](default)
    return default


def _respend(path: Path, seconds: int) -> None:
    """Give a start as many seconds as its variant has."""
    old = path.read_text("utf-8")
    head = "CLOCK_S = 600"
    if old.count(head) != 1:
        sys.exit(f"{path.name} has no line {head}")
    path.write_text(old.replace(head, f"CLOCK_S = {seconds}"), "utf-8")


if __name__ == "__main__":
    main()
