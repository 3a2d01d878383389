"""The git store: one bare repository, one authoritative ref, one compare-and-swap per ledger entry."""

import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from lineage_repo.errors import RecordError
from lineage_repo.storage.objects import Signature
from lineage_repo.storage.repository import Repository
from lineage_repo.storage.snapshot import Files, check_path

LEDGER = "refs/heads/ledger"
BEST = "refs/heads/best"
HEAD = "refs/heads/head"
_CLONED = "refs/remotes/origin/ledger"
_ZERO = "0" * 40
_LOOSE_PER_FOLDER = 8


class Row(NamedTuple):
    """A ledger entry as git stores it."""

    commit: str
    second_parent: str | None
    """The proposal or trial commit that the entry records."""
    body: bytes


class Draft(NamedTuple):
    """A commit that is still to be written."""

    files: Files
    message: str
    signed: Signature
    parents: tuple[int, ...] = ()
    """Positions of earlier drafts."""


class Store(Repository):
    """The repository of a lineage, or a plain clone of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._lock = FileLock(str(self.path.with_name(self.path.name.removesuffix(".git") + ".lock")))

    @classmethod
    def create(cls, path: Path) -> "Store":
        """Create an empty bare repository at `path`; a clone of it checks out the branch `best`."""
        path.mkdir(parents=True)
        store = cls(path)
        store.run("init", "--quiet", "--bare", "--initial-branch=best", "--template=")
        # Nobody pushes into a record: git refuses to update a hidden ref.
        store.run("config", "receive.hideRefs", "refs/")
        return store

    # ---- reading

    def ledger_ref(self) -> str | None:
        """Return the ledger's ref: the branch, or a clone's remote-tracking branch; None if there is neither."""
        refs = self.refs(LEDGER, _CLONED)
        return next((ref for ref in (LEDGER, _CLONED) if ref in refs), None)

    def tip(self) -> str | None:
        """Return the commit of the newest ledger entry; None for an empty ledger."""
        refs = self.refs(LEDGER, _CLONED)
        return refs.get(LEDGER) or refs.get(_CLONED)

    def rows(self, since: str | None = None) -> list[Row]:
        """Return the ledger entries after the commit `since` (all for None), oldest first."""
        tip = self.tip()
        if tip is None or tip == since:
            return []
        span = [tip, *([f"^{since}"] if since else [])]
        listed = self.run("rev-list", "--first-parent", "--parents", "--reverse", *span, "--")
        chain = [line.split() for line in listed.decode().splitlines()]
        bodies = self.blobs([f"{commit}:entry.json" for commit, *_ in chain])
        return [Row(ids[0], ids[2] if len(ids) > 2 else None, body) for ids, body in zip(chain, bodies, strict=True)]

    def bundle(self, out: Path) -> None:
        """Write the whole repository to one file that `git clone` accepts."""
        self.run("bundle", "create", "--quiet", str(out.absolute()), "HEAD", "--all")

    # ---- writing the record

    @contextmanager
    def writing(self, timeout: float = 120) -> Generator[None]:
        """Take the lock of the ledger's one writer for the block, and remove git's lock files of a killed writer.

        Raises:
            RecordError: another process kept the lock for `timeout` seconds.
        """
        try:
            with self._lock.acquire(timeout=timeout):
                for stale in (*self._dir.glob("*.lock"), *self._dir.glob("refs/**/*.lock")):
                    stale.unlink(missing_ok=True)
                yield
        except Timeout:
            raise RecordError(
                f"{self._lock.lock_file} has been held for over {timeout:.0f} s by another process"
            ) from None

    def append(self, body: bytes, subject: str, at: datetime, second: str | None = None) -> str:
        """Append one ledger entry and return its commit. Call it inside `writing()`.

        The entry's commit has the tip as its first parent. `git update-ref` then moves the ledger from that tip to the
        entry in one step (compare-and-swap), so a writer that dies, or one that ignores the lock, cannot tear it.

        Args:
            body: The entry's canonical JSON, stored as `entry.json`.
            subject: The commit's message, one line.
            at: The commit's time.
            second: The proposal or trial commit to record, as second parent.

        Raises:
            RecordError: the ledger moved meanwhile; nothing is appended.
        """
        tip = self.tip()
        parents = [p for p in (tip, second) if p]
        entry = self.write_commit({"entry.json": body}, subject + "\n", Signature("evaluator", at), parents)
        self.run("update-ref", "--end-of-options", LEDGER, entry, tip or _ZERO)
        return entry

    def set_refs(self, wanted: Mapping[str, str], unwanted: Sequence[str] = ()) -> None:
        """Write and delete derived refs. They can be rebuilt from the ledger, so a crash halfway does no harm."""
        lines = [f"update {name} {commit}" for name, commit in wanted.items()] + [f"delete {name}" for name in unwanted]
        if lines:
            self.run("update-ref", "--stdin", stdin="".join(f"{line}\n" for line in lines).encode())

    def pack(self) -> None:
        """Pack loose objects if there are about two thousand: a ledger is read from a pack in a quarter of the time."""
        # The hash spreads objects evenly, so one of the 256 folders is sample enough.
        sample = self._dir / "objects" / "17"
        if sample.is_dir() and len(list(sample.iterdir())) > _LOOSE_PER_FOLDER:
            with self.writing():
                self.run("repack", "-d", "-q")
                self.run("pack-refs")

    def write_drafts(self, drafts: Sequence[Draft]) -> list[str]:
        """Write a new ledger whose tip is the last draft, by one process; return the commits' ids.

        Only for a store that is being created: it replaces the ledger.
        """
        with tempfile.TemporaryDirectory() as scratch:
            marks = Path(scratch) / "marks"
            stream = b"".join(_encode_draft(mark, draft) for mark, draft in enumerate(drafts, 1))
            self.run("fast-import", "--quiet", "--done", f"--export-marks={marks}", stdin=stream + b"done\n")
            lines = marks.read_text("ascii").split("\n")
        commits = dict(line.removeprefix(":").split(" ") for line in lines if line)
        return [commits[str(mark)] for mark in range(1, len(drafts) + 1)]


def _encode_draft(mark: int, draft: Draft) -> bytes:
    """Return one commit as `git fast-import` reads it, each text with its length before it."""
    head = [f"reset {LEDGER}", "", f"commit {LEDGER}", f"mark :{mark}", *draft.signed.lines()]
    body = [_encode_data(draft.message.encode())]
    body += [f"{'merge' if i else 'from'} :{parent + 1}\n".encode() for i, parent in enumerate(draft.parents)]
    body.append(b"deleteall\n")
    body += [
        f"M 100644 inline {check_path(name)}\n".encode() + _encode_data(text) for name, text in draft.files.items()
    ]
    return "\n".join(head).encode() + b"\n" + b"".join(body)


def _encode_data(text: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(text), text)
