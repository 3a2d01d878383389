"""The stand-in's policy: change one knob of the own role near the head, and go on in a direction that helped.

A pure function from a conversation to the next step. It is a plain search, not a language model: it knows what its
tools answered in this conversation. The opening message says only who it is, what counts as better, and the head
where no tool may read the record. A generalist changes any knob.
"""

import hashlib
import re
from statistics import median

from agent_client.standin.conversation import PREFIX, Answer, Conversation, Say, Use
from agent_client.standin.knobs import Move, choose, read_attempt, read_knobs
from lineage_repo.model.measurement import Record

MAX_PAGES = 20
MAX_FILES = 20
_OPENING = re.compile(
    r"^You are the (?P<kind>specialist|generalist) `(?P<name>[a-z][a-z0-9_-]*)`.*?"
    r"^Objective: `?(?P<metric>[a-z0-9_-]+)`?[^\n]*?(?P<direction>lower|higher) is better"
    r"(?:.*^The head: trial (?P<trial>\d+), (?P<score>-?[\d.]+))?",
    re.M | re.S,
)
_HEAD_NOW = re.compile(r"or (\d+), the head now")
"""In the refusal of a rebase to a trial that has just ceased to be the head."""
_NUMBERED = re.compile(r"^ *\d+[\t→](.*)$", re.M)
"""A line of a file as Read shows it."""

Step = list[Use] | Say


class _Aim(Record):
    """What the opening message asks for."""

    kind: str
    name: str
    metric: str
    direction: str
    trial: int | None
    """The head, only where no tool can read the record."""
    score: float | None

    @property
    def role(self) -> str | None:
        """Whose knobs may be changed; None for any."""
        return self.name if self.kind == "specialist" else None

    @property
    def view(self) -> str:
        """The view of `read_lineage` that shows what was tried with these knobs."""
        return "role" if self.role else "recent"

    @property
    def reads_record(self) -> bool:
        return self.trial is None


def next_step(conversation: Conversation) -> Step:
    """Decide what to do after everything that the conversation holds: tools to call at once, or words that end it."""
    opening = _OPENING.search(conversation.opening)
    if opening is None:
        return Say(text="The stand-in found no specialist and no objective in the opening message, so it does nothing.")
    if failed := next((call for call in conversation.calls if call.error and not _HEAD_NOW.search(call.text)), None):
        return Say(text=f"{failed.name} answered with an error, so the stand-in ends here: {failed.text[:400]}")
    newest = conversation.calls[-1] if conversation.calls else None
    if newest and newest.measures:
        trial = newest.answer
        if trial.state == "running":
            return [_tool("wait_trial", trial=trial.trial)]
        if not trial.submits_left:
            return Say(text=f"Trial {trial.trial} is recorded and no submit is left: {trial.message}")
    return _continue_round(conversation, conversation.round, _Aim.model_validate(opening.groupdict()))


def _continue_round(whole: Conversation, here: Conversation, aim: _Aim) -> Step:
    """Do the first thing that this round lacks; a round ends with a trial that is done."""
    head = _find_head(whole, here, aim)
    if head is None:
        return [_tool("read_lineage", view="head")]
    rebased = here.last("rebase_to")
    if rebased is None:
        return [_tool("rebase_to", trial=head.trial)]
    base = rebased.answer
    pages = [call.answer for call in here.find("read_lineage", view=aim.view)[::-1] if "page" in call.input]
    if unread := _list_unread(here, base, pages, aim):
        return unread
    rows = [row for page in pages for row in page.rows] if aim.reads_record else _list_own_trials(whole)
    move = _choose(whole, base, rows, aim)
    if move is None:
        return Say(text=f"The stand-in finds no knob of {aim.name} with a value left to try near the head recipe.")
    guess = _guess(rows, head, aim)
    return _carry_out(here, base, move) or [
        _tool("submit_trial", title=move.title, hypothesis=_explain(move, aim), expected_delta=guess)
    ]


def _find_head(whole: Conversation, here: Conversation, aim: _Aim) -> Answer | None:
    """Find the head in what this round read; without the record, in the opening message, verdicts and refusals."""
    if aim.trial is None:
        shown = here.last("read_lineage", view="head")
        return shown.answer.rows[0] if shown else None
    head = Answer(trial=aim.trial, score=aim.score)
    for call in whole.calls:
        if call.measures and (verdict := call.answer).head is not None:
            head = Answer(trial=verdict.head, score=verdict.head_score)
        elif call.error and (refused := _HEAD_NOW.search(call.text)):
            head = head.model_copy(update={"trial": int(refused[1])})
    return head


