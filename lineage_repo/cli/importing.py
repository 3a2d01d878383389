"""The command `import`."""

from pathlib import Path

import click

from lineage_repo.cli.output import print_rows
from lineage_repo.interchange.importing import import_trace, read_trace


@click.command("import")
@click.argument("traces", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "out", required=True, type=click.Path(path_type=Path), help="The new folder.")
def import_command(traces: Path, out: Path) -> None:
    """Bring another harness's trials into a new lineage: from a .jsonl file, or from a folder with results.tsv.

    Their statuses and scores are taken over as they are, and marked as imported. docs/import.md has the format.
    """
    lineage = import_trace(read_trace(traces), out)
    origins = [trial.imported for trial in lineage.trials.values() if trial.imported]
    repaired, best = sum(bool(origin.repairs) for origin in origins), lineage.head
    print_rows(
        [
            f"{out}: {len(origins)} trials with the start, {repaired} of them repaired, none with its code",
            ("best", f"{lineage.task.objective.text(best.score)} (trial {best.number:04d})" if best else ""),
            ("next", f"espalier verify {out}; espalier analyze {out}"),
        ]
    )
