"""CORE of a table of token pairs, computed without the evaluator's code."""

import json
import random
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from tests.support.nanochat_raw import BASELINES, encoding, parquet


def pairs(raw: Path) -> np.ndarray:
    """Log-odds of each token after each other one, by the counts of the training shards, as in the recipe."""
    made = encoding()
    counts = np.ones((made.n_vocab, made.n_vocab))
    for shard in sorted((raw / "base_data_climbmix").glob("*.parquet"))[:-1]:
        for text in parquet.read_table(shard).column("text").to_pylist():
            tokens = [made.encode_single_token("<|bos|>"), *made.encode_ordinary(text)]
            for before, after in pairwise(tokens):
                counts[before, after] += 1
    return np.log(counts / counts.sum(1, keepdims=True)).astype("<f4")


def by_hand(raw: Path, odds: np.ndarray, start: int) -> dict[str, float]:
    """Accuracy of each task over the 500 items from `start` on, without the evaluator's code."""

    def rows(name: str) -> list[dict[str, Any]]:
        lines = (raw / "eval_bundle" / "eval_data" / name).read_text("utf-8").splitlines()
        items = [json.loads(line) for line in lines]
        random.Random(1337).shuffle(items)
        return items[start : start + 500]

    def told(text: str) -> list[int]:
        return [encoding().encode_single_token("<|bos|>"), *encoding().encode_ordinary(text)]

    def solved(n: int, items: list[dict[str, Any]], shots: int) -> list[dict[str, Any]]:
        others = [i for i in range(len(items)) if i != n]
        return [items[i] for i in random.Random(1234 + n).sample(others, shots)] if shots else []

    def mean(tokens: list[int], first: int) -> float:
        return fmean(float(odds[tokens[i - 1], tokens[i]]) for i in range(first, len(tokens)))

    def picked(n: int, items: list[dict[str, Any]], shots: int, delimiter: str) -> bool:
        examples = [f"{s['query']}{delimiter}{s['choices'][s['gold']]}\n\n" for s in solved(n, items, shots)]
        item = items[n]
        texts = [told("".join(examples) + item["query"] + delimiter + choice) for choice in item["choices"]]
        first = next(i for i in range(999) if len({tuple(t[: i + 1]) for t in texts}) > 1)
        scores = [mean(text, first) for text in texts]
        return [i for i, s in enumerate(scores) if s >= max(scores)] == [item["gold"]]

    def matched(n: int, items: list[dict[str, Any]], shots: int) -> bool:
        chosen = [(s["context_options"][s["gold"]], s["continuation"]) for s in solved(n, items, shots)]
        before, item = "".join(f"{context} {end}\n\n" for context, end in chosen), items[n]
        texts = [told(f"{before}{context} {item['continuation']}") for context in item["context_options"]]
        shared = next(i for i in range(999) if len({tuple(t[-i - 1 :]) for t in texts}) > 1)
        scores = [mean(text, len(text) - shared) for text in texts]
        return [i for i, s in enumerate(scores) if s >= max(scores)] == [item["gold"]]

    def followed(n: int, items: list[dict[str, Any]]) -> bool:
        (shot,) = solved(n, items, 1)
        before = f"{shot['context'].strip()} {shot['continuation']}\n\n{items[n]['context'].strip()}"
        tokens, whole = told(before), told(f"{before} {items[n]['continuation']}")
        return all(int(odds[whole[i - 1]].argmax()) == whole[i] for i in range(len(tokens), len(whole)))

    pick, who, follow = (rows(f"{name}.jsonl") for name in ("symbolic/pick", "language/who", "language/follow"))
    return {
        "pick_zeroshot": fmean(picked(n, pick, 0, " ") for n in range(len(pick))),
        "pick": fmean(picked(n, pick, 2, "\nAnswer: ") for n in range(len(pick))),
        **({"who": fmean(matched(n, who, 0) for n in range(len(who)))} if who else {}),
        **({"who_solved": fmean(matched(n, who, 1) for n in range(len(who)))} if who else {}),
        **({"follow": fmean(followed(n, follow) for n in range(len(follow)))} if follow else {}),
    }


def core_of(accuracies: dict[str, float]) -> float:
    """The mean gain over guessing."""
    guessed = {task: BASELINES[task] / 100 for task in accuracies}
    return fmean((accuracies[task] - b) / (1 - b) for task, b in guessed.items())
