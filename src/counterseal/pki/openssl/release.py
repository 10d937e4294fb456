"""What one release of OpenSSL does otherwise than another, as far as a client's verification goes."""

from __future__ import annotations

Release = tuple[int, int, int]
# openssl/openssl#31044, released in the summer of 2026. Seen to take deltas: 3.0.20, 3.3.7; not: 3.0.22, 3.5.9, 4.0.3.
_PASSED_OVER_FROM: dict[tuple[int, int], Release] = {
    (3, 0): (3, 0, 22),
    (3, 4): (3, 4, 7),
    (3, 5): (3, 5, 8),
    (3, 6): (3, 6, 4),
    (4, 0): (4, 0, 2),
}
DELTAS_PASSED_OVER_FROM = ", ".join(".".join(map(str, first)) for first in _PASSED_OVER_FROM.values())
"""The releases from which on, branch by branch, a delta is passed over."""


def takes_deltas(release: Release | None) -> bool:
    """Whether a release takes a delta CRL for a full one; None stands for the newest, which does not."""
    if release is None:
        return False
    newest = max(_PASSED_OVER_FROM)
    branch = release[:2]
    return release < _PASSED_OVER_FROM[branch] if branch in _PASSED_OVER_FROM else branch < newest
