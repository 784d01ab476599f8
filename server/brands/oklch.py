"""OKLCH to `#rrggbb` and back, as CSS Color 4 defines both: lightness, chroma and hue as the eye tells them apart.

A color that no screen can show is brought to one that can: its chroma is lowered until what is cut off at the edge of
sRGB cannot be seen (https://www.w3.org/TR/css-color-4/#binsearch). ColorAide does the same for every color space there is,
and takes as long to import as all the rest of a build; tests hold the two to the same answers.
"""

from __future__ import annotations

import math
from functools import lru_cache

Three = tuple[float, float, float]

_TO_LMS = (
    (0.4122214694707628, 0.5363325372617349, 0.051445993267502196),
    (0.2119034958178251, 0.6806995506452344, 0.10739695353694051),
    (0.08830245919005637, 0.2817188391361215, 0.6299787016738222),
)
_TO_LAB = (
    (0.21045426830931396, 0.7936177747023053, -0.0040720430116192585),
    (1.9779985324311686, -2.42859224204858, 0.450593709617411),
    (0.025904042465547734, 0.7827717124575297, -0.8086757549230774),
)
_FROM_LAB = (
    (1.0, 0.3963377773761749, 0.21580375730991364),
    (1.0, -0.10556134581565857, -0.0638541728258133),
    (1.0, -0.08948417752981186, -1.2914855480194092),
)
_FROM_LMS = (
    (4.076741636075959, -3.3077115392580634, 0.2309699031821045),
    (-1.2684379732850315, 2.609757349287688, -0.3413193760026571),
    (-0.004196076138675485, -0.7034186179359362, 1.7076146940746117),
)
_SEEN = 0.02
"""The least distance of two colors in OKLab that an eye tells apart."""
_CLOSE, _CONVERGED = 0.0001, 0.0001
_GRAY = 1e-6
"""Below this chroma a color has no hue: what is left of it is rounding."""


def of_hex(color: str) -> Three:
    """Lightness (0 to 1), chroma and hue (degrees) of `#rrggbb`; the hue of a gray is 0."""
    red, green, blue = (_linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    lightness, a, b = _times(_TO_LAB, _roots(_times(_TO_LMS, (red, green, blue))))
    chroma = math.hypot(a, b)
    if chroma < _GRAY:
        return lightness, chroma, 0.0
    return lightness, chroma, math.degrees(math.atan2(b, a)) % 360


@lru_cache(maxsize=65536)
def to_hex(lightness: float, chroma: float, hue: float) -> str:
    """`#rrggbb`, or the nearest that a screen can show."""
    return "#" + "".join(f"{_rounded(255 * _gamma(each)):02x}" for each in _fitted(lightness, chroma, hue))


def _fitted(lightness: float, chroma: float, hue: float) -> Three:
    """Linear red, green and blue, each 0 to 1."""
    color = _rgb(lightness, chroma, hue)
    if _is_shown(color):
        return color
    if lightness >= 1 - 1e-6:
        return 1.0, 1.0, 1.0
    if lightness <= 0:
        return 0.0, 0.0, 0.0
    shown = _clipped(color)
    if _distance(lightness, chroma, hue, shown) <= _SEEN:
        return shown
    low, high, is_low_inside = 0.0, chroma, True
    while high - low > _CONVERGED:
        middle = (high + low) / 2
        color = _rgb(lightness, middle, hue)
        if is_low_inside and _is_shown(color):
            low = middle
            continue
        shown = _clipped(color)
        distance = _distance(lightness, middle, hue, shown)
        if distance >= _SEEN:
            high = middle
        elif _SEEN - distance < _CLOSE:
            break
        else:
            low, is_low_inside = middle, False
    return shown


def _rgb(lightness: float, chroma: float, hue: float) -> Three:
    angle = math.radians(hue)
    one, two, three = _times(_FROM_LAB, (lightness, chroma * math.cos(angle), chroma * math.sin(angle)))
    return _times(_FROM_LMS, (one**3, two**3, three**3))


def _distance(lightness: float, chroma: float, hue: float, shown: Three) -> float:
    angle = math.radians(hue)
    wanted = (lightness, chroma * math.cos(angle), chroma * math.sin(angle))
    return math.dist(wanted, _times(_TO_LAB, _roots(_times(_TO_LMS, shown))))


def _is_shown(color: Three) -> bool:
    return all(0 <= each <= 1 for each in color)


def _clipped(color: Three) -> Three:
    red, green, blue = color
    return min(max(red, 0.0), 1.0), min(max(green, 0.0), 1.0), min(max(blue, 0.0), 1.0)


def _times(matrix: tuple[Three, Three, Three], by: Three) -> Three:
    one, two, three = by
    (a, b, c), (d, e, f), (g, h, i) = matrix
    return a * one + b * two + c * three, d * one + e * two + f * three, g * one + h * two + i * three


def _roots(values: Three) -> Three:
    one, two, three = (math.copysign(abs(each) ** (1 / 3), each) for each in values)
    return one, two, three


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _gamma(channel: float) -> float:
    size = abs(channel)
    return math.copysign(size * 12.92 if size <= 0.0031308 else 1.055 * size ** (1 / 2.4) - 0.055, channel)


def _rounded(value: float) -> int:
    """Half a step goes up."""
    return math.floor(value + 0.5)
