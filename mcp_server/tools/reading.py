"""The reading tools: recipes, diffs and views, in pages that stay under the clients' size limits."""

import itertools
import json
import math

from lineage_repo.errors import SnapshotError
from lineage_repo.prompting import queries
from lineage_repo.record.claims import Claims
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.snapshot import check_path
from mcp_server.tools.replies import DiffReply, FileEntry, LineageReply, SnapshotReply

_PAGE_CHARACTERS = 12_000
_PAGE_ROWS = 10


class Reading:
    """Answers from the record; nothing here writes."""

    def __init__(self, lineage: Lineage, specialist: str) -> None:
        self._lineage, self._specialist = lineage, specialist

    def snapshot(self, trial: int, path: str, page: int) -> SnapshotReply:
        """List the files of a trial's recipe, or read one of them."""
        files = self._lineage.refresh().read_recipe(trial)
        entries = [FileEntry(path=p, bytes=len(body)) for p, body in sorted(files.items())]
        if not path:
            return SnapshotReply(
                trial=trial, files=entries, message=f"Trial {trial} has {len(entries)} files; give path to read one."
            )
        if path not in files:
            raise _explain_missing(path, files)
        text, pages = _cut_page(_show_text(files[path], path), page, _PAGE_CHARACTERS)
        return SnapshotReply(
            trial=trial,
            files=entries,
            path=path,
            text=text,
            page=page,
            pages=pages,
            message=f"{path}, page {page} of {pages}.",
        )

    def diff(self, a: int, b: int, page: int) -> DiffReply:
        """Return the unified diff of two recipes."""
        lineage = self._lineage.refresh()
        before, after = lineage.trial(a).proposal.recipe_tree, lineage.trial(b).proposal.recipe_tree
        text, pages = _cut_page(lineage.store.diff(before, after), page, _PAGE_CHARACTERS)
        message = f"Page {page} of {pages}." if text else f"Trials {a} and {b} have the same recipe."
        return DiffReply(a=a, b=b, diff=text, page=page, pages=pages, message=message)

    def lineage(self, view: queries.View, trial: int | None, text: str, page: int) -> LineageReply:
        """Return one page of a view."""
        trials = list(
            queries.select(self._lineage.refresh(), view, trial=trial, specialist=self._specialist, text=text)
        )
        pages = max(1, math.ceil(len(trials) / _PAGE_ROWS))
        shown = itertools.islice(trials, (page - 1) * _PAGE_ROWS, page * _PAGE_ROWS)
        claims = Claims(self._lineage)
        ranks = {t.number: rank for rank, t in queries.leaderboard(self._lineage)} if view == "leaderboard" else {}
        rows = [
            queries.trial_row(t, claims, self._specialist, rank=ranks.get(t.number), margins=view in {"head", "trial"})
            for t in shown
        ]
        return LineageReply(
            view=view, rows=rows, page=page, pages=pages, message=f"{len(trials)} found, page {page} of {pages}."
        )


def _explain_missing(path: str, files: dict[str, bytes]) -> SnapshotError:
    try:
        check_path(path)
    except SnapshotError as error:
        return error
    return SnapshotError(f"no file {path!r}; there are {', '.join(sorted(files))}")


def _cut_page(text: str, number: int, size: int) -> tuple[str, int]:
    """Return page `number` (from 1) of `text` and the number of pages, each of at most `size` characters as JSON."""
    pages, used, piece = [""], 0, size // 12
    for line in text.splitlines(keepends=True):
        for part in (line[i : i + piece] for i in range(0, len(line), piece)):
            cost = len(json.dumps(part)) - 2
            if used + cost > size:
                pages.append("")
                used = 0
            pages[-1] += part
            used += cost
    return (pages[number - 1] if 1 <= number <= len(pages) else ""), len(pages)


def _show_text(body: bytes, where: str) -> str:
    """Decode a file for reading; a binary file is named instead."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return f"[{where} is not UTF-8 text: {len(body):,} bytes]"
