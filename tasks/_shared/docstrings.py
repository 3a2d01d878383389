"""The text of the text tasks: scikit-learn's docstrings as ASCII, no paragraph twice, dealt anew by a secret seed."""

import ast
import hashlib
import importlib.util
import inspect
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

SHA256 = "1d1cedc18d7a37c226db6dc1b400ee4752ec61b03f1c77f11e0a6b33fdaaf1cf"
RELEASE = "1.9.1"
LEAST = 20  # characters of a paragraph that is worth keeping
RESERVED = 110_000  # least bytes that no search ever sees, for a last measurement of its winner
OWNERS = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def deal(docstrings: list[bytes], seed: str, held_bytes: int, *, reserved: bool = False) -> tuple[bytes, bytes]:
    """Training text and at least `held_bytes` of other docstrings, from the reserved ones or from all others."""
    kept, rest = _cut(docstrings, "reserved", RESERVED)
    held, train = _cut(kept if reserved else rest, seed, held_bytes)
    return b"".join(rest if reserved else train), b"".join(held)


def load() -> list[bytes]:
    """Every docstring, less the paragraphs that an earlier one holds too; a split never cuts one."""
    spec = importlib.util.find_spec("sklearn")
    if spec is None or spec.origin is None:
        sys.exit("the evaluator's interpreter lacks scikit-learn, whose docstrings are the data: install it there")
    seen: set[str] = set()
    found = [block for raw in _sources(Path(spec.origin).parent) if (block := _unseen(raw, seen))]
    if (digest := hashlib.sha256(b"\0".join(found)).hexdigest()) != SHA256:
        sys.exit(
            f"the docstrings of {spec.origin} have sha256 {digest}, expected {SHA256}: scores on other text are not "
            f"comparable; install scikit-learn=={RELEASE} for the evaluator"
        )
    return found


def _sources(root: Path) -> Iterator[str]:
    """Docstrings in a fixed order; `externals` is copied from packages that boxes may have."""
    for file in sorted(root.rglob("*.py")):
        if {"tests", "externals"}.isdisjoint(file.relative_to(root).parts):
            for node in ast.walk(ast.parse(file.read_bytes())):
                if isinstance(node, OWNERS) and (text := ast.get_docstring(node, clean=False)):
                    yield inspect.cleandoc(text)


def _unseen(docstring: str, seen: set[str]) -> bytes:
    kept: list[str] = []
    for paragraph in re.split(r"\n\s*\n", docstring):
        words = " ".join(paragraph.split())
        if len(words) >= LEAST and words not in seen:
            seen.add(words)
            kept.append(paragraph.strip("\n") + "\n\n")
    return "".join(kept).encode("ascii", "replace")


def _cut(blocks: list[bytes], seed: str, least: int) -> tuple[list[bytes], list[bytes]]:
    """Random blocks with at least that many bytes together, and all others, both in random order."""
    order = random.Random(seed).sample(blocks, len(blocks))  # noqa: S311 - a secret seed, no key
    size, n = 0, 0
    while size < least:
        size, n = size + len(order[n]), n + 1
    return order[:n], order[n:]
