"""The text of the text tasks: scikit-learn's docstrings as ASCII, each paragraph once, dealt by a secret seed."""

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
LEAST = 20  # characters that a paragraph needs to be kept
RESERVED = 110_000  # least bytes that no search ever sees, for a last measurement of its winner
OWNERS = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def deal(docstrings: list[bytes], seed: str, held_bytes: int, *, reserved: bool = False) -> tuple[bytes, bytes]:
    """Return training text and at least `held_bytes` of other docstrings, from the reserved ones or from all others."""
    kept, rest = _cut(docstrings, "reserved", RESERVED)
    held, train = _cut(kept if reserved else rest, seed, held_bytes)
    return b"".join(rest if reserved else train), b"".join(held)


def load() -> list[bytes]:
    """Load every docstring without the paragraphs of earlier ones; a split never cuts one."""
    spec = importlib.util.find_spec("sklearn")
    if spec is None or spec.origin is None:
        sys.exit("the evaluator's interpreter lacks scikit-learn, whose docstrings are the data: install it there")
    seen: set[str] = set()
    blocks = [block for raw in _read_docstrings(Path(spec.origin).parent) if (block := _drop_seen(raw, seen))]
    if (digest := hashlib.sha256(b"\0".join(blocks)).hexdigest()) != SHA256:
        sys.exit(
            f"the docstrings of {spec.origin} have sha256 {digest}, expected {SHA256}: scores on other text are not "
            f"comparable; install scikit-learn=={RELEASE} for the evaluator"
        )
    return blocks


def _read_docstrings(root: Path) -> Iterator[str]:
    """Yield docstrings in a fixed order, without `externals`, copies of packages that boxes may have."""
    for file in sorted(root.rglob("*.py")):
        if {"tests", "externals"}.isdisjoint(file.relative_to(root).parts):
            for node in ast.walk(ast.parse(file.read_bytes())):
                if isinstance(node, OWNERS) and (text := ast.get_docstring(node, clean=False)):
                    yield inspect.cleandoc(text)


def _drop_seen(docstring: str, seen: set[str]) -> bytes:
    kept: list[str] = []
    for paragraph in re.split(r"\n\s*\n", docstring):
        words = " ".join(paragraph.split())
        if len(words) >= LEAST and words not in seen:
            seen.add(words)
            kept.append(paragraph.strip("\n") + "\n\n")
    return "".join(kept).encode("ascii", "replace")


def _cut(blocks: list[bytes], seed: str, least: int) -> tuple[list[bytes], list[bytes]]:
    """Return random blocks with at least `least` bytes together, and all others, both in random order."""
    order = random.Random(seed).sample(blocks, len(blocks))  # noqa: S311 - a secret seed, not a key
    size, n = 0, 0
    while size < least:
        size, n = size + len(order[n]), n + 1
    return order[:n], order[n:]
