"""The stand-in's policy: turn one knob of the own role (a generalist: any knob), near the best recipe, and go on where
it helped.

A pure function from a conversation to the next step. It is a plain search, not a language model: it knows what its
tools answered in this conversation and nothing else.
"""

import hashlib
import re
from statistics import median
from typing import Any

from agent_client.standin.conversation import PREFIX, Call, Conversation, Say, Use
from agent_client.standin.knobs import Attempt, Move, choose, parse_title, read_knobs
from lineage_repo.model.measurement import Record

MAX_PAGES = 20
MAX_FILES = 20
_WHO = re.compile(r"^You are the (specialist|generalist) `([a-z][a-z0-9_-]*)`", re.M)
_OBJECTIVE = re.compile(r"^Objective: `?([a-z0-9_-]+)`?.*?(lower|higher) is better", re.M)
_BEST = re.compile(r"^The best so far: trial (\d+), (-?[\d.]+)", re.M)
"""Only in an opening message of a session that can't read the record."""
_BEST_NOW = re.compile(r"or (\d+), the best now")
"""In the refusal of a rebase to what has just stopped being the best."""
_NUMBERED = re.compile(r"^ *\d+[\t→](.*)$", re.M)

_MEASURING = frozenset({"submit_trial", "wait_trial"})

Step = list[Use] | Say
Row = dict[str, Any]
"""One row of `read_lineage`, as it came."""


def next_step(conversation: Conversation) -> Step:
    """What to do after everything that the conversation holds."""
    aim = _aim(conversation.opening)
    if aim is None:
        return Say(text="The stand-in found no specialist and no objective in the opening message, so it does nothing.")
    if failed := next((call for call in conversation.calls if call.error and not _BEST_NOW.search(call.text)), None):
        return Say(text=f"{failed.name} answered with an error, so the stand-in ends here: {failed.text[:400]}")
    newest = conversation.calls[-1] if conversation.calls else None
    if newest and newest.name in _MEASURING:
        result = newest.data
        if result.get("state") == "running":
            return [_tool("wait_trial", trial=result["trial"])]
        if not result.get("submits_left"):
            return Say(
                text=f"Trial {result.get('trial')} is recorded and no submit is left: {result.get('message', '')}"
            )
    return _in_round(conversation, _round(conversation), aim)


class _Aim(Record):
    """What the opening message asks for."""

    name: str
    role: str | None
    """Whose knobs may be turned; None for anybody's."""
    metric: str
    lower: bool
    best: Row | None
    """Number and score of the best where the record can't be read."""

    @property
    def view(self) -> str:
        """Where the record tells what was tried with these knobs."""
        return "role" if self.role else "recent"


def _aim(opening: str) -> _Aim | None:
    who, objective, best = _WHO.search(opening), _OBJECTIVE.search(opening), _BEST.search(opening)
    if not who or not objective:
        return None
    return _Aim(
        name=who[2],
        role=who[2] if who[1] == "specialist" else None,
        metric=objective[1],
        lower=objective[2] == "lower",
        best={"trial": int(best[1]), "score": float(best[2])} if best else None,
    )


def _round(conversation: Conversation) -> Conversation:
    """The calls since the last trial that is done."""
    ends = [c.name in _MEASURING and c.data.get("state") == "done" for c in conversation.calls]
    return conversation.since(len(ends) - ends[::-1].index(True) if True in ends else 0)


def _in_round(whole: Conversation, here: Conversation, aim: _Aim) -> Step:
    """The first thing that this round still lacks."""
    best = _best_told(whole, aim.best) if aim.best else _best_read(here)
    if best is None:
        return [_tool("read_lineage", view="best")]
    base = next((c for c in reversed(here.calls) if c.name == "rebase_to" and not c.error), None)
    if base is None:
        return [_tool("rebase_to", trial=best["trial"])]
    if unread := _unread(here, base, aim):
        return unread
    rows = _own_rows(whole) if aim.best else [row for page in _pages(here, aim) for row in page.data["rows"]]
    move = _choose(whole, base, rows, aim)
    if move is None:
        return Say(text=f"The stand-in finds no knob of {aim.name} with a value left to try near the best recipe.")
    return _carry_out(here, move) or [
        _tool(
            "submit_trial",
            title=move.title,
            hypothesis=_hypothesis(move, aim),
            expected_delta=_guess(rows, best, aim.lower),
        )
    ]


def _best_read(here: Conversation) -> Row | None:
    """The best as the record showed it in this round."""
    shown = here.last("read_lineage", view="best")
    return shown.data["rows"][0] if shown else None


def _best_told(whole: Conversation, best: Row) -> Row:
    """The best where the record can't be read: from the opening message, verdicts, and refusals."""
    for call in whole.calls:
        if call.name in _MEASURING and call.data.get("best_trial") is not None:
            best = {"trial": call.data["best_trial"], "score": call.data["best_score"]}
        elif call.error and (now := _BEST_NOW.search(call.text)):
            best = {**best, "trial": int(now[1])}
    return best


