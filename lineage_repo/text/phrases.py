"""Phrases that several commands and pages share, each written once."""

from datetime import datetime

_UNITS = (("d", 86_400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1))


def arm_text(arm: str, *, read_record: bool) -> str:
    """Return how a search is organised, as people read it."""
    return arm if read_record else f"{arm}, no lineage"


def format_age(moment: datetime, now: datetime) -> str:
    """Return the time from `moment` to `now` in its two largest units; "0 s" where `moment` lies ahead."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, size, smaller_unit, smaller_size in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit} {seconds % size // smaller_size} {smaller_unit}"
    return f"{seconds} s"
