"""What `status` and `log` show: from the files beside the record while they are current, else from git.

The only module of this room with imports inside functions. Reading git needs GitPython and pydantic, whose import
takes several times as long as an answer from a file, so they are imported once a file turns out to be of no use.
"""

from pathlib import Path

from lineage_repo.monitor.log_table import LogTable, read_log_table
from lineage_repo.monitor.overview import Overview, read_overview, read_tip


def load_overview(directory: Path) -> Overview:
    """Return the overview of a campaign or a clone; raise `RecordError` where `directory` is neither."""
    overview = read_overview(directory)
    if overview is None:
        from lineage_repo.monitor import from_git

        overview = from_git.rebuild_overview(directory)
    return overview


def load_log_table(directory: Path, *, check_json: bool) -> LogTable:
    """Return the log of a campaign or a clone, with `check_json` one whose JSON columns can all be read.

    Raises:
        RecordError: `directory` is neither a campaign nor a clone of a lineage.
    """
    try:
        table = read_log_table(directory)
        is_usable = not check_json or all(row.has_json for row in table.rows)
    except (OSError, ValueError):
        table, is_usable = None, True  # whether the file can be extended is found out there
    if table is None or not is_usable or table.tip != read_tip(directory):
        from lineage_repo.monitor import from_git

        table = from_git.update_log_table(directory, anew=not is_usable)
    return table


def draw_graph(directory: Path, *, keeps_only: bool, limit: int | None) -> str:
    """Return git's own drawing of the trials; raise `RecordError` where `directory` is no campaign or clone."""
    from lineage_repo.monitor import from_git

    return from_git.draw_graph(directory, keeps_only=keeps_only, limit=limit)
