"""A database that goes away in the middle of a look-up is no certificate that does not exist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography import x509

from acme_signing import b64
from authority_fixtures import make_server, small_ca
from counterseal.errors import StoreError
from counterseal.pki.certificate import subject_key_identifier
from counterseal.protocols.acme.exchange import Call
from counterseal.protocols.acme.renewal import CertificateName
from counterseal.protocols.acme.replacing import find_named
from counterseal.protocols.acme.revoking import revoke

if TYPE_CHECKING:
    from pathlib import Path


def test_a_lost_store_is_no_lost_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a revocation nor what names a certificate is refused then: it is done again."""

    def lost(*_: object, **__: object) -> None:
        raise StoreError("store.unreachable", "the store's database cannot be reached")

    with small_ca(tmp_path) as authority:
        record = make_server(authority).record
        (issuer,) = (ca for ca in authority.store.cas() if ca.name == record.issuer)
        named = CertificateName(_key_identifier(issuer.certificate), record.serial_number)
        assert find_named(authority, named) == record
        call = _call({"certificate": b64(record.certificate or b"")})
        monkeypatch.setattr(type(authority.store), "certificate", lost)
        for job in (lambda: find_named(authority, named), lambda: revoke(authority, call)):
            with pytest.raises(StoreError, match="cannot be reached"):
                job()


def _key_identifier(der: bytes) -> bytes:
    return subject_key_identifier(x509.load_der_x509_certificate(der)).digest


def _call(payload: dict[str, str]) -> Call:
    unused = cast("Any", None)
    content = json.dumps(payload).encode()
    return Call(unused, unused, "", unused, None, content, 0, None, {})
