"""Progress: what works reports to whoever listens, and no listener can end the work."""

import logging

import pytest

from lineage_repo.progress import progress_to, report_progress


def test_every_listener_of_a_block_hears_each_line_as_it_is() -> None:
    outer, inner = list[str](), list[str]()
    report_progress("before")
    with progress_to(outer.append):
        report_progress("100 % of %s")
        with progress_to(inner.append):
            report_progress("both")
        report_progress("after")
    report_progress("later")
    assert outer == ["100 % of %s", "both", "after"]
    assert inner == ["both"]


def test_a_block_that_ends_first_leaves_the_other_listening() -> None:
    lines = list[str]()
    first, second = progress_to(list[str]().append), progress_to(lines.append)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    report_progress("still heard")
    second.__exit__(None, None, None)
    assert lines == ["still heard"]
    assert logging.getLogger("espalier.progress").handlers == []


def test_a_handler_for_everything_sees_no_progress(caplog: pytest.LogCaptureFixture) -> None:
    lines = list[str]()
    with caplog.at_level(logging.INFO), progress_to(lines.append):
        report_progress("for the listener")
    report_progress("for nobody")
    assert lines == ["for the listener"]
    assert caplog.messages == []


def test_a_listener_on_a_full_disk_costs_a_line_and_no_work() -> None:
    def fail(_: str) -> None:
        raise OSError(28, "No space left on device")

    with progress_to(fail):
        report_progress("lost")


def test_an_error_of_our_own_in_a_listener_is_raised() -> None:
    def fail(_: str) -> None:
        raise KeyError("a bug")

    with progress_to(fail), pytest.raises(KeyError):
        report_progress("lost")
