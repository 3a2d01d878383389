"""Which serving box asks which item: a prompt shows solved examples, and no box that sees one asks that item.

An item's examples are other items with their answers, drawn among all that are asked. A box that saw them all could
look nearly every answer up. So items are dealt to boxes such that none asks what another of its prompts shows solved;
the deal follows from the number of items and shots alone.
"""

from functools import cache

from bundle import examples

BOXES = 8
"""Serving phases in the manifest. Eight are what 500 items with ten examples each need."""


@cache
def dealt(count: int, shots: tuple[int, ...]) -> tuple[int, ...]:
    """The box of each of `count` items that are asked with each of these numbers of examples."""
    if not any(shots):
        return tuple(place % BOXES for place in range(count))
    near: list[set[int]] = [set() for _ in range(count)]
    for place in range(count):
        for other in (o for n in shots for o in examples(place, count, n)):
            near[place].add(other)
            near[other].add(place)
    boxes: dict[int, int] = {}
    barred: list[set[int]] = [set() for _ in range(count)]
    while len(boxes) < count:
        # The item with the fewest boxes left comes next, into the first of them.
        place = max((p for p in range(count) if p not in boxes), key=lambda p: (len(barred[p]), len(near[p])))
        boxes[place] = next(box for box in range(count) if box not in barred[place])
        for other in near[place]:
            barred[other].add(boxes[place])
    for place in range(count):
        free = set(range(BOXES)) - {boxes[other] for other in near[place]}
        boxes[place] = min(free, key=lambda box: (list(boxes.values()).count(box), box), default=boxes[place])
    return tuple(boxes[place] for place in range(count))
