"""The OpenSSL of a program, and what depends on it."""

from __future__ import annotations

import re
import subprocess
from functools import cache

Version = tuple[int, ...]
_PASSED_OVER_FROM: dict[Version, Version] = {(3, 0): (3, 0, 22), (3, 5): (3, 5, 8)}
"""By branch; others are not seen: older ones take deltas, newer ones do not."""


@cache
def program_version() -> Version:
    """Return the version of ``openssl``."""
    ran = subprocess.run(["openssl", "version"], capture_output=True, text=True, timeout=60, check=True)
    found = re.match(r"OpenSSL (\d+)\.(\d+)\.(\d+)", ran.stdout)
    assert found, ran.stdout
    return tuple(map(int, found.groups()))


def takes_deltas(openssl: Version | None) -> bool:
    """Whether this OpenSSL takes a delta CRL for a full one; seen of 3.0.19 and 3.3.7, not of 3.0.22 and 3.5.9."""
    return openssl is None or openssl < _PASSED_OVER_FROM.get(openssl[:2], (3, 5))
