"""Make the starting recipe: upstream's tree, its one pinned seed replaced, and our files that speak the contract.

python -EsB adapt.py UPSTREAM RECIPE
"""

import argparse
import ast
import shutil
import sys
from pathlib import Path

KEPT = ("LICENSE", "nanochat", "scripts")
NAMES = {
    "nanochat/gpt.py": {"GPT", "GPTConfig", "init_weights", "forward", "get_device"},
    "nanochat/engine.py": {"KVCache"},
    "nanochat/common.py": {"get_base_dir", "COMPUTE_DTYPE"},
    "nanochat/checkpoint_manager.py": {"save_checkpoint"},
    "nanochat/dataset.py": {"list_parquet_files"},
    "nanochat/tokenizer.py": {"get_tokenizer", "get_token_bytes"},
}
"""What our files use of upstream's, or rely on in it."""
PINNED, DRAWN = "manual_seed(42)", 'manual_seed(int(os.environ["ESPALIER_SEED"]))'
"""A seed that never changes would show calibration less noise than a changed recipe meets, and certify nothing."""
FLAGS = (
    "run depth target-param-data-ratio max-seq-len device-batch-size matrix-lr embedding-lr unembedding-lr "
    "weight-decay warmup-steps warmdown-ratio window-pattern eval-every core-metric-every sample-every"
)


def main() -> None:
    """Check what our files rely on, then copy both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("upstream", type=Path)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--variant", help="Every variant has the same recipe.")
    given = parser.parse_args()
    for path, names in NAMES.items():
        if lost := names - _defined(_read(given.upstream / path)):
            sys.exit(f"upstream's {path} does not define {', '.join(sorted(lost))}: is it the pinned commit?")
    script = _read(given.upstream / "scripts" / "base_train.py")
    if lost := [flag for flag in FLAGS.split() if f'"--{flag}"' not in script]:
        sys.exit(f"upstream's scripts/base_train.py has no option --{lost[0]}: is it the pinned commit?")
    for name in KEPT:
        _copy(given.upstream / name, given.recipe / name)
    _copy(Path(__file__).parent / "files", given.recipe)
    _draw(given.recipe / "nanochat" / "common.py")


def _read(path: Path) -> str:
    if not path.is_file():
        sys.exit(f"{path} is missing: is it the pinned commit?")
    return path.read_text("utf-8")


def _defined(source: str) -> set[str]:
    """Names of classes, functions and methods, and what is assigned at the top level."""
    tree = ast.parse(source)
    made = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return made | {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def _draw(common: Path) -> None:
    """Draw the weights from the box's seed."""
    text = common.read_text("utf-8")
    if text.count(PINNED) != 2:
        sys.exit(f"upstream's nanochat/common.py has {text.count(PINNED)} lines with {PINNED}, not 2")
    common.write_text(text.replace(PINNED, DRAWN), "utf-8")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


if __name__ == "__main__":
    main()
