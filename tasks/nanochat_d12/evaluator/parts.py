"""Deal items to serving boxes: prompts show solved examples, and no box that sees one is asked that item.

An item's examples are other items with their answers, drawn from all that are asked. A box that saw them all could
look up nearly every answer. So no box is asked an item that another of its prompts shows solved. The deal depends only
on the numbers of items and shots.
"""

from functools import cache

from bundle import draw_examples

BOXES = 8
"""Serving phases in the manifest; 500 items with ten examples each need eight."""


@cache
def deal_boxes(count: int, shots: tuple[int, ...]) -> tuple[int, ...]:
    """Return the box of each of `count` items, which are asked with each of these numbers of examples."""
    if not any(shots):
        return tuple(place % BOXES for place in range(count))
    near: list[set[int]] = [set() for _ in range(count)]
    for place in range(count):
        for other in (o for n in shots for o in draw_examples(place, count, n)):
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
