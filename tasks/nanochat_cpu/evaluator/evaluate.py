"""A small CORE: `prepare` deals text and items, `dialogue` asks the serving box, `score` compares."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import box_client
import choices
import docstrings
import items
import lockstep
import serving
import verbs

ITEMS = {"core": 200, "core_reserved": 50}
"""Items per task for each metric. The text of the second is in no split, and no tool shows its score."""
HELD_BYTES = 240_000
RESERVED_BYTES = 70_000
STREAMS = 32
STEPS = 64
"""Symbols of every piece of text on which the bits per byte are counted."""


def prepare(trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
    """Deal text and make the items of every seed; the right answers go to `secret` only."""
    known = docstrings.load()
    for index in range(n_seeds):
        # Each purpose has its own generator, so what a box sees of one reveals nothing of the others.
        seeds = {purpose: f"{trial_seed}/{index}/{purpose}" for purpose in ("split", *ITEMS, "order")}
        train, held = map(_join_lines, docstrings.deal(known, seeds["split"], HELD_BYTES))
        _, reserved = map(_join_lines, docstrings.deal(known, seeds["split"], RESERVED_BYTES, reserved=True))
        streams, rest = _cut_streams(held)
        drawn = [
            (metric, item)
            for metric, text in (("core", rest), ("core_reserved", reserved))
            for item in items.make(ITEMS[metric], text, train, seeds[metric])
        ]
        (public / str(index)).mkdir(parents=True)
        (public / str(index) / "train.txt").write_text(train, "ascii")
        sheet = choices.shuffle_items(drawn, seeds["order"]) | {"streams": streams}
        (secret / f"{index}.json").write_text(json.dumps(sheet), "utf-8")


def _cut_streams(held: str) -> tuple[str, str]:
    """Cut pieces from all over the held-out text; return them and the text without them."""
    apart = len(held) // STREAMS
    parts = [held[at : at + apart] for at in range(0, apart * STREAMS, apart)]
    return "".join(part[:STEPS] for part in parts), "".join(part[STEPS:] for part in parts)


def _join_lines(side: bytes) -> str:
    """Put each paragraph on one line."""
    return "\n".join(" ".join(p.split()) for p in re.split(r"\n\s*\n", side.decode("ascii")))


def dialogue(_phase: str, index: int, talk: socket.socket, secret: Path) -> verbs.Report | None:
    """Ask the serving box everything, and keep its answers."""
    sheet = _read(secret / f"{index}.json")
    streams, _ = lockstep.split_streams(sheet["streams"].encode("ascii"), STREAMS, STEPS)
    try:
        answers = serving.ask(talk, sheet["requests"], sheet["prompts"], streams)
    except box_client.BrokenError as error:
        return verbs.fault(index, str(error))
    (secret / f"{index}.answers").write_text(json.dumps(answers), "utf-8")
    return None


def score(_sealed: Path, secret: Path) -> verbs.Report:
    """Return the mean centred accuracy over the tasks, for both sets of items, and bits per byte."""
    metrics: dict[str, list[float]] = {metric: [] for metric in (*ITEMS, "bpb")}
    for index in range(len(list(secret.glob("*.answers")))):
        sheet, answers = _read(secret / f"{index}.json"), _read(secret / f"{index}.answers")
        marks = choices.mark_answers(sheet, answers["scores"], answers["continuations"])
        for metric in ITEMS:
            metrics[metric].append(choices.centre_accuracy(marks, metric, items.BASELINES))
        metrics["bpb"].append(answers["bpb"])
    return {"metrics": metrics}


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


if __name__ == "__main__":
    verbs.run(prepare, score, dialogue)
