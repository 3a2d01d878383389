"""A short form of the hostile corpus: an even sample of it, and what the suite itself must distinguish."""

from pathlib import Path

import pytest

from tests.hostile_suite import CORPUS, BadAttackError, read, run_suite, summarize

FORGED = """# id: S0
# attack: honest work that claims to be none, as a successful forgery would look
# base: fit.py
# expect: honest
# set: fit.py DECIMALS = 9
found = fit([(float(x), float(y)) for x, y in map(str.split, lines)] * 8, random.Random(seed))
LR, STEPS = 0.4, 24
found = fit([(float(x), float(y)) for x, y in map(str.split, lines)], random.Random(seed))
Path("model.json").write_text(json.dumps([round(w, DECIMALS) for w in found]), encoding="ascii")
"""


def test_every_attack_of_the_corpus_has_a_complete_header() -> None:
    attacks = read(CORPUS)
    assert len(attacks) >= 100
    assert len({a.name for a in attacks}) == len(attacks)


def test_a_folder_of_the_corpus_attacks_the_task_that_it_is_named_after() -> None:
    whole = {a.name for a in read(CORPUS, "airbench_cpu/*")}
    assert {a.name for a in read(CORPUS / "airbench_cpu")} == whole


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_sample_of_the_corpus_gains_nothing_and_leaves_nothing() -> None:
    rows, wrong = run_suite(CORPUS, "to*", show=False, limit=20)
    assert [row for row in rows if not row.good and not row.open] == []
    assert wrong == []
    assert " 0 score gains" in summarize(rows)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_gain_without_a_declaration_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "s0_forged.py").write_text(FORGED, "utf-8")
    rows, wrong = run_suite(tmp_path, show=False)
    assert [row.got for row in rows] == ["GAIN"]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# id: S1\n# attack: x\n# expect: honest\nprint()\n", "none of file, base and prepend"),
        ("# id: S1\n# attack: x\n# file: fit.py\nprint()\n", "lacks expect"),
        ("# id: S1\n# attack: x\n# file: fit.py\n# expect: keep\nprint()\n", "expect names"),
    ],
)
def test_an_incomplete_header_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "s1_x.py").write_text(text, "utf-8")
    with pytest.raises(BadAttackError, match=problem):
        read(tmp_path)
