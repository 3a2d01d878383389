"""Small data as a user of nanochat_d12 brings it: shards, a tokenizer and a CORE bundle in their real formats."""

import functools
import json
import pickle
import random
from pathlib import Path
from typing import Any

import pytest

pyarrow: Any = pytest.importorskip("pyarrow")
parquet: Any = pytest.importorskip("pyarrow.parquet")
tiktoken: Any = pytest.importorskip("tiktoken")

NOUNS = ["bird", "cat", "dog", "fish", "grass", "hat", "ice", "jar", "king", "moon", "night", "ocean", "pear", "queen"]
WORDS = ["a", *NOUNS, "eats", "green", "red", "star", "tree"]
MERGES = [b" a", b"re", b"gre", b"gree", b"green", b" green", b"at", b" cat", b"og", b" dog", b"in", b"ng", b"ing"]
SPECIAL = ["bos", "user_start", "user_end", "assistant_start", "assistant_end"]
PATTERN = r" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+"
TASKS = """\
# as in the real file: a list of flat tables
icl_tasks:
-
  label: pick_zeroshot
  dataset_uri: symbolic/pick.jsonl
  num_fewshot: [0]
  icl_task_type: multiple_choice
- label: pick
  dataset_uri: symbolic/pick.jsonl
  num_fewshot: [2]
  icl_task_type: multiple_choice
  continuation_delimiter: "\\nAnswer: " # this separates questions from answers
-
  label: who
  dataset_uri: language/who.jsonl
  num_fewshot: [0]
  icl_task_type: schema
-
  label: who_solved
  dataset_uri: language/who.jsonl
  num_fewshot: [1]
  icl_task_type: schema
  continuation_delimiter: ' '
-
  label: follow
  dataset_uri: language/follow.jsonl
  num_fewshot: [1]
  icl_task_type: language_modeling
  has_categories: false
"""
BASELINES = {"pick_zeroshot": 25.0, "pick": 25.0, "who": 50.0, "who_solved": 50.0, "follow": 0.0}


@functools.cache
def encoding(vocabulary: int = 0) -> Any:
    """A byte-level tokenizer with a few merges, as nanochat's own scripts make it, padded with unused tokens."""
    known = [bytes([byte]) for byte in range(256)] + MERGES
    known += [f"unused {n}".encode() for n in range(vocabulary - len(known) - len(SPECIAL))]
    ranks = {token: rank for rank, token in enumerate(known)}
    special = {f"<|{name}|>": len(ranks) + n for n, name in enumerate(SPECIAL)}
    return tiktoken.Encoding("rustbpe", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)


def make(raw: Path, shards: int = 3, picks: int = 512, documents: int = 120, vocabulary: int = 0) -> Path:
    """Write all below `raw`. The last shard is held out, and `token_bytes.pt` is a placeholder: see `byte_table`."""
    rng = random.Random(0)
    (raw / "base_data_climbmix").mkdir(parents=True)
    for number in range(shards):
        table = pyarrow.table({"text": [_document(rng) for _ in range(documents)]})
        parquet.write_table(
            table, raw / "base_data_climbmix" / f"shard_{number:05}.parquet", row_group_size=documents // 2
        )
    (raw / "tokenizer").mkdir()
    (raw / "tokenizer" / "tokenizer.pkl").write_bytes(pickle.dumps(encoding(vocabulary)))
    (raw / "tokenizer" / "token_bytes.pt").touch()
    bundle = raw / "eval_bundle"
    for name, rows in _items(rng, picks).items():
        (bundle / "eval_data" / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / "eval_data" / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (bundle / "core.yaml").write_text(TASKS, "utf-8")
    table = ["Eval Task,Task Category,Random baseline", *(f"{name},x,{b}" for name, b in BASELINES.items())]
    (bundle / "eval_meta_data.csv").write_text("\n".join(table) + "\n", "utf-8")
    (raw / "SYNTHETIC").touch()
    return raw


def byte_table(raw: Path) -> None:
    """Write upstream's `token_bytes.pt`, which the evaluator passes on and upstream's training script reads."""
    torch: Any = pytest.importorskip("torch")
    made = pickle.loads((raw / "tokenizer" / "tokenizer.pkl").read_bytes())  # noqa: S301 - our own
    lengths = [len(made.decode_single_token_bytes(n)) * (n < made.n_vocab - len(SPECIAL)) for n in range(made.n_vocab)]
    torch.save(torch.tensor(lengths, dtype=torch.int32), raw / "tokenizer" / "token_bytes.pt")


def _document(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, weights=range(len(WORDS), 0, -1), k=rng.randint(5, 40))) + "."


def _items(rng: random.Random, picks: int) -> dict[str, list[dict[str, Any]]]:
    """Items of CORE's three kinds; the number makes every question different."""

    def some(count: int) -> list[str]:
        return rng.sample(WORDS, count)

    pick = [
        {"query": f"{n}: the {' '.join(some(2))} é", "choices": some(4), "gold": rng.randrange(4)} for n in range(picks)
    ]
    who = [
        {"context_options": [f"{n} the {a}", f"{n} the {b}"], "continuation": f"is {' '.join(some(2))}", "gold": n % 2}
        for n, (a, b) in enumerate(some(2) for _ in range(200))
    ]
    follow = [{"context": f" {n} and cat{' ' * (n % 2)}", "continuation": rng.choice(["a", "bird"])} for n in range(20)]
    return {"symbolic/pick.jsonl": pick, "language/who.jsonl": who, "language/follow.jsonl": follow}
