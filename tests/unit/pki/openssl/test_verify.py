"""What OpenSSL reports is foretold; tests/integration holds the same numbers to the program itself."""

from __future__ import annotations

import pytest

from chains import Case, cases
from counterseal.pki.openssl.verify import DEFAULT_DEPTH, verify

# No explicit policy, host name, address: checked only where a program asks, and a server does not ask of a client.
NOT_ASKED = {43, 62, 64}


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_first_error_is_foretold(case: Case) -> None:
    """Its number is the one at which curl, Python or ``openssl verify`` stop."""
    depth = DEFAULT_DEPTH if case.depth is None else case.depth
    told = verify(
        case.chain[0], case.chain[1:], case.anchors, purpose=case.purpose, at=case.at, crls=case.crls, depth=depth
    )
    assert told.first == (0 if case.openssl in NOT_ASKED else case.openssl)
