"""The command `import`."""

from pathlib import Path

import click

from lineage_repo.cli.output import print_lines
from lineage_repo.interchange.importing import import_trace, read_trace


@click.command("import")
@click.argument("traces", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "out", required=True, type=click.Path(path_type=Path), help="The new folder.")
def import_command(traces: Path, out: Path) -> None:
    """Bring another harness's trials into a new lineage: a .jsonl file, or a folder with the paper's results.tsv.

    Their status and score are taken over as they say, and marked as imported. docs/import.md has the format.
    """
    lineage = import_trace(read_trace(traces), out)
    marked = [t.imported for t in lineage.trials.values() if t.imported]
    repaired = sum(bool(found.repairs) for found in marked)
    best = lineage.best
    print_lines(f"{out}: {len(marked)} trials with the start, {repaired} of them repaired, none with its code")
    if best:
        print_lines(f"best {lineage.task.objective.text(best.score)} (trial {best.number:04d})")
    print_lines(f"next  espalier verify {out}; espalier analyze {out}")
