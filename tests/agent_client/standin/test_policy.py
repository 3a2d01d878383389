"""The stand-in's policy: from a conversation to the next step, both plain data."""

import json
from typing import Any

from agent_client.standin.conversation import Call, Conversation, Say, Use, read_conversation
from agent_client.standin.knobs import Attempt, Knob, choose, read_attempt, read_knobs
from agent_client.standin.policy import Step, next_step

OPENING = "You are the specialist `opt`: Optimiser.\nObjective: `loss` in nats; lower is better.\n"
RECIPE = """1\tEPOCHS = 8  # [opt] passes over the data; 1 to 24
2\tWIDTH = 32  # [arch] channels; 8 to 64
3\tprint(EPOCHS, WIDTH)
"""
HEAD = {"trial": 0, "status": "baseline", "score": 2.0, "parent": None, "title": "start", "gain": None}


def call(name: str, result: object, **arguments: object) -> Call:
    text = result if isinstance(result, str) else json.dumps(result)
    return Call(name=name, input=arguments, text=text)


def role(*rows: dict[str, Any]) -> Call:
    return call("read_lineage", {"rows": list(rows), "page": 1, "pages": 1}, view="role", page=1)


def interval(gain: float) -> dict[str, float]:
    return {"mean": gain, "low": gain - 0.05, "high": gain + 0.05, "n": 4}


def row(trial: int, status: str, title: str, parent: int = 0, gain: float = -0.1) -> dict[str, Any]:
    return {"trial": trial, "status": status, "title": title, "parent": parent, "gain": interval(gain)}


def up_to_reads(*rows: dict[str, Any], head: int = 0, recipe: str = RECIPE) -> tuple[Call, ...]:
    return (
        call("read_lineage", {"rows": [HEAD | {"trial": head}]}, view="head"),
        call("rebase_to", {"trial": head, "files": ["train.py"], "folder": "/w"}, trial=head),
        call("Read", recipe, file_path="/w/train.py"),
        role(*rows),
    )


def step(*calls: Call, opening: str = OPENING) -> Step:
    return next_step(Conversation(opening=opening, calls=calls))


def one(uses: Step) -> Use:
    assert isinstance(uses, list)
    assert len(uses) == 1
    return uses[0]


def edit_of(*calls: Call) -> str:
    return one(step(*calls)).input["new_string"]


def test_it_begins_by_reading_the_head_and_rebasing_onto_it() -> None:
    assert one(step()) == Use(name="mcp__espalier__read_lineage", input={"view": "head"})
    assert one(step(*up_to_reads(head=7)[:1])) == Use(name="mcp__espalier__rebase_to", input={"trial": 7})


def test_it_reads_every_file_and_what_its_role_tried() -> None:
    uses = step(*up_to_reads()[:2])
    assert isinstance(uses, list)
    assert uses[0] == Use(name="Read", input={"file_path": "/w/train.py"})
    assert [use.input.get("view") for use in uses[1:]] == ["recent", "role"]


def test_it_asks_for_all_further_pages_of_its_role_at_once() -> None:
    first = call("read_lineage", {"rows": [], "page": 1, "pages": 3}, view="role", page=1)
    uses = step(*up_to_reads()[:3], first)
    assert isinstance(uses, list)
    assert [use.input["page"] for use in uses] == [2, 3]


def test_it_edits_only_a_knob_of_its_own_role() -> None:
    use = one(step(*up_to_reads()))
    assert use.name == "Edit"
    assert use.input["old_string"] == "EPOCHS = 8  # [opt] passes over the data; 1 to 24"
    assert use.input["new_string"] in {
        "EPOCHS = 11  # [opt] passes over the data; 1 to 24",
        "EPOCHS = 6  # [opt] passes over the data; 1 to 24",
    }


