"""Answer the evaluator's questions with the trained net; it says what is right to nobody.

All numbers are little-endian uint32. First three: requests, prompts, symbols of the vocabulary. Requests come as all
lengths, all places from which they are scored, all tokens; each is answered by a float32, the mean log-likelihood of
the scored tokens. Prompts come as all lengths, all numbers of tokens that are to follow, all tokens; what follows is
the answer. Last two more numbers, streams and steps: at every step a float32 log-odds for each symbol and stream,
before its next symbol is told.
"""

import json
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from nanochat.common import COMPUTE_DTYPE
from nanochat.engine import KVCache
from nanochat.gpt import GPT, GPTConfig
from safetensors import safe_open
from torch import Tensor

TOKENS = 16_384  # [sys] tokens in one pass of the net, padding included; 2048 to 131072

Question = tuple[np.ndarray, int]
MODEL = Path(os.environ["ESPALIER_DATA"]) / "model.safetensors"


def load(device: torch.device) -> GPT:
    """The net that train.py wrote, on one device."""
    with safe_open(MODEL, "pt", str(device)) as file:
        config = GPTConfig(**json.loads(file.metadata()["config"]))
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    with torch.device("meta"):
        net = GPT(config)
    net.to_empty(device=device)
    net.init_weights()  # fills the rotary tables, which are not stored
    net.load_state_dict(weights, assign=True)
    return net.eval()


class Talk:
    """The evaluator's end of the line."""

    def __init__(self) -> None:
        self._line = socket.socket(fileno=int(os.environ["ESPALIER_DIALOGUE"]))

    def numbers(self, count: int) -> np.ndarray:
        """The next `count` numbers."""
        heard = bytearray()
        while len(heard) < 4 * count:
            part = self._line.recv(min(4 * count - len(heard), 1 << 20))
            if not part:
                raise EOFError("the evaluator ended")
            heard += part
        return np.frombuffer(heard, "<u4").astype(np.int64)

    def questions(self, count: int) -> list[Question]:
        """The next frames: tokens, and what is asked of them."""
        lengths, asked = self.numbers(count), self.numbers(count)
        tokens = np.split(self.numbers(int(lengths.sum())), np.cumsum(lengths)[:-1]) if count else []
        return list(zip(tokens, asked.tolist(), strict=True))

    def say(self, told: np.ndarray) -> None:
        if told.size:
            self._line.sendall(told.tobytes())


def batches(asked: list[Question]) -> Iterator[list[int]]:
    """Places of questions of like length, each batch at most TOKENS with its padding."""
    batch: list[int] = []
    for place in sorted(range(len(asked)), key=lambda n: len(asked[n][0])):
        if batch and (len(batch) + 1) * len(asked[place][0]) > TOKENS:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def padded(asked: list[Question], room: int, device: torch.device) -> Tensor:
    """Their tokens from the left, with room for more: what stands behind a token can't change what it predicts."""
    rows = torch.zeros(len(asked), max(2, max(len(tokens) for tokens, _ in asked) + room), dtype=torch.long)
    for row, (tokens, _) in zip(rows, asked, strict=True):
        row[: len(tokens)] = torch.from_numpy(tokens)
    return rows.to(device)


def score(net: GPT, asked: list[Question]) -> list[float]:
    """Mean log-likelihood of the scored tokens of each."""
    rows = padded(asked, 0, net.get_device())
    odds, found = net(rows), []
    for row, said, (tokens, start) in zip(rows, odds, asked, strict=True):
        of = said[start - 1 : len(tokens) - 1].log_softmax(-1)
        found.append(float(of.gather(1, row[start : len(tokens), None]).mean()))
    return found


def follow(net: GPT, asked: list[Question]) -> list[list[int]]:
    """The most likely tokens after each, one after the other."""
    longest = max(count for _, count in asked)
    rows = padded(asked, longest, net.get_device())
    ends = torch.tensor([len(tokens) for tokens, _ in asked], device=rows.device)
    every = torch.arange(len(rows), device=rows.device)
    for n in range(longest):
        said = net(rows[:, : max(2, int(ends.max()) + n)])
        rows[every, ends + n] = said[every, ends + n - 1].argmax(-1)
    return [row[len(tokens) : len(tokens) + count].tolist() for row, (tokens, count) in zip(rows, asked, strict=True)]


def everywhere(nets: list[GPT], work: Callable[[GPT, list[Question]], list], asked: list[Question]) -> list:
    """`work` on every question, in their order: a net per device, each with a batch at a time."""
    dealt = list(batches(asked))

    def share(device: int) -> list[tuple[int, object]]:
        with torch.inference_mode():
            return [
                pair
                for batch in dealt[device :: len(nets)]
                for pair in zip(batch, work(nets[device], [asked[place] for place in batch]), strict=True)
            ]

    with ThreadPoolExecutor(len(nets)) as pool:
        found = dict(pair for pairs in pool.map(share, range(len(nets))) for pair in pairs)
    return [found[place] for place in range(len(asked))]


def lockstep(talk: Talk, net: GPT, symbols: int) -> None:
    """Odds of every stream's next symbol before it is told."""
    streams, steps = talk.numbers(2).tolist()
    if not streams:
        return
    config, device = net.config, net.get_device()
    heads, head = config.n_kv_head, config.n_embd // config.n_head
    cache = KVCache(streams, heads, steps, head, config.n_layer, device, COMPUTE_DTYPE)
    odds = np.zeros((streams, symbols), "<f4")
    with torch.inference_mode():
        for step in range(steps):
            talk.say(odds)
            if step + 1 < steps:
                told = torch.from_numpy(talk.numbers(streams)).to(device)
                odds = net(told[:, None], kv_cache=cache)[:, -1].float().cpu().numpy()


def main() -> None:
    """Keep the protocol to its end."""
    devices = [torch.device("cuda", n) for n in range(torch.cuda.device_count())] or [torch.device("cpu")]
    with os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0) as control:
        control.write(b"READY\n")
        control.readline()  # "GO <seed>": the model is there and the clock runs
    nets, talk = [load(device) for device in devices], Talk()
    requests, prompts, symbols = talk.numbers(3).tolist()
    talk.say(np.array(everywhere(nets, score, talk.questions(requests)), "<f4"))
    told = everywhere(nets, follow, talk.questions(prompts))
    talk.say(np.array([token for tokens in told for token in tokens], "<u4"))
    lockstep(talk, nets[0], symbols)


if __name__ == "__main__":
    main()
