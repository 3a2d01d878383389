"""The hostile corpus: measure every attack by the real path and compare it with what its header expects.

`python -m tests.hostile_suite [DIR] [--only GLOB] [--json]`; hostile/README.md says how to add an attack.
"""

import fnmatch
import json
import os
import re
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio
import click
import tomli_w
from mcp import Client

from lineage_repo.errors import SnapshotError
from lineage_repo.model.ledger import Proposal, Trial
from lineage_repo.model.measurement import Status
from lineage_repo.model.paths import JobPaths
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.builtin import data_folder
from lineage_repo.task.folder import TaskFolder
from lineage_repo.text.sanitize import check_line
from lineage_repo.verification.verify import verify
from mcp_server.sandbox.host import Host
from mcp_server.tools.server import build
from mcp_server.tools.workspace import Workspace
from mcp_server.trial import calibration, runner
from mcp_server.trial.executor import LocalExecutor

CORPUS = Path(__file__).parent.parent / "hostile"
CLASSES = {s.value for s in Status} - {"baseline", "keep", "discard"} | {"honest", "keep-honest", "refused", "accepted"}
GAIN = "GAIN"
_CGROUPS = Path("/sys/fs/cgroup")
_KEYS = {"id", "attack", "file", "base", "prepend", "set", "pad", "encoding", "expect", "line", "open"}
_LUCK = {"toy": 0.05, "airbench_cpu": 0.8, "parameter_golf_cpu": 0.4, "nanochat_cpu": 0.15}
"""Gain in the objective's unit that is far above the noise: more than this is no luck but a hole."""
# Short phases and small boxes bound every attack. On the toy, each attack whose score is not far off goes through a
# whole screen and blocks against the head, since it may also harm the recipe that it is compared with; the high
# confidence keeps most inert attacks from moving the head. The slow tasks use the rule `any`: always `n_seeds` turns,
# and with `_LUCK` as `min_delta` a keep is none.
_COPIES: dict[str, dict[str, Any]] = {
    "toy": {
        "judge": {"hopeless_z": 8.0, "screen_z": -8.0, "blocks": 2, "observed_confidence": 0.9},
        "limits": {"memory_bytes": 150_000_000, "scratch_bytes": 8_000_000, "total_bytes": 6_000},
        "phases": [{"limit_s": 1.0, "ready_s": 3.0}, {"limit_s": 1.0}],
    },
    "airbench_cpu": {
        "n_seeds": 1,
        "objective": {"min_delta": _LUCK["airbench_cpu"]},
        "judge": {"rule": "any"},
        "gates": [{"metric": "accuracy", "at_least": 0.935, "rule": "mean"}],
        "phases": [{"limit_s": 6.0, "ready_s": 30.0}, {"limit_s": 3.0, "ready_s": 30.0}],
    },
    "parameter_golf_cpu": {
        "n_seeds": 2,  # the attack that carries text from one to the next needs them
        "objective": {"min_delta": _LUCK["parameter_golf_cpu"]},
        "judge": {"rule": "any"},
        "limits": {"total_bytes": 130_000},
        "phases": [{"ready_s": 30.0}, {"limit_s": 3.0, "ready_s": 30.0}],
    },
    "nanochat_cpu": {
        "n_seeds": 1,
        "gates": [{"metric": "bpb", "at_most": 6.0, "rule": "mean"}],
        "objective": {"min_delta": _LUCK["nanochat_cpu"]},
        "judge": {"rule": "any"},
        "phases": [{"limit_s": 15.0, "ready_s": 60.0}, {"limit_s": 12.0, "ready_s": 60.0}],
    },
}


class BadAttackError(ValueError):
    """An attack file can't be run; the message names the file and the key."""