def test_it_checks_and_submits_what_it_edited_with_a_signed_guess() -> None:
    reads = up_to_reads(row(1, "keep", "EPOCHS 5 -> 8", gain=0.2))
    edited = (*reads, call("Edit", "updated"))
    assert one(step(*edited)).name == "mcp__espalier__syntax_check"
    submit = one(step(*edited, call("syntax_check", {"ok": True})))
    assert submit.name == "mcp__espalier__submit_trial"
    assert submit.input["title"] == "EPOCHS 8 -> 11"
    assert "passes over the data" in submit.input["hypothesis"]
    assert submit.input["expected_delta"] == -0.1


def test_the_guess_points_up_where_higher_is_better() -> None:
    opening = OPENING.replace("lower", "higher")
    calls = (*up_to_reads(), call("Edit", "updated"), call("syntax_check", {"ok": True}))
    assert one(step(*calls, opening=opening)).input["expected_delta"] == 0.01


def test_it_goes_on_in_a_direction_that_was_kept() -> None:
    rows = [row(1, "discard", "EPOCHS 5 -> 4"), row(2, "keep", "EPOCHS 5 -> 8")]
    assert edit_of(*up_to_reads(*rows)).startswith("EPOCHS = 11 ")


def test_it_turns_round_after_a_direction_failed() -> None:
    assert edit_of(*up_to_reads(row(1, "discard", "EPOCHS 8 -> 11"))).startswith("EPOCHS = 6 ")
    assert edit_of(*up_to_reads(row(1, "crash", "EPOCHS 8 -> 6"))).startswith("EPOCHS = 11 ")


def test_it_takes_a_smaller_step_after_both_directions_failed() -> None:
    rows = [row(1, "discard", "EPOCHS 8 -> 11"), row(2, "discard", "EPOCHS 8 -> 6")]
    assert edit_of(*up_to_reads(*rows))[:11].strip() in {"EPOCHS = 10", "EPOCHS = 7"}


def test_it_takes_an_edit_back_that_does_not_compile_and_ends() -> None:
    calls = (*up_to_reads(), call("Edit", "updated"), call("syntax_check", {"ok": False, "message": "line 1"}))
    assert one(step(*calls)).name == "mcp__espalier__rebase_to"
    end = step(*calls, call("rebase_to", {"trial": 0, "files": ["train.py"], "folder": "/w"}, trial=0))
    assert isinstance(end, Say)
    assert "line 1" in end.text


def test_it_waits_for_a_running_trial_and_ends_when_no_submit_is_left() -> None:
    running = call("submit_trial", {"trial": 4, "state": "running", "submits_left": 0}, title="EPOCHS 8 -> 11")
    assert one(step(running)) == Use(name="mcp__espalier__wait_trial", input={"trial": 4})
    done = call("wait_trial", {"trial": 4, "state": "done", "submits_left": 0}, trial=4)
    assert isinstance(step(running, done), Say)


def test_it_begins_another_round_while_submits_are_left() -> None:
    first = call("submit_trial", {"trial": 4, "state": "done", "submits_left": 1}, title="EPOCHS 8 -> 11")
    assert one(step(*up_to_reads(), first)).input == {"view": "head"}


def test_it_does_not_submit_a_value_twice_in_a_session_though_the_record_answered_the_first() -> None:
    known = call("submit_trial", {"trial": 2, "state": "done", "submits_left": 2}, title="EPOCHS 8 -> 11")
    back = call("submit_trial", {"trial": 3, "state": "done", "submits_left": 2}, title="EPOCHS 8 -> 6")
    again = up_to_reads()
    assert edit_of(*up_to_reads(), known, back, *again)[:11].strip() in {"EPOCHS = 10", "EPOCHS = 7"}


def test_it_remembers_a_file_that_claude_code_would_not_show_twice() -> None:
    first = call("submit_trial", {"trial": 4, "state": "done", "submits_left": 1}, title="EPOCHS 8 -> 11")
    stub = up_to_reads(row(4, "discard", "EPOCHS 8 -> 11"), recipe="File unchanged since last read.")
    assert edit_of(*up_to_reads(), first, *stub).startswith("EPOCHS = 6 ")


