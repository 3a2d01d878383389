"""Where the tasks and the knowledge lie that ship with espalier."""

from pathlib import Path


def data_folder(name: str) -> Path:
    """`tasks` or `knowledge`: beside the packages in a checkout, inside this package in a wheel."""
    packed = Path(__file__).parent / "data" / name
    return packed if packed.is_dir() else Path(__file__).parent.parent / name
