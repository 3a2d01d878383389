"""What has no place in a lineage: other refs, objects from elsewhere, odd entries and edits of a recipe."""

from collections.abc import Iterator, Sequence

from lineage_repo.errors import SnapshotError
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.repository import PLAIN, tree_entries
from lineage_repo.storage.snapshot import check_path, matches
from lineage_repo.storage.store import BEST, LEDGER, Row, Store

_ELSEWHERE = ("objects/info/alternates", "objects/info/http-alternates", "commondir")
_FOLDER = "40000"


def beside(store: Store) -> Iterator[str]:
    """Files of the repository that hide parts of the history, or take its objects from elsewhere."""
    inside = store.path / ".git" if (store.path / ".git").is_dir() else store.path
    if not store.is_whole():
        yield f"{store.path} has grafts or is a shallow clone: verify a full one"
    for name in _ELSEWHERE:
        if (inside / name).exists():
            yield f"{inside / name} takes objects from another repository: verify a full clone (`git clone --no-local`)"
    for name in ("objects", "refs", "packed-refs"):
        if (inside / name).is_symlink():
            yield f"{inside / name} is a link to another place: verify a full clone (`git clone --no-local`)"


def refs(lineage: Lineage) -> Iterator[str]:
    """Tags and branches that exist must agree with the ledger; a clone's `best` may be remote-tracking."""
    store = lineage.store
    clone = store.ledger_ref() != LEDGER
    best = "refs/remotes/origin/best" if clone else BEST
    mine: tuple[str, ...] = ()
    if clone:
        # A clone is its owner's to tag and branch. Replacements are neither: git shows them instead of what they hide.
        mine = ("refs/tags/trial", "refs/tags/keep", "refs/replace", best)
    elif (store.path / ".git").is_dir():
        mine = ("refs/heads", "refs/tags", "refs/replace", "refs/notes")
    found = {name: commit for name, commit in store.refs(*mine).items() if name != LEDGER}
    wanted = {best if name == BEST else name: commit for name, commit in lineage.derived_refs().items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            yield f"{name} is at {found.get(name, 'nothing')[:12]}, the ledger says {wanted.get(name, 'nothing')[:12]}"


def trees(lineage: Lineage, rows: Sequence[Row]) -> Iterator[str]:
    """Every commit holds plain files with plain names in plain folders: no link, no other repository, no `.git*`."""
    store = lineage.store
    commits = [row.commit for row in rows] + [*lineage.proposals.values(), *lineage.commits.values()]
    level = {f"{commit}^{{tree}}": commit[:12] for commit in commits}
    seen: set[str] = set()
    while level:
        inner: dict[str, str] = {}
        for where, raw in zip(level.values(), store.blobs(list(level)), strict=True):
            for mode, name, entry in tree_entries(raw):
                path = f"{where}/{name}"
                if not _is_plain(mode, name):
                    yield f"{path!r} has mode {mode}: a commit of the record holds plain files with plain names only"
                elif mode == _FOLDER and entry not in seen:
                    seen.add(entry)
                    inner[entry] = path
        level = inner


def edits(lineage: Lineage) -> Iterator[str]:
    """Every recipe differs from its parent's in files that the task lets agents edit, and in no other."""
    trials, editable = lineage.trials, lineage.task.recipe.editable
    ours = [(t, t.proposal.parent) for t in trials.values() if not t.imported and t.proposal.parent in trials]
    pairs = [(trials[parent or 0].proposal.recipe_tree, trial.proposal.recipe_tree) for trial, parent in ours]
    for (trial, parent), changed in zip(ours, lineage.store.changed_lines(pairs), strict=True):
        if outside := sorted(p for p in changed if not matches(p, editable)):
            yield (
                f"trial {trial.number:04d} differs from {parent:04d} in {', '.join(map(repr, outside))}; the task lets "
                f"agents edit {', '.join(editable)} only"
            )


def _is_plain(mode: str, name: str) -> bool:
    try:
        check_path(name)
    except SnapshotError:
        return False
    return "/" not in name and (mode == _FOLDER or mode in PLAIN)