def test_an_error_of_a_tool_ends_the_session_with_its_text() -> None:
    end = step(*up_to_reads()[:1], Call(name="rebase_to", input={}, text="the working copy is busy", error=True))
    assert isinstance(end, Say)
    assert "the working copy is busy" in end.text


def test_a_recipe_without_knobs_of_the_role_ends_the_session() -> None:
    end = step(*up_to_reads(recipe="1\tprint(1)\n"))
    assert isinstance(end, Say)
    assert "no knob of opt" in end.text


def test_an_opening_without_objective_is_answered_in_words() -> None:
    assert isinstance(step(opening="hello"), Say)


def test_the_same_conversation_gets_the_same_answer_and_another_opening_may_get_another() -> None:
    wide = "".join(f"{i}\tKNOB_{i} = 0.5  # [opt] knob {i}; 0.1 to 0.9\n" for i in range(20))
    seen = {edit_of(*up_to_reads(recipe=wide)) for _ in range(3)}
    others = {one(step(*up_to_reads(recipe=wide), opening=f"{OPENING}{i}")).input["new_string"] for i in range(20)}
    assert len(seen) == 1
    assert len(others) > 5


def test_moves_stay_in_range_and_keep_the_kind_of_number() -> None:
    text = (
        "A = 4  # [r] whole; 0 to 4\nB = 0.0  # [r] zero; 0.0 to 0.5\n"
        "C = 1e-05  # [r] small; 1e-06 to 1\nD = 1_000  # [r] grouped; 10 to 5_000\n"
    )
    a, b, c, d = read_knobs(text, "r", "f.py")
    assert a.next_value(up=True, factor=2.8) == 4
    assert a.next_value(up=False, factor=1.05) == 3
    assert b.next_value(up=True, factor=1.4) == 0.05
    assert b.next_value(up=False, factor=1.4) == 0
    assert c.rewrite_line(c.next_value(up=True, factor=2)).startswith("C = 2e-05  # [r] small; 1e-06")
    assert d.rewrite_line(d.next_value(up=True, factor=2)).startswith("D = 2000  # [r] grouped")


def test_a_recipe_that_is_timed_tries_less_work_first_and_any_other_leaves_it_to_the_lot() -> None:
    knobs = read_knobs("A = 8  # [r] steps; 1 to 24\nB = 0.5  # [r] rate; 0.1 to 0.9\n", "r", "f.py")
    timed, other = ([choose(knobs, [], 0, set(), f"salt {i}", timed=t) for i in range(20)] for t in (True, False))
    assert {move.title for move in timed if move} == {"A 8 -> 6"}
    assert len({move.title for move in other if move}) > 1


def test_a_knob_with_one_value_left_in_its_range_ends_in_nothing_to_do() -> None:
    knobs = read_knobs("A = 1  # [r] whole; 0 to 1\n", "r", "f.py")
    tried = [Attempt(parent=0, name="A", old=1, new=0, kept=False)]
    assert choose(knobs, tried, 0, set(), "salt", timed=False) is None


def test_a_value_that_failed_from_another_parent_may_be_tried_again_when_nothing_else_is_left() -> None:
    knobs = read_knobs("A = 1  # [r] whole; 0 to 1\n", "r", "f.py")
    tried = [Attempt(parent=0, name="A", old=1, new=0, kept=False)]
    again = choose(knobs, tried, 5, set(), "salt", timed=False)
    assert again is not None
    assert again.title == "A 1 -> 0"


def test_other_titles_are_not_read_as_changes_of_a_knob() -> None:
    assert read_attempt("LR 0.1 -> 0.14") == Attempt(parent=None, name="LR", old=0.1, new=0.14, kept=False)
    assert read_attempt("LR 0.1 -> 0.14 and more") is None
    assert read_attempt("use a cosine schedule") is None


