"""Whom the programs of this system trust."""

from __future__ import annotations


def system_anchors() -> bytes:
    """Return the CAs that this system trusts, PEM."""
    import ssl  # noqa: PLC0415 - the CAs of a home, or of a file, need none of it

    context = ssl.create_default_context()
    return "".join(map(ssl.DER_cert_to_PEM_cert, context.get_ca_certs(binary_form=True))).encode()
