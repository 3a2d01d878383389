"""Recompute the paper's numbers: `python -m benchmarks.paper TRACES [--json]`."""

from pathlib import Path

import click

from benchmarks.paper.comparison import recompute
from lineage_repo.cli.options import json_option
from lineage_repo.cli.output import print_json, print_lines
from lineage_repo.errors import EspalierError
from lineage_repo.text.escape import escape_text


@click.command()
@click.argument("traces", metavar="TRACES", type=click.Path(path_type=Path))
@json_option
def main(traces: Path, as_json: bool) -> None:
    """Recompute the paper's numbers from its released traces: TRACES holds a folder per run, each with results.tsv.

    Each run is first imported into a lineage, so the numbers are computed as for any other campaign.
    """
    try:
        table = recompute(traces)
    except EspalierError as error:
        raise click.ClickException(escape_text(str(error))) from None
    if as_json:
        return print_json({"schema": "espalier.paper/1", **table.model_dump(mode="json")})
    return print_lines(*table.lines())


if __name__ == "__main__":
    main()