@dataclass(frozen=True)
class Attack:
    """One file of the corpus: what its header says, and what it does."""

    name: str
    task: str
    id: str
    summary: str
    expect: frozenset[str]
    line: str
    open: str
    """The known hole for which this attack gets another result today; empty if it must be stopped."""
    header: Mapping[str, str]
    parts: tuple[tuple[str, str, str], ...]
    """For every file that it changes: how (`file`, `base`, `prepend`), path and text."""
    call: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def recipe(self, start: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the starting recipe with this attack in it."""
        files = dict(_apply_settings(start, self.header.get("set", "")))
        for how, path, text in self.parts:
            body = text.encode(self.header.get("encoding", "utf-8"))
            before = files.get(path, b"")
            files[path] = before + b"\n" + body if how == "base" else body + before if how == "prepend" else body
        if pad := int(self.header.get("pad", "0")):
            files[self.parts[0][1]] += b"#" * pad + b"\n"
        return files


@dataclass(frozen=True)
class Row:
    """The result of one attack."""

    attack: str
    id: str
    expected: str
    got: str
    gain: float | None
    sds: float | None
    line: str
    seconds: float
    open: str = ""

    @property
    def gained(self) -> bool:
        return self.got == GAIN

    @property
    def good(self) -> bool:
        return not self.gained and self.got in self.expected.split(",")

    def text(self) -> str:
        gain = "" if self.gain is None else f"{self.gain:+.4f} {self.sds:+6.1f} sd"
        mark = "" if self.good else "  OPEN: known, see its header" if self.open else f"  UNEXPECTED: {self.line}"
        return (
            f"{self.attack:<42} {self.id:<4}{self.expected:<30.30} {self.got:<20} {gain:>19}{self.seconds:6.1f}s{mark}"
        )


# ---- reading the corpus


def read(folder: Path, only: str = "*") -> list[Attack]:
    """Read every attack below `folder` whose `task/name` matches.

    A file directly in `folder` attacks the task that the folder is named after, or else the toy task.
    """
    own = folder.resolve().name if folder.resolve().name in {*_COPIES, "tools"} else "toy"
    attacks: list[Attack] = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".py", ".json"} and p.is_file()):
        task = path.parent.name if path.parent != folder else own
        name = f"{task}/{path.stem}"
        if fnmatch.fnmatch(name, only) or fnmatch.fnmatch(path.stem, only):
            attacks.append(_read_tool(path, name) if path.suffix == ".json" else _read_recipe(path, name, task))
    return attacks


def _read_recipe(path: Path, name: str, task: str) -> Attack:
    lines = path.read_text("utf-8").splitlines(keepends=True)
    header: dict[str, str] = {}
    at = 0
    for at, line in enumerate(lines):  # noqa: B007 (where the header ends)
        key, colon, value = line.removeprefix("#").strip().partition(":")
        if not line.startswith("# ") or not colon or key not in _KEYS:
            break
        header[key] = value.strip()
    how = next((h for h in ("file", "base", "prepend") if h in header), None)
    if task not in _COPIES:
        raise BadAttackError(f"{path}: put it in a folder named {' or '.join(_COPIES)}, not {task!r}")
    if how is None:
        raise BadAttackError(f"{path}: the header has none of file, base and prepend: name the recipe file it changes")
    parts: list[tuple[str, str, str]] = []
    kind, target, body = how, header[how], ""
    for line in lines[at:]:
        if line.startswith("# --- "):
            parts.append((kind, target, body))
            words, body = line.split()[2:], ""
            kind, target = (words[0], words[1]) if len(words) == 2 else ("file", words[0])
        else:
            body += line
    return _make_attack(path, name, task, header, (*parts, (kind, target, body)), {})


def _read_tool(path: Path, name: str) -> Attack:
    raw = _expand(json.loads(path.read_text("utf-8")))
    header = {k: v for k, v in raw.items() if isinstance(v, str)}
    return _make_attack(path, name, "tools", header, (), raw)


def _make_attack(
    path: Path, name: str, task: str, header: Mapping[str, str], parts: tuple[tuple[str, str, str], ...], call: Any
) -> Attack:
    if missing := [key for key in ("id", "attack", "expect") if not header.get(key)]:
        raise BadAttackError(f"{path}: the header lacks {', '.join(missing)}")
    expect = frozenset(word.strip() for word in header["expect"].split(","))
    if unknown := expect - CLASSES:
        raise BadAttackError(f"{path}: expect names {sorted(unknown)}; there are {', '.join(sorted(CLASSES))}")
    return Attack(
        name=name,
        task=task,
        id=header["id"],
        summary=header["attack"],
        expect=expect,
        line=header.get("line", ""),
        open=header.get("open", ""),
        header=header,
        parts=parts,
        call=call,
    )


def _expand(value: Any) -> Any:
    """Replace `{"$repeat": [text, times]}` by the text, which is too long for a file."""
    if isinstance(value, dict):
        inside = cast("dict[str, Any]", value)
        if "$repeat" in inside:
            text, times = inside["$repeat"]
            return str(text) * int(times)
        return {key: _expand(inner) for key, inner in inside.items()}
    if isinstance(value, list):
        return [_expand(inner) for inner in cast("list[Any]", value)]
    return value


def _apply_settings(start: Mapping[str, bytes], settings: str) -> Mapping[str, bytes]:
    """Change module-level constants: `fit.py LR = 0.4; fit.py STEPS = 24`; honest work that an attack hides behind."""
    files = dict(start)
    for path, _, assignment in (part.strip().partition(" ") for part in settings.split(";") if part.strip()):
        name = assignment.partition("=")[0]
        lines = files[path].decode().splitlines()
        files[path] = ("\n".join(assignment if x.startswith(name) else x for x in lines) + "\n").encode()
    return files


# ---- campaigns


def copy_task(name: str, folder: Path, editable: str) -> TaskFolder:
    """Copy a built-in task with small limits, so that no attack takes long, and the files that agents may edit."""
    shutil.copytree(data_folder("tasks") / name, folder)
    raw = tomllib.loads((folder / "task.toml").read_text("utf-8"))
    changes: dict[str, Any] = {**_COPIES[name], "recipe": {"editable": [editable]}}
    for key, change in changes.items():
        if key == "phases":
            raw[key] = [{**old, **new} for old, new in zip(raw[key], change, strict=True)]
        else:
            raw[key] = {**raw.get(key, {}), **change} if isinstance(change, dict) else change
    (folder / "task.toml").write_text(tomli_w.dumps(raw), "utf-8")
    return TaskFolder.load(folder)


class Arena:
    """Calibrated campaigns in one temporary folder, one per task; each is made when it is first needed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.host = Host(state=root / "state", path=os.environ["PATH"])
        self._campaigns: dict[str, Campaign] = {}
        self._references: dict[tuple[str, str], float] = {}
        self.cgroups = _list_cgroups()

    def campaign(self, task: str) -> Campaign:
        """Return the campaign of a task; any other name gets a copy of the toy's, so that attacks stay apart."""
        if task in self._campaigns:
            return self._campaigns[task]
        folder = self.root / f"campaign-{task}"
        if task in {*_COPIES, "tools"}:
            # Recipes are measured without the tools, which would refuse a file that nobody may edit.
            name, editable = ("toy", "*.py") if task == "tools" else (task, "*")
            campaign = Campaign.create(folder, copy_task(name, self.root / f"task-{task}", editable))
            calibration.calibrate(campaign, 3, LocalExecutor(self.host))
            # Opened again: a campaign's own copy of the lineage is what every later reader gets.
            self._campaigns[task] = Campaign.open(folder)
        else:
            shutil.copytree(self.campaign("toy").folder, folder)
            self._campaigns[task] = Campaign.open(folder)
        return self._campaigns[task]

    def campaigns(self) -> list[Campaign]:
        """Return the campaigns that were used."""
        return list(self._campaigns.values())

    def baseline(self, task: str) -> Trial:
        """Return the calibrated start."""
        return self.campaign(task).lineage.refresh().trials[0]

    def noise(self, task: str) -> float:
        """Return the standard deviation of one seed, from the calibration."""
        campaign = self.campaign(task)
        return campaign.lineage.noise(campaign.task)[campaign.task.objective.metric].sd

    def reference(self, attack: Attack) -> float:
        """Return the score of the recipe without the attack: the baseline, or its honest settings measured alone."""
        settings = attack.header.get("set", "")
        key = (attack.task, settings)
        if key not in self._references:
            score = self.baseline(attack.task).score
            if settings:
                start = self.campaign(attack.task).lineage.read_recipe(0)
                # Settings that help the toy would become the head that its attacks are judged against.
                place = "reference" if attack.task == "toy" else attack.task
                score = measure(self, place, dict(_apply_settings(start, settings)), attack).score
            if score is None:
                raise BadAttackError(f"{attack.name}: its honest settings alone have no score")
            self._references[key] = score
        return self._references[key]


def measure(arena: Arena, task: str, files: Mapping[str, bytes], attack: Attack) -> Trial:
    """Register a recipe and run it in this process, as a detached runner would."""
    campaign = arena.campaign(task)
    lineage = campaign.lineage.refresh()
    proposal = Proposal(
        parent=0,
        title=attack.name[:60],
        hypothesis=attack.summary[:2000],
        expected_delta=0.0,
        specialist=campaign.settings.specialists[0],
        session="hostile",
        recipe_tree=lineage.store.write_tree(files),
    )
    number = lineage.register(proposal, campaign.settings.digests, lambda n: campaign.paths.trial(n).folder.mkdir())
    return runner.run(campaign, number, arena.host)


# ---- running


def run(arena: Arena, attack: Attack) -> Row:
    """Run one attack."""
    begun = time.monotonic()
    if attack.task == "tools":
        got, gain, line = anyio.run(_run_tool, arena, attack)
        task = "toy"
    else:
        task = attack.task
        got, gain, line = _run_recipe(arena, attack)
    if attack.line and got not in {GAIN} and not re.search(attack.line, line):
        got += "?"
    return Row(
        attack=attack.name,
        id=attack.id,
        expected=",".join(sorted(attack.expect)),
        got=got,
        gain=gain,
        sds=None if gain is None else gain / max(arena.noise(task), 1e-12),
        line=line,
        seconds=time.monotonic() - begun,
        open=attack.open,
    )


def _run_recipe(arena: Arena, attack: Attack) -> tuple[str, float | None, str]:
    keeps = "keep-honest" in attack.expect
    place = attack.name.replace("/", "-") if keeps else attack.task
    reference = arena.reference(attack)
    try:
        trial = measure(arena, place, attack.recipe(arena.campaign(attack.task).lineage.read_recipe(0)), attack)
    except SnapshotError as error:
        return "refused", None, str(error)
    return _classify(arena.campaign(place), trial, reference, honest_keep=keeps)


def _classify(
    campaign: Campaign, trial: Trial, reference: float, *, honest_keep: bool
) -> tuple[str, float | None, str]:
    """Classify a finished trial; a line or a trailer that the recipe forged has its own class."""
    line = trial.verdict.failure or ""
    status = campaign.lineage.store.run("log", "-1", "--format=%(trailers:key=Status,valueonly)", _commit(trial))
    if status.decode().split() != [trial.status.value] or check_line(line) != line or len(line) > 400:
        return "forged-text", None, line
    if trial.score is None:
        return trial.status.value, None, line
    objective = campaign.task.objective
    gain = objective.gain(trial.score, reference)
    over_head = trial.verdict.gain.mean if trial.verdict.gain and not honest_keep else 0.0
    if max(gain, over_head) > _LUCK[campaign.task.name]:
        return GAIN, gain, f"{trial.status} at {trial.score}"
    return "keep-honest" if honest_keep and trial.status is Status.KEEP else "honest", gain, line


def _commit(trial: Trial) -> str:
    return f"refs/tags/trial/{trial.number:04d}"


async def _run_tool(arena: Arena, attack: Attack) -> tuple[str, float | None, str]:
    """Make the calls of a tool attack; the last one's answer counts, and a refusal may leave nothing in the ledger."""
    campaign = arena.campaign("tools")
    session = attack.name.partition("/")[2][:60]
    workspace = Workspace(campaign, "opt", session, int(attack.call.get("max_submits", 3)), arena.host)
    try:
        workspace.workdir.rebase(0)
        for entry in attack.call.get("workdir", ()):
            _place(workspace.workdir.folder, entry)
        started = len(workspace.lineage.refresh().registered)
        async with Client(build(workspace)) as client:
            for earlier in attack.call.get("first", ()):
                await client.call_tool(earlier["tool"], earlier["arguments"])
                started = len(workspace.lineage.refresh().registered)
            try:
                with anyio.fail_after(60):
                    result = await client.call_tool(attack.call["tool"], attack.call["arguments"])
            except TimeoutError:
                return "hung", None, "no answer within 60 s"
            text = " ".join(str(getattr(part, "text", "")) for part in result.content)
            while running := workspace.lineage.refresh().running():
                await client.call_tool("wait_trial", {"trial": running[0].number})
        if result.is_error:
            grown = len(workspace.lineage.refresh().registered) != started
            return "registered" if grown else "refused", None, text
        return _classify_reply(arena, campaign, result.structured_content or {}, text)
    finally:
        _clear(workspace.workdir.folder)
        workspace.workdir.close()


def _classify_reply(
    arena: Arena, campaign: Campaign, reply: Mapping[str, Any], text: str
) -> tuple[str, float | None, str]:
    """Classify an answered call: if it measured a trial, the trial must have no gain."""
    number = reply.get("trial")
    trial = campaign.lineage.refresh().trials.get(number) if isinstance(number, int) else None
    if trial is None or trial.number == 0 or trial.score is None:
        return "accepted", None, text
    got, gain, _ = _classify(campaign, trial, arena.baseline("toy").score or 0.0, honest_keep=False)
    return ("accepted" if got == "honest" else got), gain, text


def _place(folder: Path, entry: Mapping[str, Any]) -> None:
    """Put a file into the working copy, as an agent could."""
    path = folder / entry["path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    if "link" in entry:
        path.unlink(missing_ok=True)
        path.symlink_to(entry["link"])
    elif "hard" in entry:
        path.hardlink_to(folder / entry["hard"])
    elif entry.get("fifo"):
        os.mkfifo(path)
    elif entry.get("folder"):
        path.mkdir()
    elif entry.get("delete"):
        path.unlink()
    elif "count" in entry:
        for index in range(entry["count"]):
            path.with_name(f"{path.stem}{index}{path.suffix}").write_text("", "utf-8")
    else:
        before = path.read_text("utf-8") if entry.get("append") else ""
        path.write_text(before + entry.get("text", ""), "utf-8")


def _clear(folder: Path) -> None:
    """Empty the working copy, whatever an attack left there."""
    shutil.rmtree(folder)
    folder.mkdir()


# ---- what must be true at the end


def find_problems(arena: Arena) -> Iterator[str]:
    """Find what an attack left behind, and what is wrong with the record."""
    for campaign in arena.campaigns():
        name = campaign.folder.name
        for problem in verify(campaign.lineage.store).problems:
            yield f"{name}: {problem}"
        for path in (path for folder in campaign.folder.glob("trials/*/job-*") for path in JobPaths(folder).staged):
            if path.exists() or path.is_symlink():
                yield f"{name}: job scratch left: {path.relative_to(campaign.folder)}"
        for folder in campaign.paths.boxes.glob("*"):
            yield f"{name}: box folder left: {folder.name}"
        if campaign.lineage.refresh().running() or campaign.lineage.running_proof():
            yield f"{name}: a trial or a proof has no outcome"
    yield from _find_leftovers(arena)


def _find_leftovers(arena: Arena) -> list[str]:
    """Find processes, mounts and control groups that still exist after the kernel had some seconds."""
    left: list[str] = []
    for _ in range(50):
        left = [*_find_processes(arena.root), *_find_mounts(arena.root), *_find_orphans(arena.cgroups)]
        if not left:
            break
        time.sleep(0.1)
    return left


def _find_processes(root: Path) -> list[str]:
    """Find processes whose command line or mounts name the arena: workers, boxes and what runs in them."""
    needle = str(root).encode()
    return [
        f"process left: {p.name} {_read(p / 'cmdline')[:200]!r}"
        for p in Path("/proc").glob("[0-9]*")
        if int(p.name) != os.getpid()
        and (needle in _read(p / "cmdline") or root.name.encode() in _read(p / "mountinfo"))
    ]


def _find_mounts(root: Path) -> list[str]:
    lines = _read(Path("/proc/self/mountinfo")).decode("utf-8", "replace").splitlines()
    return [f"mount left: {line}" for line in lines if root.name in line]


def _list_cgroups() -> frozenset[str]:
    return frozenset(str(p) for deep in ("espalier-*", "*/espalier-*") for p in _CGROUPS.glob(deep))


def _find_orphans(before: frozenset[str]) -> list[str]:
    """Find new control groups without a live owner; another harness on this host may have some with one."""
    new = _list_cgroups() - before
    owners = {p: re.match(r"espalier-(\d+)\.", Path(p).name) for p in new}
    return [f"control group left: {p}" for p, own in owners.items() if not own or not Path(f"/proc/{own[1]}").exists()]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


# ---- the command


def run_suite(
    folder: Path, only: str = "*", *, show: bool = True, limit: int | None = None
) -> tuple[list[Row], list[str]]:
    """Run the attacks below `folder`; return the result of each, and the problems at the end."""
    attacks = read(folder, only)
    if limit and len(attacks) > limit:
        attacks = [attacks[i * len(attacks) // limit] for i in range(limit)]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="espalier-hostile-") as scratch:
        arena = Arena(Path(scratch).resolve())
        for attack in attacks:
            rows.append(run(arena, attack))
            if show:
                click.echo(rows[-1].text())
        return rows, list(find_problems(arena))


def summarize(rows: list[Row]) -> str:
    """Summarize all results in one line."""
    known = [row for row in rows if row.open]
    held = [row for row in rows if not row.open]
    text = (
        f"{len(held)} attacks, {sum(r.gained for r in held)} score gains, {sum(r.good for r in held)} expected verdicts"
    )
    return text + (f"; {sum(not r.good for r in known)} of {len(known)} known holes open" if known else "")


@click.command()
@click.argument(
    "folder", metavar="[DIR]", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False
)
@click.option("--only", default="*", help="Attacks whose name matches, such as 'toy/s*' or 'a6_*'.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end, no table.")
def main(folder: Path | None, only: str, as_json: bool) -> None:
    """Run the hostile corpus, or another folder of attacks."""
    begun = time.monotonic()
    try:
        rows, problems = run_suite(folder or CORPUS, only, show=not as_json)
    except BadAttackError as error:
        raise click.ClickException(str(error)) from None
    bad = [row for row in rows if not row.good and not row.open]
    healed = [row for row in rows if row.good and row.open]
    if as_json:
        results = [vars(row) | {"good": row.good} for row in rows]
        click.echo(json.dumps({"rows": results, "problems": problems, "summary": summarize(rows)}, indent=1))
    else:
        for row in bad:
            click.echo(f"unexpected: {row.attack} expected {row.expected}, got {row.got}: {row.line}")
        for row in healed:
            click.echo(f"closed: {row.attack} now ends as expected: delete its `# open:` line")
        for problem in problems:
            click.echo(f"left: {problem}")
        click.echo(f"{summarize(rows)}, {len(problems)} things left behind, {time.monotonic() - begun:.0f} s")
    sys.exit(1 if bad or problems or healed or not rows else 0)


if __name__ == "__main__":
    main()
