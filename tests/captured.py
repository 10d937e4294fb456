"""Handshakes that were captured from real servers, as bytes: files of ``SENDER CONTENT HEX NAME`` lines.

Made with the message callback of a client's or server's context; the keys behind them were thrown away. NAME is the
message's name in the standard, written down once and looked at by hand.
"""

from __future__ import annotations

from pathlib import Path

from counterseal.handshake.wire.decode import Captured
from counterseal.handshake.wire.messages import Side

_DIRECTORY = Path(__file__).parent / "unit" / "handshake" / "wire" / "captured"
CASES = tuple(sorted(path.stem for path in _DIRECTORY.glob("*.txt")))


def captured_case(name: str) -> tuple[Captured, ...]:
    """Return the messages of a case, a millisecond apart."""
    return tuple(
        Captured(number / 1000, Side(sender), int(content), bytes.fromhex(octets))
        for number, (sender, content, octets, _) in enumerate(_rows(name))
    )


def captured_names(name: str) -> list[str]:
    """Return the names of its messages."""
    return [row[3] for row in _rows(name)]


def _rows(name: str) -> list[tuple[str, str, str, str]]:
    lines = (_DIRECTORY / f"{name}.txt").read_text().splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    return [(row[0], row[1], row[2], row[3]) for row in rows]
