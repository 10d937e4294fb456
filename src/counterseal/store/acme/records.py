"""The rows of ACME as values. Times are integer seconds since the epoch, UTC; documents are JSON text."""

from __future__ import annotations

from typing import NamedTuple


class AccountRecord(NamedTuple):
    """An account: its key as canonical JSON (RFC 7638) and by thumbprint, its contacts as a JSON list of URLs.

    ``terms`` is the URL of the terms of service that it agreed to; ``external_binding`` is the JWS, in JSON, by
    which it was bound to the external key.
    """

    id: str
    thumbprint: str
    jwk: str
    status: str
    contact: str
    terms_agreed: bool
    external_key: str | None
    created_at: int
    terms: str | None = None
    external_binding: str | None = None


class ExternalKeyRecord(NamedTuple):
    """A key for external account binding; the key itself is not kept."""

    id: str
    name: str
    created_at: int
    created_by: str
    expires_at: int | None = None
    reusable: bool = False
    used_at: int | None = None
    revoked_at: int | None = None


class AuthorizationRecord(NamedTuple):
    """An authorization with its challenges.

    ``kind`` is dns or ip, ``value`` has no ``*.``; ``attempted`` names the challenge that the client chose, ``error``
    is the problem document with which it failed.
    """

    id: str
    account: str
    kind: str
    value: str
    wildcard: bool
    status: str
    token: str
    created_at: int
    expires_at: int
    attempted: str | None = None
    validated_at: int | None = None
    error: str | None = None


class OrderRecord(NamedTuple):
    """An order; ``identifiers`` and ``authorizations`` are JSON lists.

    ``issuer`` and ``serial_number`` say which certificate it became; ``csr`` is there while it is signed.
    """

    id: str
    account: str
    status: str
    identifiers: str
    authorizations: str
    profile: str
    created_at: int
    expires_at: int
    not_after: int | None = None
    replaces: str | None = None
    error: str | None = None
    issuer: str | None = None
    csr: bytes | None = None
    serial_number: int | None = None
