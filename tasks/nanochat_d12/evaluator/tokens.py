"""The tokenizer: read from upstream's pickle without running it, kept as JSON, used through tiktoken."""

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import layout

if TYPE_CHECKING:
    import tiktoken

BOS = "<|bos|>"


class _State:
    """Replaces tiktoken's class while its state is read."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Reader(pickle.Unpickler):
    """Accepts only the class that a tokenizer's pickle names, and reads only its state."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("tiktoken.core", "Encoding"):
            return _State
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def read_pickle(path: Path) -> dict[str, Any]:
    """Read pattern, ranks (token by its bytes in hexadecimal) and special tokens; raise `layout.MissingError`."""
    try:
        with path.open("rb") as stream:
            state = _Reader(stream).load().state
        ranks = {token.hex(): int(rank) for token, rank in state["mergeable_ranks"].items()}
        table = {"pattern": str(state["pat_str"]), "ranks": ranks, "special": dict(state["special_tokens"])}
    except FileNotFoundError:
        raise layout.MissingError(
            f"{path} is missing: python -m scripts.tok_train in upstream's tree makes it"
        ) from None
    except (pickle.UnpicklingError, AttributeError, EOFError, KeyError, TypeError, ValueError) as error:
        raise layout.MissingError(f"{path} is not a pickled tiktoken.Encoding with ranks of its own: {error}") from None
    if BOS not in table["special"]:
        raise layout.MissingError(f"{path} has no special token {BOS}: it is not nanochat's tokenizer")
    return table


def vocabulary_size(table: dict[str, Any]) -> int:
    """Return the number of symbols in the vocabulary."""
    return max(*table["ranks"].values(), *table["special"].values()) + 1


def count_bytes(table: dict[str, Any]) -> list[int]:
    """Return the bytes of text that each token stands for; 0 for special ones."""
    lengths = [0] * vocabulary_size(table)
    for token, rank in table["ranks"].items():
        lengths[rank] = len(token) // 2
    return lengths


def make_encoder(table: dict[str, Any]) -> "tiktoken.Encoding":
    """Make the encoder of text into tokens; raise `layout.MissingError` without tiktoken."""
    try:
        import tiktoken
    except ImportError:
        raise layout.MissingError(
            "the evaluator's interpreter lacks tiktoken: pip install 'espalier[full]' there"
        ) from None
    return tiktoken.Encoding(
        "nanochat",
        pat_str=table["pattern"],
        mergeable_ranks={bytes.fromhex(token): rank for token, rank in table["ranks"].items()},
        special_tokens=table["special"],
    )


def load(path: Path) -> dict[str, Any]:
    """Load the table that was laid out."""
    return json.loads(path.read_text("utf-8"))
