"""Bits per byte of unseen docstrings: dealt per seed, heard in lockstep, corrected for how hard the dealt text is."""

import json
import socket
from pathlib import Path

import docstrings
import lockstep
import numpy as np
import verbs
import yardstick

STREAMS = 128
STEPS = 800
EASE = 2.705  # the yardstick's mean over splits
SLOPE = 1.3  # by how much a net's bits change with the yardstick's from one piece of text to another


def prepare(trial_seed: int, n_seeds: int, public: Path, secret: Path, *, reserved: bool = False) -> None:
    """Deal the text of each seed; boxes get the training part, `secret` the rest."""
    known = docstrings.load()
    for i in range(n_seeds):
        train, held = docstrings.deal(known, f"{trial_seed}/{i}", STREAMS * STEPS, reserved=reserved)
        symbols, dropped = lockstep.split_streams(held, STREAMS, STEPS)
        (public / str(i)).mkdir(parents=True)
        (public / str(i) / "train.txt").write_bytes(train)
        np.save(secret / f"{i}.npy", symbols)
        facts = {"dropped_bytes": dropped, "ease": yardstick.measure_bits_per_byte(train, symbols)}
        (secret / f"{i}.text").write_text(json.dumps(facts), encoding="utf-8")


def dialogue(_phase: str, seed: int, talk: socket.socket, secret: Path) -> verbs.Report | None:
    """Listen to the scorer of one seed."""
    heard = lockstep.listen(talk, np.load(secret / f"{seed}.npy", allow_pickle=False))
    if heard.broken:
        return verbs.fault(seed, heard.broken)
    (secret / f"{seed}.heard").write_text(json.dumps([heard.steps, heard.nats]), encoding="utf-8")
    return None


def score(_sealed: Path, secret: Path) -> verbs.Report:
    """Return the bits per byte of every seed, as heard (`plain_bpb`) and corrected (`bpb`)."""
    metrics: dict[str, list[float]] = {"bpb": [], "plain_bpb": [], "dropped_bytes": []}
    for i in range(len(list(secret.glob("*.text")))):
        steps, nats = json.loads((secret / f"{i}.heard").read_text("utf-8"))
        if steps < STEPS:
            return verbs.fault(i, f"the scorer ended at step {steps} of {STEPS}")
        facts = json.loads((secret / f"{i}.text").read_text("utf-8"))
        plain = lockstep.to_bits(nats, STREAMS * STEPS)
        metrics["bpb"].append(plain - SLOPE * (facts["ease"] - EASE))
        metrics["plain_bpb"].append(plain)
        metrics["dropped_bytes"].append(facts["dropped_bytes"])
    return {"metrics": metrics}


if __name__ == "__main__":
    verbs.run(prepare, score, dialogue)
