"""Tell the scores of every token of a chunk, in windows as upstream's, then learn from it.

The first process passes the evaluator's requests on to every rank; each rank writes its rows into the shared memory and
sends the numbers of its blocks itself.
"""

import array
import math
import mmap
import os
import socket
import struct
from pathlib import Path

import ranks

BATCH = 32  # [eval] windows, or sequences to learn from, in one pass of a rank
SCORE, ADAPT, END = 1, 2, 3
BFLOAT = 2
DATA = Path(os.environ["ESPALIER_DATA"])
TALK = int(os.environ["ESPALIER_DIALOGUE"])


def relay(started):
    """Agree on the format of scores, hand everyone the shared memory, and pass requests on until the end."""
    talk = socket.socket(fileno=TALK)
    hello = talk.recv(20, socket.MSG_WAITALL)
    talk.sendall(struct.pack("<I", BFLOAT))
    _, memory, _, _ = socket.recv_fds(talk, 1, 1)
    for link in started:
        link.sendall(hello)
        socket.send_fds(link, [b"M"], list(memory))
    while True:
        head = talk.recv(8, socket.MSG_WAITALL)
        kind, count = struct.unpack("<2I", head) if len(head) == 8 else (END, 0)
        body = talk.recv(2 * count, socket.MSG_WAITALL) if count else b""
        for link in started:
            link.sendall(struct.pack("<2I", kind, count) + body)
        if kind == END:
            return


class Predictor:
    """Upstream's net on one rank, with windows over the text seen so far."""

    def __init__(self, up, rank):
        import torch

        self.torch, self.up, self.rank, self.h = torch, up, rank, rank.h
        self.net = up.GPT(self.h).to(rank.device).bfloat16()
        up.restore_fp32_params(self.net)
        self.net.looping_active = self.h.num_loops > 0
        self.scores = torch.compile(self.net.forward_logits, dynamic=False, fullgraph=True)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=self.h.ttt_lr, momentum=self.h.ttt_momentum)

    def warm_up(self):
        """Compile, and learn from noise without moving; the real weights come later.

        Twice, since the first pass fills tables that the compiled program depends on.
        """
        noise = self.torch.zeros(BATCH, self.h.eval_seq_len, dtype=self.torch.int64, device=self.rank.device)
        for _ in range(2):
            self.forward(noise)
            self.learn(noise[:1], noise[:1], 0.0)
        self.forward(noise)
        self.optimizer.state.clear()

    def load(self):
        """Take the weights that training left."""
        self.h.quantized_model_path = str(DATA / "model.bin")
        self.net.load_state_dict(self.up.deserialize(self.h, self.rank.device).state_dict())

    def forward(self, x):
        """Scores after each token of each window."""
        self.net.eval()
        with self.torch.no_grad(), self.torch.autocast(device_type=self.rank.device.type, dtype=self.torch.bfloat16):
            return self.scores(x).bfloat16()

    def learn(self, x, y, lr):
        """One step on sequences that were scored."""
        torch = self.torch
        self.net.train()
        self.optimizer.param_groups[0]["lr"] = lr
        self.optimizer.zero_grad(set_to_none=True)
        if len(x):
            with torch.autocast(device_type=self.rank.device.type, dtype=torch.bfloat16):
                loss = self.net(x, y)
            loss.backward()
        for weight in self.net.parameters():
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
            torch.distributed.all_reduce(weight.grad, op=torch.distributed.ReduceOp.SUM)
            weight.grad /= self.h.world_size
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()


class Reader:
    """The rows and blocks of one rank."""

    def __init__(self, predictor, hello, memory, talk):
        torch = predictor.torch
        vocabulary, longest, self.block, self.total, first = struct.unpack("<5I", hello)
        self.predictor, self.talk, self.past, self.done = predictor, talk, torch.tensor([first]), 0
        self.chunks, self.longest = -(-self.total // longest), longest
        shared = mmap.mmap(memory, 0)
        self.rows = torch.frombuffer(shared, dtype=torch.bfloat16).view(longest, vocabulary)

    def score(self, tokens):
        """Write the rows of this rank's blocks, a batch of windows at a time."""
        torch, h, (window, stride) = self.predictor.torch, self.predictor.h, self.reach()
        text, before = torch.cat([self.past, tokens]), len(self.past)
        blocks = -(-len(tokens) // self.block)
        sent = low = blocks * h.rank // h.world_size
        first, end = low * self.block, min(blocks * (h.rank + 1) // h.world_size * self.block, len(tokens))
        spans = [(a, min(a + stride, end)) for a in range(first, end, stride)]
        for at in range(0, len(spans), BATCH):
            some = spans[at : at + BATCH]
            x, last = torch.zeros(BATCH, window, dtype=torch.int64), []
            for i, (_, b) in enumerate(some):
                seen = text[max(0, before + b - 1 - window) : before + b - 1]
                x[i, : len(seen)] = seen
                last.append(len(seen))
            scores = self.predictor.forward(x.to(self.predictor.rank.device))
            parts = [scores[i, last[i] - (b - a) : last[i]] for i, (a, b) in enumerate(some)]
            self.rows[some[0][0] : some[-1][1]].copy_(torch.cat(parts))
            while sent < blocks and min((sent + 1) * self.block, end) <= some[-1][1] and sent * self.block < end:
                self.talk.sendall(struct.pack("<I", sent))
                sent += 1

    def reach(self):
        """Tokens that a window sees, and how many of them it scores."""
        h = self.predictor.h
        return h.eval_seq_len, min(h.eval_stride, self.block)

    def adapt(self, tokens):
        """Upstream's steps on a chunk that is scored: a rate that falls over the chunks, sequences shared out."""
        torch, h = self.predictor.torch, self.predictor.h
        if h.ttt_enabled and h.ttt_epochs:
            lr = h.ttt_lr * 0.5 * (1 + math.cos(math.pi * self.done / max(self.chunks - 1, 1)))
            count = len(tokens) // h.eval_seq_len
            low, high = count * h.rank // h.world_size, count * (h.rank + 1) // h.world_size
            before = torch.cat([self.past[-1:], tokens])[:-1]
            x, y = (part[: count * h.eval_seq_len].view(count, -1)[low:high] for part in (before, tokens))
            x, y = x.to(self.predictor.rank.device), y.to(self.predictor.rank.device)
            most = -(-count // h.world_size)
            for _ in range(h.ttt_epochs if count else 0):
                for at in range(0, most, BATCH):
                    self.predictor.learn(x[at : at + BATCH], y[at : at + BATCH], lr)
        self.past = torch.cat([self.past, tokens])[-h.eval_seq_len - 1 :]
        self.done += 1


def work():
    """One rank."""
    import torch
    import train_gpt as up

    rank = ranks.Rank(up)
    predictor = Predictor(up, rank)
    predictor.warm_up()
    rank.go()
    predictor.load()
    hello = rank.link.recv(20, socket.MSG_WAITALL)
    _, memory, _, _ = socket.recv_fds(rank.link, 1, 1)
    reader = Reader(predictor, hello, memory[0], socket.socket(fileno=TALK))
    while True:
        kind, count = struct.unpack("<2I", rank.link.recv(8, socket.MSG_WAITALL))
        if kind == END:
            rank.done()
        raw = rank.link.recv(2 * count, socket.MSG_WAITALL)
        tokens = torch.tensor(array.array("H", raw), dtype=torch.int64)
        (reader.score if kind == SCORE else reader.adapt)(tokens)


if __name__ == "__main__":
    if ranks.RANK:
        work()
    started = ranks.start((TALK,))
    ranks.ready(started)
    relay(started)
    ranks.finish(started)
