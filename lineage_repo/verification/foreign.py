"""Check for what does not belong in a lineage: foreign refs, files and objects, and edits outside a recipe."""

from collections.abc import Iterator, Sequence

from lineage_repo.errors import SnapshotError
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.objects import PLAIN_MODES, tree_entries
from lineage_repo.storage.snapshot import check_path, matches
from lineage_repo.storage.store import BEST, HEAD, LEDGER, Row, Store

_LINKS_ELSEWHERE = ("objects/info/alternates", "objects/info/http-alternates", "commondir")
_FOLDER = "40000"
_REMEDY = "verify a full clone (`git clone --no-local`)"


def check_files(store: Store) -> Iterator[str]:
    """Yield a problem for each file of the repository that hides history or takes objects from elsewhere."""
    git_dir = store.path / ".git" if (store.path / ".git").is_dir() else store.path
    if not store.is_whole():
        yield f"{store.path} has grafts or is a shallow clone: verify a full one"
    for name in _LINKS_ELSEWHERE:
        if (git_dir / name).exists():
            yield f"{git_dir / name} takes objects from another repository: {_REMEDY}"
    for name in ("objects", "refs", "packed-refs"):
        if (git_dir / name).is_symlink():
            yield f"{git_dir / name} is a link to another place: {_REMEDY}"


def check_refs(lineage: Lineage) -> Iterator[str]:
    """Yield a problem for each tag or branch that differs from what the ledger implies."""
    store = lineage.store
    clone = store.ledger_ref() != LEDGER
    remote = {name: name.replace("refs/heads", "refs/remotes/origin") for name in (BEST, HEAD)}
    moved = remote if clone else {}
    patterns: tuple[str, ...] = ()
    if clone:
        # The owner of a clone may tag and branch. Replacements are neither: git shows them instead of the original.
        patterns = ("refs/tags/trial", "refs/tags/keep", "refs/replace", *moved.values())
    elif (store.path / ".git").is_dir():
        # A clone whose owner checked out the ledger has a branch `best` of its own, and `head` only as its remote's.
        moved = {name: remote[name] for name in remote.keys() - store.refs(*remote).keys()}
        patterns = ("refs/heads", "refs/tags", "refs/replace", "refs/notes", *moved.values())
    actual = {name: commit for name, commit in store.refs(*patterns).items() if name != LEDGER}
    expected = {moved.get(name, name): commit for name, commit in lineage.derived_refs().items()}
    for name in sorted(expected.keys() | actual.keys()):
        if expected.get(name) != actual.get(name):
            yield f"{name} is at {actual.get(name, 'nothing')[:12]}, not at {expected.get(name, 'nothing')[:12]}"


def check_trees(lineage: Lineage, rows: Sequence[Row]) -> Iterator[str]:
    """Yield a problem for each entry of a commit that is not a plain file or folder with a plain name.

    Links, submodules and names such as `.gitattributes` would act on whoever checks a clone out.
    """
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
                    yield f"{path!r} has mode {mode}: a commit of the record has only plain files with plain names"
                elif mode == _FOLDER and entry not in seen:
                    seen.add(entry)
                    inner[entry] = path
        level = inner


def check_edits(lineage: Lineage) -> Iterator[str]:
    """Yield a problem for each recipe that differs from its parent's in a file that agents may not edit."""
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
    return "/" not in name and (mode == _FOLDER or mode in PLAIN_MODES)
