"""NanoChat at depth 12: `data` lays out the user's data, `dialogue` asks one serving box after the other."""

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
    """Give boxes the training side; deal items to serving boxes and shuffle the questions of each."""
    data = layout.open_prepared()
    items = _deal_items(data / "hidden")
    for index in range(n_seeds):
        for file in sorted((data / "train").rglob("*")):
            if file.is_file():
                layout.link(file, public / str(index) / "train" / file.relative_to(data / "train"))
        for box in range(parts.BOXES):
            sheet = choices.shuffle_items(items[box], f"{trial_seed}/{index}/{box}")
            (secret / f"{index}-{box}.json").write_text(json.dumps(sheet), "utf-8")


def _deal_items(hidden: Path) -> list[list[tuple[str, choices.Item]]]:
    """List the items by serving box.

    A request is the numbers of its task and its span; a prompt also has the number of tokens that follow.
    """
    dealt: list[list[tuple[str, choices.Item]]] = [[] for _ in range(parts.BOXES)]
    for number, task in enumerate(_read(hidden / "core.json")):
        with np.load(hidden / "core" / f"{number:02}.npz") as file:
            spans, items, words = file["spans"].tolist(), file["items"].tolist(), file["tokens"]
        prompts = not any(n > 1 for *_, n, _ in items)
        # The same number for every prompt of the task, so that it reveals nothing of the answer.
        longest = max(length - start for _, length, start in spans)
        for reserved, box, first, options, gold in items:
            own = [(number, first + n) for n in (gold, *(n for n in range(options) if n != gold))]
            if prompts:
                at, length, start = spans[first]
                item = choices.Item(task["label"], [(*own[0], longest)], words[at + start : at + length].tolist())
            else:
                item = choices.Item(task["label"], own)
            dealt[box].append((core.METRICS[reserved], item))
    return dealt


def dialogue(phase: str, index: int, talk: socket.socket, secret: Path) -> verbs.Report | None:
    """Ask the box of `serve1` or of a later phase its questions, and keep its answers."""
    box = int(phase.removeprefix("serve")) - 1
    hidden = layout.open_prepared() / "hidden"
    sheet, spans = _read(secret / f"{index}-{box}.json"), _Spans(hidden)
    requests = [spans.request(*numbers) for numbers in sheet["requests"]]
    prompts = [spans.prompt(*numbers) for numbers in sheet["prompts"]]
    try:
        answers = serving.ask(talk, requests, prompts, _read_streams(hidden, box))
    except box_client.BrokenError as error:
        return verbs.fault(index, str(error))
    (secret / f"{index}-{box}.answers").write_text(json.dumps(answers._asdict()), "utf-8")
    return None


class _Spans:
    """The tokens of every request."""

    def __init__(self, hidden: Path) -> None:
        self._tasks: list[dict[str, np.ndarray]] = []
        for number, _ in enumerate(_read(hidden / "core.json")):
            with np.load(hidden / "core" / f"{number:02}.npz") as file:
                self._tasks.append({"tokens": file["tokens"], "spans": file["spans"]})

    def request(self, task: int, span: int) -> serving.Question:
        at, length, start = self._tasks[task]["spans"][span]
        return self._tasks[task]["tokens"][at : at + length], int(start)

    def prompt(self, task: int, span: int, follow: int) -> serving.Question:
        at, _, start = self._tasks[task]["spans"][span]
        return self._tasks[task]["tokens"][at : at + start], follow


def _read_streams(hidden: Path, box: int) -> serving.Streams:
    """Return the held-out text for the first box, and none for the others; special tokens do not count."""
    table = tokens.load(hidden / "tokenizer.json")
    symbols = np.load(hidden / "streams.npy", allow_pickle=False)[: None if box == 0 else 0]
    if not len(symbols):
        symbols = symbols[:, :0]
    return serving.Streams(symbols, np.array(tokens.count_bytes(table))[symbols] > 0, tokens.vocabulary_size(table))


def score(sealed: Path, secret: Path) -> verbs.Report:
    """Return the mean centred accuracy for both sets of items, bits per byte, and the net's depth."""
    hidden = layout.open_prepared() / "hidden"
    listed: list[dict[str, Any]] = _read(hidden / "core.json")
    metrics: dict[str, list[float]] = {name: [] for name in ("core", "core_reserved", "core_paired", "bpb", "depth")}
    paired = {task["label"]: task["baseline"] for task in listed if task["core_reserved"]}
    symbols = np.load(hidden / "streams.npy", allow_pickle=False)
    text_bytes = int(np.array(tokens.count_bytes(tokens.load(hidden / "tokenizer.json")))[symbols].sum())
    for index in range(len(list(secret.glob("*-0.answers")))):
        depth = blocks.count_blocks(sealed / str(index) / "train" / "model.safetensors")
        if depth is None:
            return verbs.fault(index, "model.safetensors has no header of safetensors")
        marks: choices.Marks = []
        nats = 0.0
        for box in range(parts.BOXES):
            sheet, answers = (_read(secret / f"{index}-{box}.{kind}") for kind in ("json", "answers"))
            marks += choices.mark_answers(sheet, answers["scores"], answers["continuations"])
            nats += answers["nats"]
        every = {task["label"]: task["baseline"] for task in listed}
        metrics["core"].append(choices.centre_accuracy(marks, "core", every))
        metrics["core_reserved"].append(choices.centre_accuracy(marks, "core_reserved", paired) if paired else 0.0)
        metrics["core_paired"].append(choices.centre_accuracy(marks, "core", paired) if paired else 0.0)
        metrics["bpb"].append(lockstep.to_bits(nats, text_bytes))
        metrics["depth"].append(depth)
    return {"metrics": metrics}


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


if __name__ == "__main__":
    verbs.run(prepare, score, dialogue, raw.list_pieces)
