"""The server certificate that a site keeps with its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authority_fixtures import small_ca
from counterseal.authority.site_certificate import KEY, ensure_server_certificate, needs_certificate
from counterseal.errors import KeyAccessError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_certificate_is_kept_while_it_fits(tmp_path: Path) -> None:
    """Another name or a key that is gone asks for a new one; a key that cannot be read is somebody's to look at."""
    names, kept = ("a.test",), tmp_path / "kept"
    with small_ca(tmp_path) as authority:
        made = ensure_server_certificate(authority, "a", names, kept)
        assert ensure_server_certificate(authority, "a", names, kept).certificate == made.certificate
        assert needs_certificate(authority, ("b.test",), kept)
        (kept / KEY).write_bytes(made.private_key[:40])
        with pytest.raises(KeyAccessError, match=f"not a private key: {kept / KEY}"):
            needs_certificate(authority, names, kept)
        (kept / KEY).unlink()
        assert needs_certificate(authority, names, kept)