def _pages(here: Conversation, aim: _Aim) -> list[Call]:
    return [c for c in here.calls if c.name == "read_lineage" and c.input["view"] == aim.view and "page" in c.input]


def _unread(here: Conversation, base: Call, aim: _Aim) -> list[Use]:
    """The reads that this round still lacks."""
    files = [] if here.last("Read") else [Use(name="Read", input={"file_path": path}) for path in _paths(base)]
    if aim.best:
        return files
    pages = _pages(here, aim)
    if not pages:
        recent = [_tool("read_lineage", view="recent")] if aim.role else []
        return [*files, *recent, _tool("read_lineage", view=aim.view, page=1)]
    total = min(int(pages[-1].data["pages"]), MAX_PAGES)
    return [_tool("read_lineage", view=aim.view, page=page) for page in range(len(pages) + 1, total + 1)]


def _own_rows(whole: Conversation) -> list[Row]:
    """The trials of this conversation as rows: all that is known where the record can't be read."""
    rows: list[Row] = []
    parent, title = None, ""
    for call in whole.calls:
        if call.name == "rebase_to" and not call.error:
            parent = call.data["trial"]
        if call.name == "submit_trial":
            title = str(call.input["title"])
        if call.name in _MEASURING and call.data.get("state") == "done":
            rows.append({**call.data, "title": title, "parent": parent})
    return rows


def _carry_out(here: Conversation, move: Move) -> Step | None:
    """Edit and check; an edit that does not compile is taken back. None when the edit is in place."""
    check, base = here.last("syntax_check"), here.last("rebase_to")
    if not here.last("Edit"):
        edit = {"file_path": move.knob.file, "old_string": move.knob.line, "new_string": move.knob.edited(move.new)}
        return [Use(name="Edit", input=edit)]
    if check is None:
        return [_tool("syntax_check")]
    if check.data.get("ok"):
        return None
    if here.calls[-1] is check and base:
        return [_tool("rebase_to", trial=base.input["trial"])]
    return Say(text=f"{move.title} failed the syntax check and was taken back: {check.data.get('message', '')}")


def _choose(whole: Conversation, base: Call, rows: list[Row], aim: _Aim) -> Move | None:
    """The move of this round: always the same one for the same reads."""
    knobs = [knob for path in _paths(base) for knob in read_knobs(_read(whole, path), aim.role, path)]
    titles = [parse_title(str(c.input.get("title", ""))) for c in whole.calls if c.name == "submit_trial"]
    made = {(turn[0], turn[2]) for turn in titles if turn}
    salt = hashlib.sha256(whole.opening.encode()).hexdigest()
    return choose(knobs, _attempts(rows), int(base.data["trial"]), made, salt)


def _paths(base: Call) -> list[str]:
    """The files that `rebase_to` put into the working copy."""
    return [f"{base.data['folder']}/{file}" for file in sorted(base.data["files"])[:MAX_FILES]]


def _read(whole: Conversation, path: str) -> str:
    """A file's text from the newest Read that showed it; Claude Code answers a repeated Read with a stub."""
    for call in reversed(whole.calls):
        if call.name == "Read" and call.input.get("file_path") == path and (lines := _NUMBERED.findall(call.text)):
            return "\n".join(lines)
    return ""


def _attempts(rows: list[Row]) -> list[Attempt]:
    """What the rows say about turned knobs, oldest first."""
    found = [(row, parse_title(str(row["title"]))) for row in sorted(rows, key=lambda row: int(row["trial"]))]
    return [
        Attempt(parent=row.get("parent"), name=turn[0], old=turn[1], new=turn[2], kept=row["status"] == "keep")
        for row, turn in found
        if turn
    ]


def _guess(rows: list[Row], best: Row, lower: bool) -> float:
    """Half of what such edits usually change, in the improving direction; half a percent before anything is known."""
    seen = [abs(float(row["delta_vs_parent"])) for row in rows if row.get("delta_vs_parent") is not None]
    size = median(seen) / 2 if seen else abs(float(best.get("score") or 1.0)) * 0.005
    return float(f"{-size if lower else size:.3g}")


def _hypothesis(move: Move, aim: _Aim) -> str:
    knob, verb = move.knob, "raising" if move.new > move.knob.value else "lowering"
    why = "the last step in this direction was kept, so" if move.follows else "it was not tried from here, and"
    change = f"{verb} it from {knob.written(knob.value)} to {knob.written(move.new)}"
    return f"{knob.name} sets {knob.meaning}; {why} {change} may {'lower' if aim.lower else 'raise'} {aim.metric}."


def _tool(name: str, **arguments: object) -> Use:
    return Use(name=PREFIX + name, input=arguments)
