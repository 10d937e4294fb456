"""Which OpenSSL takes a delta for a full list, branch by branch."""

from __future__ import annotations

import pytest

from counterseal.pki.openssl.release import Release, takes_deltas


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ((1, 1, 1), True),
        ((3, 0, 20), True),  # seen, as are 3.0.22, 3.3.7, 3.5.9 and 4.0.3
        ((3, 0, 22), False),
        ((3, 1, 8), True),
        ((3, 3, 7), True),
        ((3, 5, 7), True),
        ((3, 5, 9), False),
        ((4, 0, 3), False),
        ((4, 1, 0), False),
        (None, False),
    ],
)
def test_a_delta_is_passed_over_from_a_release_of_each_branch(release: Release | None, *, expected: bool) -> None:
    """Branches that ended before take it, newer ones do not."""
    assert takes_deltas(release) is expected
