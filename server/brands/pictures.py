"""`pictures/` of a theme: what its style sheet and its templates show besides the logo.

A template writes `{{ asset("pictures/hero.jpg") }}`, `styles.css` writes `url("pictures/hero.jpg")`. A theme has the
pictures of those that it extends; one of the same name takes the place of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from server.brands import images
from server.brands.reading.mistakes import Mistake

FOLDER = "pictures"
LIMIT = 1024 * 1024
"""Bytes of all pictures of a theme together, with those that it inherits."""
_ALLOWED = (
    f"SVG (without scripts, links or a DOCTYPE), PNG, JPEG or WebP, each at most {images.LIMIT // 1024} KB, "
    "named with letters, digits, . _ and -"
)


def read(folders: Sequence[Path], mistakes: list[Mistake]) -> dict[str, Path]:
    """The picture behind each name, from the folders of a theme and of those that it extends, nearest first."""
    found: dict[str, Path] = {}
    sizes: dict[str, int] = {}
    for folder in reversed(folders):
        for path in sorted((folder / FOLDER).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_dir() or any(part.startswith(".") for part in path.relative_to(folder).parts):
                continue
            try:
                file, content = images.own_file(folder, name)
                images.check_name(file, images.picture(content))
            except ValueError as error:
                mistakes.append(Mistake(path, 0, "", str(error), _ALLOWED))
                continue
            found[name], sizes[name] = file, len(content)
    if (total := sum(sizes.values())) > LIMIT:
        largest = max(sizes, key=lambda name: sizes[name])
        what = f"pictures of {total} bytes together, the largest of which is {largest}"
        mistakes.append(
            Mistake(folders[0] / FOLDER, 0, "", what, f"at most {LIMIT} bytes, with those of extended themes")
        )
    return dict(sorted(found.items()))
