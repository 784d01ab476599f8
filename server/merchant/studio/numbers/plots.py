"""How bars are drawn: numbers in, the coordinates of one path out. Pure.

The picture is stretched to the room that it has; texts stand beside it, where they keep their size.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

HEIGHT = 100
_SLOT, _BAR = 10, 7
_STEPS = (2, 4, 6, 8, 10, 12, 16, 20, 24, 30, 40, 50, 60, 80, 100)
_LEAST = 1.5
"""The height of a bar that is not nothing: one among thousands can still be seen."""


class Bars(msgspec.Struct, frozen=True):
    path: str
    width: int
    top: int
    """What the upper edge stands for; half of it is a whole number too."""


def bars(numbers: Sequence[int]) -> Bars:
    top, path = _top(max(numbers, default=0)), []
    for place, number in enumerate(numbers):
        if number:
            height = max(_LEAST, HEIGHT * number / top)
            left = place * _SLOT + (_SLOT - _BAR) / 2
            path.append(f"M{left:g} {HEIGHT}v-{height:.4g}h{_BAR}V{HEIGHT}z")
    return Bars("".join(path), len(numbers) * _SLOT, top)


def _top(most: int) -> int:
    """The next that is round, and whose half is whole."""
    unit = 1
    while 100 * unit < most:
        unit *= 10
    return next(step * unit for step in _STEPS if step * unit >= most)
