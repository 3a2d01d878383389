"""The command line of an evaluator: a verb in, measurement.json out. docs/design.md section 7 describes the verbs."""

import argparse
import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Report = dict[str, Any]
Prepare = Callable[[int, int, Path, Path], None]
"""Secret seed, number of seeds, public folder, secret folder."""
Score = Callable[[Path, Path], Report]
"""Sealed folder, secret folder."""
Dialogue = Callable[[str, int, socket.socket, Path], Report | None]
"""Phase, seed index, the box's channel, secret folder; a fault, or None if the recipe kept the protocol."""
Data = Callable[[Path], list[Any]]
"""The user's folder; the `layout.Piece`s to make of it. Raises `layout.MissingError`."""


def fault(seed_index: int, line: str, *, status: str = "crash") -> Report:
    """Make a measurement that says why there is no score; `illegal` means a broken rule, not a broken recipe."""
    return {"fault": {"status": status, "line": line, "seed_index": seed_index}}


def run(prepare: Prepare, score: Score, dialogue: Dialogue | None = None, data: Data | None = None) -> None:
    """Run the verb that the command line names."""
    arguments = _parse_arguments()
    if arguments.verb == "prepare":
        prepare(arguments.trial_seed, arguments.n_seeds, arguments.public, arguments.secret)
    elif arguments.verb == "score":
        _write(score(arguments.sealed, arguments.secret))
    elif arguments.verb == "data" and data:
        _lay_out(data, arguments)
    elif dialogue:
        sys.stdin.read()  # ends at GO: nothing is answered before the clock runs
        with socket.socket(fileno=arguments.channel) as talk:
            if broken := dialogue(arguments.phase, arguments.index, talk, arguments.secret):
                _write(broken)


def _lay_out(data: Data, arguments: argparse.Namespace) -> None:
    import layout

    try:
        layout.check(arguments.raw)
        layout.lay_out(data(arguments.raw), arguments.raw, arguments.folder, dry_run=arguments.dry_run)
    except layout.MissingError as error:
        sys.exit(str(error))


def _write(report: Report) -> None:
    Path("measurement.json").write_text(json.dumps(report), encoding="utf-8")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    preparing = verbs.add_parser("prepare")
    preparing.add_argument("--trial-seed", type=int, required=True)
    preparing.add_argument("--n-seeds", type=int, required=True)
    preparing.add_argument("public", type=Path)
    preparing.add_argument("secret", type=Path)
    laying = verbs.add_parser("data")
    laying.add_argument("raw", type=Path)
    laying.add_argument("folder", type=Path)
    laying.add_argument("--dry-run", action="store_true")
    scoring, talking = verbs.add_parser("score"), verbs.add_parser("dialogue")
    talking.add_argument("--phase", required=True)
    talking.add_argument("--index", type=int, default=0)
    talking.add_argument("--channel", type=int, required=True)
    for reading in (scoring, talking):
        reading.add_argument("sealed", type=Path)
        reading.add_argument("secret", type=Path)
    return parser.parse_args()
