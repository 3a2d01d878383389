"""The user's data, in the layout of upstream's NANOCHAT_BASE_DIR, and what is made of it."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import bundle
import core
import layout
import numpy as np
import parts
import tokens

SHARDS, LAST = "base_data_climbmix", "shard_06542.parquet"
TASKS, VOCABULARY = 22, 32_768
STREAMS, STEPS = 16, 1024
"""Rows of the last shard's text on which the bits per byte are counted, and tokens of each."""
GET = "python -m nanochat.dataset -n 170 in upstream's tree gets it"


def list_pieces(raw: Path) -> list[layout.Piece]:
    """Check the data and list all files to make of them; raise `layout.MissingError`."""
    shards = sorted((raw / SHARDS).glob("shard_*.parquet"))
    if len(shards) < 2:
        raise layout.MissingError(
            f"{raw / SHARDS} has {len(shards)} shards; at least two are needed, the last one held out: {GET}"
        )
    for shard in shards:
        _check_shard(shard)
    table = tokens.read_pickle(raw / "tokenizer" / "tokenizer.pkl")
    byte_table = raw / "tokenizer" / "token_bytes.pt"
    if not byte_table.is_file():
        raise layout.MissingError(f"{byte_table} is missing: python -m scripts.tok_train in upstream's tree makes it")
    tasks = bundle.read(raw / "eval_bundle")
    synthetic = (raw / "SYNTHETIC").exists()
    if not synthetic:
        _check_real(shards, table, tasks)
    sources = [(f"train/{path.name}", path) for path in shards[:-1]]
    sources += [(f"train/tokenizer/{path.name}", path) for path in (raw / "tokenizer" / "tokenizer.pkl", byte_table)]
    encode = _make_encoder(table)
    return [
        *(layout.Piece(name, path.stat().st_size, partial(layout.link, path)) for name, path in sources),
        layout.Piece("hidden/tokenizer.json", 30 * len(table["ranks"]), partial(_write_json, table)),
        layout.Piece("hidden/streams.npy", 4 * STREAMS * STEPS, partial(_write_streams, shards[-1], table, synthetic)),
        *_list_core(raw / "eval_bundle", tasks, encode),
        *([layout.Piece("synthetic.json", 20, partial(_write_json, {"synthetic": True}))] if synthetic else []),
    ]


def _check_real(shards: list[Path], table: dict[str, Any], tasks: list[bundle.Task]) -> None:
    """Compare the data with the task's own; other data need a file SYNTHETIC beside them."""
    sizes = {
        "last shard": (shards[-1].name, LAST),
        "tokens of the vocabulary": (tokens.vocabulary_size(table), VOCABULARY),
        "tasks of CORE": (len(tasks), TASKS),
    }
    if wrong := [f"{noun} is {size}, expected {wanted}" for noun, (size, wanted) in sizes.items() if size != wanted]:
        raise layout.MissingError(
            f"{'; '.join(wrong)}: these are not the task's data (shards: {GET}; tokenizer: python -m "
            "scripts.tok_train; items: upstream's eval_bundle.zip). For a test with data of your own put an empty file "
            "SYNTHETIC beside them"
        )


def _list_core(folder: Path, tasks: list[bundle.Task], encode: core.Encode) -> list[layout.Piece]:
    """List the table of the tasks, and one file for each of them."""
    pieces: list[layout.Piece] = []
    listed: list[dict[str, Any]] = []
    for number, task in enumerate(tasks):
        rows = bundle.read_items(folder, task.data)
        shots = tuple(sorted({other.shots for other in tasks if other.data == task.data}))
        counts = [len(core.select_items(task, rows, reserved)) for reserved in (False, True)]
        _check_task(task, counts, shots)
        listed.append({"label": task.label, "baseline": task.baseline, **dict(zip(core.METRICS, counts, strict=True))})
        about = 4 * sum(len(json.dumps(row)) for row in rows[0] + rows[1]) * (1 + task.shots)
        write = partial(core.write, folder=folder, task=task, shots=shots, encode=encode)
        pieces.append(layout.Piece(f"hidden/core/{number:02}.npz", about, write))
    return [layout.Piece("hidden/core.json", 100 * len(listed), partial(_write_json, listed)), *pieces]


def _check_task(task: bundle.Task, counts: list[int], shots: tuple[int, ...]) -> None:
    if counts[0] <= task.shots:
        raise layout.MissingError(f"{task.label} has {counts[0]} items, more than its {task.shots} examples are needed")
    for count in counts:
        if count and (boxes := 1 + max(parts.deal_boxes(count, tuple(n for n in shots if n < count)))) > parts.BOXES:
            raise layout.MissingError(
                f"{task.data}: {count} items with {max(shots)} examples each need {boxes} serving boxes, there are "
                f"{parts.BOXES}: an item's answer would be shown to the box that is asked it"
            )


def _make_encoder(table: dict[str, Any]) -> core.Encode:
    first, encoder = table["special"][tokens.BOS], tokens.make_encoder(table)
    return lambda texts: [[first, *body] for body in encoder.encode_ordinary_batch(list(texts))]


def _write_json(value: Any, path: Path) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def _write_streams(shard: Path, table: dict[str, Any], synthetic: bool, path: Path) -> None:
    """Write documents of the held-out shard in rows; each row begins with a document and cuts off its last one."""
    documents = _make_encoder(table)(_read_documents(shard))
    steps = min(STEPS, sum(map(len, documents)) // (2 * STREAMS))
    rows: list[list[int]] = []
    for document in documents:
        if not rows or len(rows[-1]) >= steps:
            rows.append([])
        rows[-1] += document
    whole = [row[:steps] for row in rows if len(row) >= steps][:STREAMS]
    if len(whole) < STREAMS or steps < (2 if synthetic else STEPS):
        raise layout.MissingError(f"{shard} holds too little text for {STREAMS} rows of {STEPS} tokens: {GET}")
    with path.open("wb") as stream:
        np.save(stream, np.array(whole, "<u4"))


def _check_shard(shard: Path) -> None:
    """Read the footer at a shard's end, which is quick: an interrupted download would end a run on all GPUs."""
    try:
        with _open_parquet(shard) as file:
            text = file.schema_arrow.field("text").type
            if str(text) in {"string", "large_string"} and file.metadata.num_rows:
                return
            problem = f"holds {file.metadata.num_rows} rows of {text}"
    except (OSError, ValueError, KeyError) as error:
        problem = f"can't be read: {str(error).splitlines()[0]}"
    raise layout.MissingError(f"{shard} {problem}; rows with a column `text` of strings are needed: {GET}")


def _read_documents(shard: Path) -> list[str]:
    """Read the text of the shard's first row group."""
    with _open_parquet(shard) as file:
        return file.read_row_group(0).column("text").to_pylist()


def _open_parquet(shard: Path) -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise layout.MissingError(
            "the evaluator's interpreter lacks pyarrow: pip install 'espalier[full]' there"
        ) from None
    return parquet.ParquetFile(shard)
