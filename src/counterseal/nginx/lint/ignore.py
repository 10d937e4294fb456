"""``# counterseal: ignore[code] reason``: which findings a comment in the configuration silences.

The comment stands at the end of the line it is about, or alone on the line above. It names codes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMMENT = re.compile(r"#\s*counterseal:\s*ignore\[([a-z0-9, -]+)\]")


def find_ignored(texts: Mapping[str, str]) -> frozenset[tuple[str, int, str]]:
    """Return (file, line, code) for everything that comments silence."""
    return frozenset(
        (file, number + (0 if line[: match.start()].strip() else 1), code.strip())
        for file, text in texts.items()
        if "counterseal:" in text
        for number, line in enumerate(text.split("\n"), start=1)
        if (match := _COMMENT.search(line))
        for code in match[1].split(",")
    )
