"""The password of a bundle: one that is made to be typed, and what is asked of one that a person chose.

Randomness is handed in. The password travels apart from the file, is shown once and never kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import InputError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""31 characters without ``0`` and ``o``, ``1``, ``l`` and ``i``, and capitals: it survives paper, calls and phones."""

LENGTH = 20
"""Characters without the dashes: 20 x log2(31) = 99 bits, out of reach of guessing even at one round a guess."""

MIN_CHOSEN_LENGTH = 12
MAX_CHOSEN_LENGTH = 128
_GROUP = 4
_DRAWN_BYTES = 32  # 2**256 over 31**20: no character is likelier than another by more than 2**-156
_MIN_DIFFERENT = 5


def generate_password(random_bytes: Callable[[int], bytes]) -> str:
    """Return 99 bits as five groups of four, ``k7mp-...``; ``random_bytes(n)`` gives n bytes of good randomness."""
    number, characters = int.from_bytes(random_bytes(_DRAWN_BYTES), "big"), []
    for _ in range(LENGTH):
        number, position = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[position])
    return "-".join("".join(characters[start : start + _GROUP]) for start in range(0, LENGTH, _GROUP))


def check_password(password: str) -> str:
    """Return a password that a person chose, when it may protect a bundle.

    Only printable ASCII: Java refuses anything else in PKCS#12, and others disagree about its encoding. Raises
    InputError ``bundle.password_characters``, RefusedError ``bundle.password_weak``; neither quotes the password.
    """
    if not (password.isascii() and password.isprintable()) or password != password.strip():
        raise InputError(
            "bundle.password_characters",
            "the password holds more than printable ASCII, or begins or ends with a space",
            hint="use letters without accents, digits and signs: devices read anything else in different ways",
        )
    if not MIN_CHOSEN_LENGTH <= len(password) <= MAX_CHOSEN_LENGTH:
        raise RefusedError(
            "bundle.password_weak",
            f"the password has {len(password)} characters, {MIN_CHOSEN_LENGTH} to {MAX_CHOSEN_LENGTH} are needed",
            hint="let one be generated, or take four words",
        )
    if len(set(password)) < _MIN_DIFFERENT:
        raise RefusedError(
            "bundle.password_weak",
            f"the password has only {len(set(password))} different characters, at least {_MIN_DIFFERENT} are needed",
            hint="let one be generated, or take four words",
        )
    return password
