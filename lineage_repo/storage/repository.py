"""A git repository, as an untrusted thing to read: no setting of the user's or of the repository's runs anything.

The only module that runs git; `store` says what a ledger is in it. Agent text and paths reach git through standard
input, never as arguments.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import git

from lineage_repo.errors import RecordError
from lineage_repo.storage.snapshot import Files, check_path

PLAIN = {"100644", "100755"}
"""Modes of plain files."""
_BATCH = 2000
_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "log.showSignature=false",
    "core.attributesFile=/dev/null",
    "core.fsync=all",
    "core.fsyncMethod=batch",
    "i18n.commitEncoding=utf-8",
    "gc.auto=0",
    "safe.directory=*",
    "core.quotePath=false",
)


class Signature(NamedTuple):
    """Author and time of a commit; names come from our own tables, never from an agent's text."""

    author: str
    at: datetime

    def lines(self) -> list[str]:
        """Author and committer as they stand in the commit object."""
        stamp = f"{int(self.at.timestamp())} +0000"
        return [
            f"author {self.author} <{self.author}@espalier.invalid> {stamp}",
            f"committer evaluator <evaluator@espalier.invalid> {stamp}",
        ]


class Repository:
    """One repository, bare or with a work tree; everything in it is found by object id or ref."""

    def __init__(self, path: Path) -> None:
        # Resolved, since `.` has no name to call a lock after.
        self.path = path = path.resolve()
        self._shell = git.Git()
        self._git = shutil.which("git") or "git"
        self._dir = path / ".git" if (path / ".git").is_dir() else path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def is_whole(self) -> bool:
        """Whether no file hides or changes parts of the history, as grafts and shallow clones do."""
        return not any((self._dir / name).exists() for name in ("info/grafts", "shallow"))

    def is_repository(self) -> bool:
        """Whether there is a git repository at all."""
        return (self._dir / "HEAD").is_file()

    # ---- plumbing

    def run(
        self, *arguments: str, stdin: bytes = b"", dated: Signature | None = None, protocols: str = "none"
    ) -> bytes:
        """Run one git command without the user's environment or configuration; raise `RecordError`.

        A repository's own configuration can't be left out, and may be a stranger's: nothing that it names is run.
        """
        with tempfile.TemporaryFile() as source:
            source.write(stdin)
            source.seek(0)
            try:
                out: Any = self._shell.execute(
                    [
                        *_clean_environment(dated, protocols),
                        self._git,
                        f"--git-dir={self._dir}",
                        *_options(),
                        *arguments,
                    ],
                    istream=source,
                    stdout_as_string=False,
                    strip_newline_in_stdout=False,
                )
                return bytes(out)
            except git.GitCommandError as error:
                reason = str(error.stderr).strip().removeprefix("stderr: ").strip("'\n ")
                raise RecordError(f"git {arguments[0]} failed in {self._dir}: {reason}") from None

    def _line(self, *arguments: str, stdin: bytes = b"", dated: Signature | None = None) -> str:
        return self.run(*arguments, stdin=stdin, dated=dated).decode().strip()

    # ---- reading

    def refs(self, *patterns: str) -> dict[str, str]:
        """Ref names and the commits that they point at."""
        lines = self.run("for-each-ref", "--format=%(refname) %(objectname)", *patterns).decode().splitlines()
        return dict(line.split(" ") for line in lines)

    def blobs(self, names: Sequence[str]) -> list[bytes]:
        """The contents of many objects (`<commit>:<path>` or ids) by one process; `RecordError` for a missing one."""
        if not names:
            return []
        out = self.run("cat-file", "--batch", stdin="".join(f"{n}\n" for n in names).encode())
        bodies, position = list[bytes](), 0
        for name in names:
            end = out.index(b"\n", position)
            head = out[position:end].split()
            if len(head) != 3 or not head[2].isdigit():
                raise RecordError(f"{name} is not in {self._dir}")
            size = int(head[2])
            bodies.append(out[end + 1 : end + 1 + size])
            position = end + size + 2
        return bodies

    def read_tree(self, tree: str) -> dict[str, bytes]:
        """The files of a snapshot; raise `RecordError` where an entry is not a plain file with a plain path."""
        names: list[str] = []
        blobs: list[str] = []
        listed = self.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tree)
        for line in filter(None, listed.split(b"\0")):
            head, path = line.split(b"\t", 1)
            mode, kind, blob = head.decode().split()
            if kind != "blob" or mode not in PLAIN:
                raise RecordError(f"{tree} holds {path!r} with mode {mode}: only plain files belong in a snapshot")
            names.append(check_path(path.decode()))
            blobs.append(blob)
        return dict(zip(names, self.blobs(blobs), strict=True))

    def commits_with_files(self, commits: Sequence[str]) -> list[tuple[list[str], str, dict[str, bytes], str]]:
        """Per commit: its header lines but `tree`, its message, its files, and the tree of its `recipe/` or ""."""
        raw = [body.decode("utf-8", "replace").partition("\n\n") for body in self.blobs(commits)]
        trees = self.blobs([f"{commit}^{{tree}}" for commit in commits])
        entries = [{name: entry for _, name, entry in tree_entries(tree)} for tree in trees]
        wanted = [(i, name) for i, tree in enumerate(entries) for name in tree if name != "recipe"]
        bodies = self.blobs([entries[i][name] for i, name in wanted])
        files: list[dict[str, bytes]] = [{} for _ in commits]
        for (i, name), body in zip(wanted, bodies, strict=True):
            files[i][name] = body
        return [
            (
                [line for line in head.splitlines() if not line.startswith("tree ")],
                text,
                files[i],
                tree.get("recipe", ""),
            )
            for i, ((head, _, text), tree) in enumerate(zip(raw, entries, strict=True))
        ]

    def diff(self, before: str, after: str) -> str:
        """Unified diff of two trees."""
        return self.run(
            "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--end-of-options", before, after
        ).decode("utf-8", "replace")

    def changed_lines(self, pairs: Sequence[tuple[str, str]]) -> list[dict[str, int]]:
        """For each pair of trees, by one process, the files that differ with their lines added plus removed.

        A file with a NUL byte has no lines to git: it differs by 0.
        """
        if not pairs:
            return []
        # Every option that counts lines is spelt out: `verify` must count as whoever recorded the trial did.
        how = ("-r", "--numstat", "--no-renames", "--diff-algorithm=myers", "--no-ext-diff", "--no-textconv")
        out = self.run("diff-tree", "--stdin", *how, stdin="".join(f"{a} {b}\n" for a, b in pairs).encode())
        found: list[dict[str, int]] = []
        for line in out.decode().splitlines():
            added, _, rest = line.partition("\t")
            removed, _, path = rest.partition("\t")
            if path:
                found[-1][path] = 0 if added == "-" else int(added) + int(removed)
            else:
                found.append({})
        return found

    def texts(self) -> Generator[tuple[str, str]]:
        """Every object that the refs reach: its id with its path, and its text; a folder's holds the names in it."""
        listed = self.run("rev-list", "--objects", "--all").decode("utf-8", "replace").splitlines()
        for start in range(0, len(listed), _BATCH):
            batch = listed[start : start + _BATCH]
            for name, body in zip(batch, self.blobs([x[:40] for x in batch]), strict=True):
                yield f"{name[:12]} {name[41:]}".strip(), body.decode("utf-8", "replace")

    def fsck(self, *, full: bool) -> str:
        """What `git fsck` finds wrong; empty when nothing is."""
        kind = ("--full", "--strict") if full else ("--connectivity-only",)
        try:
            self.run("fsck", *kind, "--no-dangling", "--no-progress")
        except RecordError as error:
            return str(error)
        return ""

    # ---- writing objects

    def write_tree(self, files: Files) -> str:
        """Write a snapshot's blobs and trees; return the tree's id."""
        with tempfile.TemporaryDirectory() as scratch:
            bodies = [Path(scratch, str(i)) for i in range(len(files))]
            for target, body in zip(bodies, files.values(), strict=True):
                target.write_bytes(body)
            paths = "".join(f"{p}\n" for p in bodies).encode()
            blobs = self.run("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=paths).decode().split()
        return self._mktree({tuple(check_path(p).split("/")): b for p, b in zip(files, blobs, strict=True)})

    def _mktree(self, blobs: Mapping[tuple[str, ...], str], trees: Mapping[str, str] = {}) -> str:
        lines = [f"100644 blob {blob}\t{path[0]}" for path, blob in blobs.items() if len(path) == 1]
        lines += [f"040000 tree {tree}\t{name}" for name, tree in trees.items()]
        for name in sorted({path[0] for path in blobs if len(path) > 1}):
            inner = self._mktree({path[1:]: b for path, b in blobs.items() if len(path) > 1 and path[0] == name})
            lines.append(f"040000 tree {inner}\t{name}")
        return self._line("mktree", stdin="".join(f"{line}\n" for line in lines).encode())

    def write_commit(
        self, files: Files, message: str, signed: Signature, parents: Sequence[str], recipe: str | None = None
    ) -> str:
        """Write a commit whose tree holds `files` and, as `recipe/`, the snapshot `recipe`; return its id."""
        blobs = {(name,): self._line("hash-object", "-w", "--stdin", stdin=body) for name, body in files.items()}
        tree = self._mktree(blobs, {"recipe": recipe} if recipe else {})
        flags = [flag for parent in parents for flag in ("-p", parent)]
        return self._line("commit-tree", tree, *flags, "-F", "-", stdin=message.encode(), dated=signed)


def tree_entries(raw: bytes) -> Iterator[tuple[str, str, str]]:
    """Mode, name and object id of each entry of a raw tree object."""
    while raw:
        head, _, rest = raw.partition(b"\0")
        mode, _, name = head.decode("utf-8", "backslashreplace").partition(" ")
        yield mode, name, rest[:20].hex()
        raw = rest[20:]


def _options() -> list[str]:
    return [part for setting in _CONFIG for part in ("-c", setting)]


def _clean_environment(dated: Signature | None, protocols: str) -> list[str]:
    """An `env -i` prefix: no GIT_* variable, hook or configuration of the user reaches git."""
    variables = {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        # Stronger than any configuration: no object that lacks is fetched by a command that a repository names.
        "GIT_ALLOW_PROTOCOL": protocols,
    }
    if dated:
        date = f"{int(dated.at.timestamp())} +0000"
        variables |= {
            "GIT_AUTHOR_NAME": dated.author,
            "GIT_AUTHOR_EMAIL": f"{dated.author}@espalier.invalid",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": "evaluator",
            "GIT_COMMITTER_EMAIL": "evaluator@espalier.invalid",
            "GIT_COMMITTER_DATE": date,
        }
    return ["env", "-i", *(f"{key}={value}" for key, value in variables.items())]
