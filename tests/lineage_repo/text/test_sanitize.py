import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage_repo.text.sanitize import check_authored, check_line, clip

LT = "<"


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "carriage\rreturn",
        "nul\x00",
        "escape \x1b[31m",
        "bidi \u202e",
        "zero width \u200b",
        "\u2028 line",
        "not a character \uffff",
    ],
)
def test_a_line_with_a_control_character_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="contains"):
        check_line(text)


def test_a_character_that_a_newer_unicode_assigns_can_be_read() -> None:
    assert check_line("new in a later version: \u0378") == "new in a later version: \u0378"


@pytest.mark.parametrize(
    "tag", ["/hypothesis>", '/parameter name="notes">', "invoke name=", "function_calls>", "/title >"]
)
def test_markup_that_leaked_from_a_tool_call_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="tool-call markup"):
        check_authored(f"raise the learning rate {LT}{tag} more text")


@pytest.mark.parametrize(
    "text", ["test", "TODO", "...", "n/a", "placeholder", "your hypothesis here", "xxx", "  Testing.  "]
)
def test_a_placeholder_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"placeholder|characters"):
        check_authored(text, least=3)


def test_honest_text_with_comparisons_and_symbols_passes() -> None:
    text = "if loss < 0.3 and lr > 0.1, momentum 0.9 → 0.95 should help (β₂ too)"
    assert check_authored(text, least=20) == text


@given(st.text(max_size=300), st.integers(2, 80))
def test_clipped_text_is_one_printable_line_of_bounded_width(text: str, width: int) -> None:
    line = clip(text, width)
    assert len(line) <= width
    assert check_line(line) == line.strip()
