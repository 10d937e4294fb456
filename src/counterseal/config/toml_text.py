"""Text as counterseal.toml has it, for who writes a line of it."""

from __future__ import annotations

import json


def toml_string(text: str) -> str:
    """Return ``text`` as a basic string of TOML, quotes and all; its escapes are those of JSON (TOML 1.0, strings)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
