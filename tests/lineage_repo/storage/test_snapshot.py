import os
from pathlib import Path

import pytest

from lineage_repo.errors import SnapshotError
from lineage_repo.storage.snapshot import read_folder, write_folder
from lineage_repo.task.source_size import source_bytes, strip_comments


def nest(folder: Path, depth: int) -> None:
    for _ in range(depth):
        folder = folder / "a"
        folder.mkdir()
    (folder / "deep.py").write_bytes(b"x")


@pytest.mark.parametrize("depth", [9, 1500])
def test_a_deeply_nested_folder_is_refused_and_can_be_replaced(tmp_path: Path, depth: int) -> None:
    nest(tmp_path, depth)
    with pytest.raises(SnapshotError, match="nested more than 8 deep"):
        read_folder(tmp_path)
    write_folder({"fit.py": b"x = 1\n"}, tmp_path)
    assert read_folder(tmp_path) == {"fit.py": b"x = 1\n"}


@pytest.mark.parametrize("name", [".hidden.py", "spa ce.py", "dash/-x.py", "ünï.py", "x" * 121, "a\nb.py"])
def test_an_odd_name_is_refused(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(b"")
    with pytest.raises(SnapshotError, match="not a plain relative path"):
        read_folder(tmp_path)


def test_a_link_in_the_way_is_replaced_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_bytes(b"kept")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "lib").symlink_to(outside)
    write_folder({"lib/part.py": b"y"}, folder)
    assert [p.name for p in outside.iterdir()] == ["kept"]


def test_names_count_as_bytes() -> None:
    assert source_bytes({"ab.py": b"123", "c": b""}, packed=False) == 9


def test_comments_neither_count_nor_run_if_the_source_is_packed() -> None:
    bare, commented = (
        b"x = '# stays'\n\ny = 1\n",
        b"x = '# stays'\n# " + os.urandom(500).hex().encode() + b"\ny = 1  # why\n",
    )
    assert strip_comments({"a.py": commented, "b.txt": b"# x"}, packed=True) == {"a.py": bare, "b.txt": b"# x"}
    assert source_bytes({"a.py": commented}, packed=True) == source_bytes({"a.py": bare}, packed=True)
    assert (
        source_bytes({"a.py": bare}, packed=True)
        < 200
        < source_bytes({"b.txt": os.urandom(500).hex().encode()}, packed=True)
    )


def test_a_file_that_does_not_parse_counts_and_runs_unchanged() -> None:
    for odd in (b"x = (", b"\xff# y\n", b"'''", b"# coding: hex\n# x\n", b"# a\rX = 1\n"):
        assert strip_comments({"a.py": odd}, packed=True) == {"a.py": odd}


def test_only_a_line_end_that_python_knows_ends_a_comment() -> None:
    for commented, bare in (
        (b"#\x0c\n#x\n", b"\n\n"),
        (b"# \x0cX = 1\n", b"\n"),
        (b'X = "\x0c"  # c\n', b'X = "\x0c"\n'),
    ):
        assert strip_comments({"a.py": commented}, packed=True) == {"a.py": bare}
