"""Certificates of strangers in one line: whatever is in them, a line comes out."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.handshake.explain.certificates import (
    read_certificate,
    read_certificates,
    show_authority,
    show_certificate,
)
from prove_pki import prove_pki

DER = prove_pki().server.certificate.public_bytes(Encoding.DER)


def test_a_certificate_in_one_line() -> None:
    """Subject, issuer, names, key, dates, serial number."""
    assert show_certificate(DER).startswith(
        "CN=*.prove.test issued by CN=Test Server CA, for DNS:*.prove.test, ECDSA P-256, valid 2025-03-01 to 2040-03-01"
    )


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\x30\x00",
        DER[:-1],
        DER + b"\x00",
        DER.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020103"), 1),  # version 4
    ],
    ids=["empty", "no certificate", "cut short", "too long", "of a version to come"],
)
def test_what_cannot_be_read_is_said_to_be_unreadable(encoded: bytes) -> None:
    """And is no certificate."""
    assert show_certificate(encoded) == f"{len(encoded)} bytes that are no readable certificate"
    assert read_certificate(encoded) is None
    assert read_certificates((encoded, DER)) == (prove_pki().server.certificate,)


def test_a_name_that_cannot_be_read() -> None:
    """A CA's name in a request may be anything."""
    assert show_authority(b"\x30\x03\x31\x01") == "4 bytes that are no readable name"
    assert show_authority(b"\x30\x00") == "(empty name)"
