"""CORE in small: `prepare` deals text and items, `dialogue` asks the serving box, `score` compares."""

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
"""Items of every task, by the metric that they count for. The second's text is in no split, and no tool shows it."""
HELD_BYTES = 240_000
RESERVED_BYTES = 70_000
STREAMS = 32
STEPS = 64
"""Symbols of every piece of text that the bits per byte are counted on."""


def prepare(trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
    """Deal text and make the items of every seed; what is right goes to `secret` only."""
    known = docstrings.load()
    for index in range(n_seeds):
        # A generator of its own for every purpose: from what a box sees of one, no other's state can be worked out.
        seeds = {what: f"{trial_seed}/{index}/{what}" for what in ("split", *ITEMS, "order")}
        train, held = map(_flat, docstrings.deal(known, seeds["split"], HELD_BYTES))
        _, reserved = map(_flat, docstrings.deal(known, seeds["split"], RESERVED_BYTES, reserved=True))
        streams, rest = _streams(held)
        made = [
            (metric, item)
            for metric, text in (("core", rest), ("core_reserved", reserved))
            for item in items.make(ITEMS[metric], text, train, seeds[metric])
        ]
        (public / str(index)).mkdir(parents=True)
        (public / str(index) / "train.txt").write_text(train, "ascii")
        sheet = choices.shuffled(made, seeds["order"]) | {"streams": streams}
        (secret / f"{index}.json").write_text(json.dumps(sheet), "utf-8")


def _streams(held: str) -> tuple[str, str]:
    """Pieces from all over the held-out text, and the text without them."""
    apart = len(held) // STREAMS
    parts = [held[at : at + apart] for at in range(0, apart * STREAMS, apart)]
    return "".join(part[:STEPS] for part in parts), "".join(part[STEPS:] for part in parts)


def _flat(side: bytes) -> str:
    """A paragraph a line."""
    return "\n".join(" ".join(p.split()) for p in re.split(r"\n\s*\n", side.decode("ascii")))


def dialogue(_phase: str, index: int, talk: socket.socket, secret: Path) -> verbs.Report | None:
    """Ask the serving box everything, and keep what it said."""
    sheet = _read(secret / f"{index}.json")
    streams, _ = lockstep.in_streams(sheet["streams"].encode("ascii"), STREAMS, STEPS)
    try:
        said = serving.ask(talk, sheet["requests"], sheet["prompts"], streams)
    except box_client.BrokenError as error:
        return verbs.fault(index, str(error))
    (secret / f"{index}.said").write_text(json.dumps(said), "utf-8")
    return None


def score(_sealed: Path, secret: Path) -> verbs.Report:
    """Mean centred accuracy over the tasks, for both sets of items, and bits per byte."""
    metrics: dict[str, list[float]] = {metric: [] for metric in (*ITEMS, "bpb")}
    for index in range(len(list(secret.glob("*.said")))):
        sheet, said = _read(secret / f"{index}.json"), _read(secret / f"{index}.said")
        right = choices.right(sheet, said["scores"], said["continuations"])
        for metric in ITEMS:
            metrics[metric].append(choices.centred(right, metric, items.BASELINES))
        metrics["bpb"].append(said["bpb"])
    return {"metrics": metrics}


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


if __name__ == "__main__":
    verbs.run(prepare, score, dialogue)
