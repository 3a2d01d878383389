"""Find the tasks and the knowledge that ship with espalier."""

from pathlib import Path


def data_folder(name: str) -> Path:
    """Return the folder `tasks` or `knowledge`: beside the packages in a checkout, inside this one in a wheel."""
    packed = Path(__file__).parents[1] / "data" / name
    return packed if packed.is_dir() else Path(__file__).parents[2] / name


def builtin_tasks() -> list[Path]:
    """Return the folders of the built-in tasks, without the template of new ones."""
    return sorted(p.parent for p in data_folder("tasks").glob("[!_]*/task.toml"))
