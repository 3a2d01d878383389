"""A git repository that may be hostile: no setting of the user or of the repository makes git run anything.

The only module that runs git; `store` defines the ledger on top of it. Agents' text and paths reach git through
standard input, never as arguments.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import git

from lineage_repo.errors import RecordError
from lineage_repo.storage.objects import PLAIN_MODES, Commit, Signature, tree_entries
from lineage_repo.storage.snapshot import Files, check_path

_BATCH = 2000
"""Objects that `texts` keeps in memory at a time."""
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


class Repository:
    """One repository, bare or with a work tree; everything in it is addressed by object id or ref."""

    def __init__(self, path: Path) -> None:
        # Resolved, since the lock is named after the folder, and `.` is not a name.
        self.path = path = path.resolve()
        self._shell = git.Git()
        self._git = shutil.which("git") or "git"
        self._dir = path / ".git" if (path / ".git").is_dir() else path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def is_whole(self) -> bool:
        """Return whether the history is complete: neither grafted nor a shallow clone."""
        return not any((self._dir / name).exists() for name in ("info/grafts", "shallow"))

    def is_repository(self) -> bool:
        """Return whether there is a git repository at all."""
        return (self._dir / "HEAD").is_file()

    # ---- plumbing

    def run(
        self, *arguments: str, stdin: bytes = b"", signed: Signature | None = None, protocols: str = "none"
    ) -> bytes:
        """Run one git command in a clean environment and return its standard output.

        Git sees neither the environment nor the configuration of the user. It does read the repository's own
        configuration, which a stranger may have written, so each setting that names a program is overridden.

        Args:
            arguments: The command and its options; text that others wrote belongs in `stdin`.
            stdin: What git reads from standard input.
            signed: Author and time for commands that write a commit.
            protocols: Value of `GIT_ALLOW_PROTOCOL`; with `none` no command reaches a network.

        Raises:
            RecordError: git failed; the message has its last words.
        """
        with tempfile.TemporaryFile() as source:
            source.write(stdin)
            source.seek(0)
            try:
                output: Any = self._shell.execute(
                    [
                        *_clean_environment(signed, protocols),
                        self._git,
                        f"--git-dir={self._dir}",
                        *_options(),
                        *arguments,
                    ],
                    istream=source,
                    stdout_as_string=False,
                    strip_newline_in_stdout=False,
                )
                return bytes(output)
            except git.GitCommandError as error:
                reason = str(error.stderr).strip().removeprefix("stderr: ").strip("'\n ")
                raise RecordError(f"git {arguments[0]} failed in {self._dir}: {reason}") from None

    def _run_line(self, *arguments: str, stdin: bytes = b"", signed: Signature | None = None) -> str:
        return self.run(*arguments, stdin=stdin, signed=signed).decode().strip()

    # ---- reading

    def refs(self, *patterns: str) -> dict[str, str]:
        """Return ref names with the objects that they point at."""
        lines = self.run("for-each-ref", "--format=%(refname) %(objectname)", *patterns).decode().splitlines()
        return dict(line.split(" ") for line in lines)

    def blobs(self, names: Sequence[str]) -> list[bytes]:
        """Return the contents of objects, named by id or `<commit>:<path>`, by one process.

        Raises:
            RecordError: an object is missing.
        """
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
        """Return the files of a tree.

        Raises:
            RecordError: an entry is not a plain file.
            SnapshotError: a path is not plain.
        """
        names: list[str] = []
        blobs: list[str] = []
        listed = self.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tree)
        for line in filter(None, listed.split(b"\0")):
            head, path = line.split(b"\t", 1)
            mode, kind, blob = head.decode().split()
            if kind != "blob" or mode not in PLAIN_MODES:
                raise RecordError(f"{tree} has {path!r} with mode {mode}: only plain files belong in a snapshot")
            names.append(check_path(path.decode()))
            blobs.append(blob)
        return dict(zip(names, self.blobs(blobs), strict=True))

    def read_commits(self, commits: Sequence[str]) -> list[Commit]:
        """Return commits with the files at their top level, by three processes however many there are."""
        raw = [body.decode("utf-8", "replace").partition("\n\n") for body in self.blobs(commits)]
        trees = self.blobs([f"{commit}^{{tree}}" for commit in commits])
        entries = [{name: entry for _, name, entry in tree_entries(tree)} for tree in trees]
        wanted = [(i, name) for i, tree in enumerate(entries) for name in tree if name != "recipe"]
        bodies = self.blobs([entries[i][name] for i, name in wanted])
        files: list[dict[str, bytes]] = [{} for _ in commits]
        for (i, name), body in zip(wanted, bodies, strict=True):
            files[i][name] = body
        return [
            Commit(
                header=[line for line in header.splitlines() if not line.startswith("tree ")],
                message=message,
                files=files[i],
                recipe_tree=tree.get("recipe", ""),
            )
            for i, ((header, _, message), tree) in enumerate(zip(raw, entries, strict=True))
        ]

    def diff(self, before: str, after: str) -> str:
        """Return the unified diff of two trees."""
        return self.run(
            "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--end-of-options", before, after
        ).decode("utf-8", "replace")

    def changed_lines(self, pairs: Sequence[tuple[str, str]]) -> list[dict[str, int]]:
        """Return for each pair of trees the files that differ, with their lines added plus removed; by one process.

        To git a file with a NUL byte has no lines, so it differs by 0.
        """
        if not pairs:
            return []
        # Every option that affects the count is explicit: `verify` must count as the recorder of the trial did.
        how = ("-r", "--numstat", "--no-renames", "--diff-algorithm=myers", "--no-ext-diff", "--no-textconv")
        out = self.run("diff-tree", "--stdin", *how, stdin="".join(f"{a} {b}\n" for a, b in pairs).encode())
        counts: list[dict[str, int]] = []
        for line in out.decode().splitlines():
            added, _, rest = line.partition("\t")
            removed, _, path = rest.partition("\t")
            if path:
                counts[-1][path] = 0 if added == "-" else int(added) + int(removed)
            else:
                counts.append({})
        return counts

    def texts(self) -> Generator[tuple[str, str]]:
        """Yield each object that the refs reach: its id with its path, and its text (of a folder, the names in it)."""
        listed = self.run("rev-list", "--objects", "--all").decode("utf-8", "replace").splitlines()
        for start in range(0, len(listed), _BATCH):
            batch = listed[start : start + _BATCH]
            for name, body in zip(batch, self.blobs([x[:40] for x in batch]), strict=True):
                yield f"{name[:12]} {name[41:]}".strip(), body.decode("utf-8", "replace")

    def fsck(self, *, full: bool) -> str:
        """Return what `git fsck` finds wrong; empty if it finds nothing."""
        kind = ("--full", "--strict") if full else ("--connectivity-only",)
        try:
            self.run("fsck", *kind, "--no-dangling", "--no-progress")
        except RecordError as error:
            return str(error)
        return ""

    # ---- writing objects

    def write_tree(self, files: Files) -> str:
        """Write a snapshot's blobs and trees and return the tree's id; raise `SnapshotError` for an odd path."""
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
        return self._run_line("mktree", stdin="".join(f"{line}\n" for line in lines).encode())

    def write_commit(
        self, files: Files, message: str, signed: Signature, parents: Sequence[str], recipe_tree: str | None = None
    ) -> str:
        """Write a commit of `files` (at the top level) and, as `recipe/`, of a snapshot's tree; return its id."""
        blobs = {(name,): self._run_line("hash-object", "-w", "--stdin", stdin=body) for name, body in files.items()}
        tree = self._mktree(blobs, {"recipe": recipe_tree} if recipe_tree else {})
        flags = [flag for parent in parents for flag in ("-p", parent)]
        return self._run_line("commit-tree", tree, *flags, "-F", "-", stdin=message.encode(), signed=signed)


def _options() -> list[str]:
    return [part for setting in _CONFIG for part in ("-c", setting)]


def _clean_environment(signed: Signature | None, protocols: str) -> list[str]:
    """Return an `env -i` prefix, so that no GIT_* variable, hook or configuration of the user reaches git."""
    variables = {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        # Overrides every configuration: git never fetches a missing object through a command that a repository names.
        "GIT_ALLOW_PROTOCOL": protocols,
    }
    if signed:
        date = f"{int(signed.at.timestamp())} +0000"
        variables |= {
            "GIT_AUTHOR_NAME": signed.author,
            "GIT_AUTHOR_EMAIL": f"{signed.author}@espalier.invalid",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": "evaluator",
            "GIT_COMMITTER_EMAIL": "evaluator@espalier.invalid",
            "GIT_COMMITTER_DATE": date,
        }
    return ["env", "-i", *(f"{key}={value}" for key, value in variables.items())]
