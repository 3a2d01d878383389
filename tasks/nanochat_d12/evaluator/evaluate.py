"""NanoChat at depth 12: `data` lays out what a user brings, `dialogue` asks one serving box after another."""

import json
import socket
from pathlib import Path
from typing import Any

import blocks
import box_client
import choices
import core
import layout
import lockstep
import numpy as np
import parts
import raw
import serving
import tokens
import verbs


def prepare(trial_seed: int, n_seeds: int, public: Path, secret: Path) -> None:
    """Give boxes the training side; deal items to serving boxes and shuffle what each is asked."""
    data = layout.prepared()
    made = _dealt(data / "hidden")
    for index in range(n_seeds):
        for file in sorted((data / "train").rglob("*")):
            if file.is_file():
                layout.link(file, public / str(index) / "train" / file.relative_to(data / "train"))
        for box in range(parts.BOXES):
            sheet = choices.shuffled(made[box], f"{trial_seed}/{index}/{box}")
            (secret / f"{index}-{box}.json").write_text(json.dumps(sheet), "utf-8")


def _dealt(hidden: Path) -> list[list[tuple[str, choices.Item]]]:
    """Items by serving box. A request is its task's number and its span's; a prompt also has how many tokens follow."""
    made: list[list[tuple[str, choices.Item]]] = [[] for _ in range(parts.BOXES)]
    for number, task in enumerate(_read(hidden / "core.json")):
        with np.load(hidden / "core" / f"{number:02}.npz") as told:
            spans, items, words = told["spans"].tolist(), told["items"].tolist(), told["tokens"]
        prompts = not any(n > 1 for *_, n, _ in items)
        # As many for every prompt of the task, so that the number tells nothing of the answer.
        longest = max(length - start for _, length, start in spans)
        for reserved, box, first, options, gold in items:
            own = [(number, first + n) for n in (gold, *(n for n in range(options) if n != gold))]
            if prompts:
                at, length, start = spans[first]
                item = choices.Item(task["label"], [(*own[0], longest)], words[at + start : at + length].tolist())
            else:
                item = choices.Item(task["label"], own)
            made[box].append((core.METRICS[reserved], item))
    return made


def dialogue(phase: str, index: int, talk: socket.socket, secret: Path) -> verbs.Report | None:
    """Ask the box of `serve1` or a later one what is meant for it, and keep what it said."""
    box = int(phase.removeprefix("serve")) - 1
    hidden = layout.prepared() / "hidden"
    sheet, spans = _read(secret / f"{index}-{box}.json"), _Spans(hidden)
    requests = [spans.request(*which) for which in sheet["requests"]]
    prompts = [spans.prompt(*which) for which in sheet["prompts"]]
    try:
        said = serving.ask(talk, requests, prompts, _streams(hidden, box))
    except box_client.BrokenError as error:
        return verbs.fault(index, str(error))
    (secret / f"{index}-{box}.said").write_text(json.dumps(said._asdict()), "utf-8")
    return None


class _Spans:
    """The tokens of every request."""

    def __init__(self, hidden: Path) -> None:
        self._tasks: list[dict[str, np.ndarray]] = []
        for number, _ in enumerate(_read(hidden / "core.json")):
            with np.load(hidden / "core" / f"{number:02}.npz") as told:
                self._tasks.append({"tokens": told["tokens"], "spans": told["spans"]})

    def request(self, task: int, span: int) -> serving.Question:
        at, length, start = self._tasks[task]["spans"][span]
        return self._tasks[task]["tokens"][at : at + length], int(start)

    def prompt(self, task: int, span: int, follow: int) -> serving.Question:
        at, _, start = self._tasks[task]["spans"][span]
        return self._tasks[task]["tokens"][at : at + start], follow


def _streams(hidden: Path, box: int) -> serving.Streams:
    """The held-out text, for the first box alone; special tokens do not count."""
    table = tokens.load(hidden / "tokenizer.json")
    symbols = np.load(hidden / "streams.npy", allow_pickle=False)[: None if box == 0 else 0]
    if not len(symbols):
        symbols = symbols[:, :0]
    return serving.Streams(symbols, np.array(tokens.lengths(table))[symbols] > 0, tokens.size(table))


def score(sealed: Path, secret: Path) -> verbs.Report:
    """Mean centred accuracy for both sets of items, bits per byte, and the net's depth."""
    hidden = layout.prepared() / "hidden"
    listed: list[dict[str, Any]] = _read(hidden / "core.json")
    metrics: dict[str, list[float]] = {name: [] for name in ("core", "core_reserved", "core_paired", "bpb", "depth")}
    paired = {task["label"]: task["baseline"] for task in listed if task["core_reserved"]}
    symbols = np.load(hidden / "streams.npy", allow_pickle=False)
    text_bytes = int(np.array(tokens.lengths(tokens.load(hidden / "tokenizer.json")))[symbols].sum())
    for index in range(len(list(secret.glob("*-0.said")))):
        depth = blocks.depth(sealed / str(index) / "train" / "model.safetensors")
        if depth is None:
            return verbs.fault(index, "model.safetensors has no header of safetensors")
        right: choices.Answered = []
        nats = 0.0
        for box in range(parts.BOXES):
            sheet, said = (_read(secret / f"{index}-{box}.{kind}") for kind in ("json", "said"))
            right += choices.right(sheet, said["scores"], said["continuations"])
            nats += said["nats"]
        every = {task["label"]: task["baseline"] for task in listed}
        metrics["core"].append(choices.centred(right, "core", every))
        metrics["core_reserved"].append(choices.centred(right, "core_reserved", paired) if paired else 0.0)
        metrics["core_paired"].append(choices.centred(right, "core", paired) if paired else 0.0)
        metrics["bpb"].append(lockstep.bits(nats, text_bytes))
        metrics["depth"].append(depth)
    return {"metrics": metrics}


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


if __name__ == "__main__":
    verbs.run(prepare, score, dialogue, raw.pieces)
