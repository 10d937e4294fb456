"""What a command ends with; nobody else in the program knows these numbers."""

from __future__ import annotations

DONE, FAILED, USAGE, FINDINGS, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130
