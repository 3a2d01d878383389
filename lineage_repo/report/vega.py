"""What turns specifications into pictures: Vega, from the package vl-convert, which needs no network and no browser."""

import csv
import io
from pathlib import Path

from lineage_repo.errors import UnsupportedError
from lineage_repo.interchange.table import defuse_cell
from lineage_repo.report.figure import Figure, load
from lineage_repo.storage.files import write_whole

_WINDOW = "window.vegaEmbed = vegaEmbed;"


def load_vega_script() -> str:
    """Vega, Vega-Lite, Vega-Embed and the expression interpreter as one script, about 0.9 MB."""
    script = str(load("vl_convert").javascript_bundle(_WINDOW))
    if "</script" in script.lower():
        raise UnsupportedError(
            "vl-convert's bundle can't be inlined: it holds a closing script tag; use another version"
        )
    return script


def write_figures(figures: list[Figure], out: Path) -> list[Path]:
    """Write each figure as SVG, PNG (twice the size) and CSV to a folder; return the files."""
    convert = load("vl_convert")
    out.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for figure in figures:
        spec = figure.whole | {"background": "#ffffff", "autosize": {"type": "pad"}}
        bodies = {
            "svg": str(convert.vegalite_to_svg(spec)).encode(),
            "png": bytes(convert.vegalite_to_png(spec, scale=2)),
            "csv": _table(figure),
        }
        for suffix, body in bodies.items():
            written.append(out / f"{figure.name}.{suffix}")
            write_whole(written[-1], body)
    return written


def _table(figure: Figure) -> bytes:
    """The first data set, which holds what the figure shows; the others are its furniture."""
    rows = next(iter(figure.data.values()))
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(rows[0] if rows else [])
    writer.writerows([defuse_cell(cell) for cell in row.values()] for row in rows)
    return text.getvalue().encode()