def _list_unread(here: Conversation, base: Answer, pages: list[Answer], aim: _Aim) -> list[Use]:
    """List the reads that this round lacks: the recipe's files, and what was tried before."""
    files = [] if here.last("Read") else [Use(name="Read", input={"file_path": path}) for path in _paths(base)]
    if not aim.reads_record:
        return files
    if not pages:
        recent = [_tool("read_lineage", view="recent")] if aim.role else []
        return [*files, *recent, _tool("read_lineage", view=aim.view, page=1)]
    total = min(pages[-1].pages, MAX_PAGES)
    return [_tool("read_lineage", view=aim.view, page=page) for page in range(len(pages) + 1, total + 1)]


def _list_own_trials(whole: Conversation) -> list[Answer]:
    """List the trials of this conversation: all that is known where the record can't be read."""
    trials: list[Answer] = []
    parent, title = None, ""
    for call in whole.calls:
        if call.name == "rebase_to" and not call.error:
            parent = call.answer.trial
        if call.name == "submit_trial":
            title = str(call.input["title"])
        if call.measures and call.answer.state == "done":
            trials.append(call.answer.model_copy(update={"title": title, "parent": parent}))
    return trials


def _choose(whole: Conversation, base: Answer, rows: list[Answer], aim: _Aim) -> Move | None:
    """Choose the move of this round: always the same one for the same reads."""
    knobs = [knob for path in _paths(base) for knob in read_knobs(_read_file(whole, path), aim.role, path)]
    oldest_first = sorted(rows, key=lambda row: row.trial)
    attempts = [read_attempt(row.title, row.parent, kept=row.status == "keep") for row in oldest_first]
    submits = [read_attempt(str(call.input.get("title", ""))) for call in whole.find("submit_trial")]
    submitted = {(attempt.name, attempt.new) for attempt in submits if attempt}
    salt = hashlib.sha256(whole.opening.encode()).hexdigest()
    return choose(
        knobs, [attempt for attempt in attempts if attempt], base.trial, submitted, salt, timed=aim.metric == "seconds"
    )


def _carry_out(here: Conversation, base: Answer, move: Move) -> Step | None:
    """Edit and check; an edit that does not compile is taken back. None when the edit is in place."""
    if not here.last("Edit"):
        edit = {
            "file_path": move.knob.file,
            "old_string": move.knob.line,
            "new_string": move.knob.rewrite_line(move.new),
        }
        return [Use(name="Edit", input=edit)]
    check = here.last("syntax_check")
    if check is None:
        return [_tool("syntax_check")]
    if check.answer.ok:
        return None
    if here.calls[-1] is check:
        return [_tool("rebase_to", trial=base.trial)]
    return Say(text=f"{move.title} failed the syntax check and was taken back: {check.answer.message}")


def _paths(base: Answer) -> list[str]:
    """Return the paths of the files that `rebase_to` put into the working copy."""
    return [f"{base.folder}/{file}" for file in sorted(base.files)[:MAX_FILES]]


def _read_file(whole: Conversation, path: str) -> str:
    """Return a file's text from the newest Read that showed it; Claude Code answers a repeated Read with a stub."""
    texts = ("\n".join(_NUMBERED.findall(call.text)) for call in whole.find("Read", file_path=path))
    return next(filter(None, texts), "")


def _guess(rows: list[Answer], head: Answer, aim: _Aim) -> float:
    """Guess half of what such edits usually change, in the improving direction; half a percent without experience."""
    gains = [abs(row.gain.mean) for row in rows if row.gain is not None]
    size = median(gains) / 2 if gains else abs(head.score or 1.0) * 0.005
    return float(f"{-size if aim.direction == 'lower' else size:.3g}")


def _explain(move: Move, aim: _Aim) -> str:
    """Write the hypothesis of a move."""
    knob, verb = move.knob, "raising" if move.new > move.knob.value else "lowering"
    why = "the last step in this direction was kept, so" if move.follows else "it was not tried from here, and"
    change = f"{verb} it from {knob.format_value(knob.value)} to {knob.format_value(move.new)}"
    effect = f"{'lower' if aim.direction == 'lower' else 'raise'} {aim.metric}"
    return f"{knob.name} sets {knob.meaning}; {why} {change} may {effect}."


def _tool(name: str, **arguments: object) -> Use:
    return Use(name=PREFIX + name, input=arguments)
