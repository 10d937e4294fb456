r"""Words in a systemd unit, which are not written as a shell has them: systemd.syntax(7), systemd.service(5).

``%`` begins a specifier everywhere, ``$`` a variable in the arguments of a command even inside quotes, and ``\`` an
escape inside either kind of quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+")
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def unit_word(word: str) -> str:
    """Return the word for a setting that takes a list, such as ``ReadWritePaths=``."""
    word = word.replace("%", "%%")
    return word if _PLAIN.fullmatch(word) else f'"{word.translate(_ESCAPES)}"'


def unit_command(words: Sequence[str]) -> str:
    """Return the line of ``ExecStart=`` that runs these words; in the program's own path no variable is looked for."""
    program, *arguments = words
    return " ".join([unit_word(program), *(unit_word(word).replace("$", "$$") for word in arguments)])
