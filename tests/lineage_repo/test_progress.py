"""Progress: what works reports to whoever listens, and no listener can end the work."""

import io
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
    report_progress("for nobody")
    assert lines == ["still heard"]


def test_a_handler_of_the_whole_process_sees_no_progress() -> None:
    seen, lines = io.StringIO(), list[str]()
    handler = logging.StreamHandler(seen)
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        with progress_to(lines.append):
            report_progress("for the listener")
        report_progress("for nobody")
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert lines == ["for the listener"]
    assert seen.getvalue() == ""


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
