"""A working copy: plain files that one specialist edits, and the trial that they started from."""

from filelock import FileLock, Timeout

from lineage_repo.errors import RefusedError
from lineage_repo.model.measurement import Record
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import snapshot
from lineage_repo.storage.files import write_whole


class _Root(Record):
    parent: int


class Workdir:
    """One specialist's files, locked by one server at a time; their parent is noted beside them, not among them."""

    def __init__(self, campaign: Campaign, specialist: str) -> None:
        self.folder = campaign.paths.workdir(specialist)
        self._root = self.folder.with_name(f".{specialist}.json")
        self._lineage = campaign.lineage
        self._lock = FileLock(str(self.folder.with_name(f".{specialist}.lock")), timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise RefusedError(
                f"another server has the working copy of {specialist!r}: end that session, or serve another one"
            ) from None
        if not self._root.exists() or not self.folder.is_dir() or not any(self.folder.iterdir()):
            self.rebase(self._lineage.head.number if self._lineage.head else 0)

    @property
    def parent(self) -> int:
        """The trial that the working copy was last rebased to."""
        return _Root.model_validate_json(self._root.read_bytes()).parent

    def rebase(self, number: int) -> list[str]:
        """Replace the files by the recipe of trial `number` and make it the parent; return the paths."""
        files = self._lineage.read_recipe(number)
        # Without a root the next server rebases again, so an interrupted rebase never names a wrong parent.
        self._root.unlink(missing_ok=True)
        snapshot.write_folder(files, self.folder)
        write_whole(self._root, _Root(parent=number).canonical())
        return sorted(files)

    def files(self) -> dict[str, bytes]:
        """Read the files as they are now; raise `SnapshotError` if they are not a recipe."""
        return snapshot.read_folder(self.folder)

    def close(self) -> None:
        """Release the working copy to the next server."""
        self._lock.release()
