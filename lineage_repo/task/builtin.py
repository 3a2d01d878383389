"""Where the tasks and the knowledge lie that ship with espalier."""

from pathlib import Path


def data_folder(name: str) -> Path:
    """`tasks` or `knowledge`: beside the packages in a checkout, inside this package in a wheel."""
    packed = Path(__file__).parents[1] / "data" / name
    return packed if packed.is_dir() else Path(__file__).parents[2] / name


def builtin_tasks() -> list[Path]:
    """The folders of the tasks that ship with espalier; the template of new ones is none of them."""
    return sorted(p.parent for p in data_folder("tasks").glob("[!_]*/task.toml"))
