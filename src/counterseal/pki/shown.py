"""How values are shown: those that others chose shortened, and safe for a terminal and a log.

A name from a foreign request may hold any character; here is decided which of them never reach a person unescaped.
"""

from __future__ import annotations

import re

_MAX_SHOWN = 80
# C0, DEL and C1; line and paragraph separators; marks that turn the direction of the text around; what is never seen,
# by which two names would look the same (but for the joiners, U+200C and U+200D, which some scripts are written with);
# lone surrogates, which stand for octets of an argument that was not UTF-8.
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\U000e0000-\U000e007f\ud800-\udfff]"
)


def has_control(text: str) -> bool:
    """Whether ``text`` holds a character that a terminal or a log would act on instead of showing it."""
    return _CONTROL.search(text) is not None


def printable(text: str) -> str:
    r"""Return ``text`` with every control character as the octets of its UTF-8, ``\E2\80\AE`` (RFC 4514 2.4)."""
    return _CONTROL.sub(_escaped, text)


def quoted(text: str) -> str:
    """Return ``text`` in quotes, control characters escaped, at most 80 characters of it."""
    return repr(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "...")


def shortened(text: str, length: int) -> str:
    """Return ``text``, cut and marked by an ellipsis where it is longer than ``length`` characters."""
    return text if len(text) <= length else text[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"


def show_serial(serial_number: int) -> str:
    """Return the serial number as nginx and openssl show it: whole octets, upper-case hex."""
    text = f"{abs(serial_number):X}"
    return ("-" if serial_number < 0 else "") + (text if len(text) % 2 == 0 else f"0{text}")


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"\\{octet:02X}" for octet in match.group().encode(errors="surrogatepass"))


def counted(number: int, noun: str, several: str | None = None) -> str:
    """Return the number and the noun that goes with it; ``several`` is its plural where that is not with an s."""
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"
