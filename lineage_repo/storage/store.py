"""The git store: one bare repository, one authoritative ref, one compare-and-swap per ledger entry."""

import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from lineage_repo.errors import RecordError
from lineage_repo.storage.repository import Repository, Signature
from lineage_repo.storage.snapshot import Files, check_path

LEDGER = "refs/heads/ledger"
BEST = "refs/heads/best"
_CLONED = "refs/remotes/origin/ledger"
_ZERO = "0" * 40
_LOOSE_PER_FOLDER = 8


class Row(NamedTuple):
    """A ledger entry as it lies in git."""

    commit: str
    second_parent: str | None
    """The proposal or trial commit that the entry keeps reachable."""
    body: bytes


class Draft(NamedTuple):
    """A commit to be: its files, and which drafts before it are its parents."""

    files: Files
    message: str
    signed: Signature
    parents: tuple[int, ...] = ()


class Store(Repository):
    """One lineage repository, bare or a plain clone of one."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._lock = FileLock(str(self.path.with_name(self.path.name.removesuffix(".git") + ".lock")))

    @classmethod
    def create(cls, path: Path) -> "Store":
        """Make an empty bare repository at `path`, with `best` as what a clone checks out."""
        path.mkdir(parents=True)
        store = cls(path)
        store.run("init", "--quiet", "--bare", "--initial-branch=best", "--template=")
        # Nobody pushes into a record: a hidden ref can't be updated by receive-pack.
        store.run("config", "receive.hideRefs", "refs/")
        return store

    # ---- reading

    def ledger_ref(self) -> str | None:
        """The ledger's ref: our branch, or the remote-tracking branch of a clone; None when there is neither."""
        refs = self.refs(LEDGER, _CLONED)
        return next((ref for ref in (LEDGER, _CLONED) if ref in refs), None)

    def tip(self) -> str | None:
        """The commit of the newest ledger entry."""
        refs = self.refs(LEDGER, _CLONED)
        return refs.get(LEDGER) or refs.get(_CLONED)

    def rows(self, since: str | None = None) -> list[Row]:
        """Ledger entries after `since` (all of them for None), oldest first."""
        tip = self.tip()
        if tip is None or tip == since:
            return []
        span = [tip, *([f"^{since}"] if since else [])]
        listed = self.run("rev-list", "--first-parent", "--parents", "--reverse", *span, "--")
        chain = [line.split() for line in listed.decode().splitlines()]
        bodies = self.blobs([f"{commit}:entry.json" for commit, *_ in chain])
        return [Row(ids[0], ids[2] if len(ids) > 2 else None, body) for ids, body in zip(chain, bodies, strict=True)]

    def bundle(self, out: Path) -> None:
        """Write the whole repository to one file that `git clone` takes."""
        self.run("bundle", "create", "--quiet", str(out.absolute()), "HEAD", "--all")

    # ---- writing the record

    @contextmanager
    def writing(self, timeout: float = 120) -> Generator[None]:
        """Hold the one writer's lock; clear what a killed writer left. Raise `RecordError` after `timeout` seconds."""
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
        """Append one ledger entry by compare-and-swap; the caller holds `writing()`. Return the entry's commit."""
        tip = self.tip()
        parents = [p for p in (tip, second) if p]
        entry = self.write_commit({"entry.json": body}, subject + "\n", Signature("evaluator", at), parents)
        self.run("update-ref", "--end-of-options", LEDGER, entry, tip or _ZERO)
        return entry

    def set_refs(self, wanted: Mapping[str, str], unwanted: Sequence[str] = ()) -> None:
        """Move derived refs; they carry no truth, so a half-done update costs only a rebuild."""
        lines = [f"update {name} {commit}" for name, commit in wanted.items()] + [f"delete {name}" for name in unwanted]
        if lines:
            self.run("update-ref", "--stdin", stdin="".join(f"{line}\n" for line in lines).encode())

    def pack(self) -> None:
        """Pack loose objects once there are some thousands: from a pack the ledger is read in a quarter of the time."""
        # One of 256 folders tells the number well enough.
        sample = self._dir / "objects" / "17"
        if sample.is_dir() and len(list(sample.iterdir())) > _LOOSE_PER_FOLDER:
            with self.writing():
                self.run("repack", "-d", "-q")
                self.run("pack-refs")

    def write_drafts(self, drafts: Sequence[Draft]) -> list[str]:
        """Write a whole new ledger by one process, the last draft as its tip; return the commits' ids.

        For a store that is being made: nothing else may have written a ledger.
        """
        with tempfile.TemporaryDirectory() as scratch:
            marks = Path(scratch) / "marks"
            stream = b"".join(_imported(mark, draft) for mark, draft in enumerate(drafts, 1))
            self.run("fast-import", "--quiet", "--done", f"--export-marks={marks}", stdin=stream + b"done\n")
            lines = marks.read_text("ascii").split("\n")
        found = dict(line.removeprefix(":").split(" ") for line in lines if line)
        return [found[str(mark)] for mark in range(1, len(drafts) + 1)]


def _imported(mark: int, draft: Draft) -> bytes:
    """One commit in the stream of `git fast-import`; every text is preceded by its length."""
    head = [f"reset {LEDGER}", "", f"commit {LEDGER}", f"mark :{mark}", *draft.signed.lines()]
    body = [_data(draft.message.encode())]
    body += [f"{'merge' if i else 'from'} :{parent + 1}\n".encode() for i, parent in enumerate(draft.parents)]
    body.append(b"deleteall\n")
    body += [f"M 100644 inline {check_path(name)}\n".encode() + _data(text) for name, text in draft.files.items()]
    return "\n".join(head).encode() + b"\n" + b"".join(body)


def _data(text: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(text), text)