def test_a_title_fits_the_limit_whatever_the_knob() -> None:
    name = "A" * 30
    knobs: list[Knob] = read_knobs(f"{name} = 0.000012345  # [r] x; 0.00000001 to 123456.789\n", "r", "f.py")
    move = choose(knobs, [], 0, set(), "salt", timed=False)
    assert move is not None
    assert len(move.title) <= 60


def test_messages_are_parsed_into_calls_with_their_results() -> None:
    use: dict[str, Any] = {"type": "tool_use", "id": "1", "name": "mcp__espalier__syntax_check", "input": {}}
    other = {"type": "tool_use", "id": "2", "name": "Read", "input": {"file_path": "/w/a.py"}}
    answer = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": '{"ok": true}'}]}
    failed = {"type": "tool_result", "tool_use_id": "2", "content": "no such file", "is_error": True}
    conversation = read_conversation(
        [
            {"role": "user", "content": [{"type": "text", "text": "a reminder"}, {"type": "text", "text": OPENING}]},
            {"role": "assistant", "content": [use, other]},
            {"role": "user", "content": [failed, answer]},
        ]
    )
    assert OPENING in conversation.opening
    assert [(c.name, c.error) for c in conversation.calls] == [("syntax_check", False), ("Read", True)]
    assert conversation.calls[0].answer.ok


ALONE = f"{OPENING}\nThe head: trial 3, 1.5000 nats.\n"
BASE = call("rebase_to", {"trial": 3, "files": ["train.py"], "folder": "/w"}, trial=3)
READ = call("Read", RECIPE, file_path="/w/train.py")


def test_without_the_record_it_starts_from_the_head_of_the_opening_and_reads_only_files() -> None:
    assert one(step(opening=ALONE)) == Use(name="mcp__espalier__rebase_to", input={"trial": 3})
    assert one(step(BASE, opening=ALONE)) == Use(name="Read", input={"file_path": "/w/train.py"})
    assert one(step(BASE, READ, opening=ALONE)).name == "Edit"
    edited = (BASE, READ, call("Edit", "updated"), call("syntax_check", {"ok": True}))
    assert one(step(*edited, opening=ALONE)).input["expected_delta"] == -0.0075


def test_without_the_record_it_learns_from_its_own_verdicts() -> None:
    verdict = {"trial": 9, "state": "done", "submits_left": 1, "status": "discard", "head": 3, "head_score": 1.5}
    first = call("submit_trial", verdict | {"gain": interval(-0.1)}, title="EPOCHS 8 -> 11")
    assert one(step(BASE, READ, first, opening=ALONE)) == Use(name="mcp__espalier__rebase_to", input={"trial": 3})
    edit = one(step(BASE, READ, first, BASE, READ, opening=ALONE))
    assert edit.input["new_string"].startswith("EPOCHS = 6 ")


def test_without_the_record_it_follows_a_head_that_moved_meanwhile() -> None:
    text = "rebase_to takes 0, the start, or 7, the head now; not 3"
    refused = Call(name="rebase_to", input={"trial": 3}, text=text, error=True)
    assert one(step(refused, opening=ALONE)) == Use(name="mcp__espalier__rebase_to", input={"trial": 7})


def test_a_generalist_changes_any_knob_and_reads_what_anybody_tried() -> None:
    opening = OPENING.replace("specialist `opt`", "generalist `agent-01`")
    use = step(*up_to_reads()[:3], opening=opening)
    assert use == [Use(name="mcp__espalier__read_lineage", input={"view": "recent", "page": 1})]
    rows = [row(n, "discard", f"EPOCHS 8 -> {value}") for n, value in enumerate((11, 10, 15, 9, 22, 6, 7, 4, 3), 1)]
    tried = call("read_lineage", {"rows": rows, "page": 1, "pages": 1}, view="recent", page=1)
    assert one(step(*up_to_reads()[:3], tried, opening=opening)).input["new_string"].startswith("WIDTH = ")
