"""Every number that is foretold has its text, cause and fix."""

from __future__ import annotations

from counterseal.handshake.verify_reasons import VERIFY_REASONS
from counterseal.pki.openssl.codes import Error


def test_every_error_has_its_row() -> None:
    """In the table that ``prove`` and ``handshake`` use, too."""
    assert set(Error) - {Error.OK} <= {reason.code for reason in VERIFY_REASONS}
