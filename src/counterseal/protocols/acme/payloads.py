"""What clients send, as types (RFC 8555 7); unknown members are ignored, as the RFC says."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations at run time
from typing import Annotated, Any

import msgspec

from counterseal.protocols.acme.jws import Flattened  # noqa: TC001 - same

Text = Annotated[str, msgspec.Meta(max_length=1_024)]


class NewAccount(msgspec.Struct, rename="camel"):
    """RFC 8555 7.3."""

    contact: Annotated[list[Text], msgspec.Meta(max_length=10)] | None = None
    terms_of_service_agreed: bool = False
    only_return_existing: bool = False
    external_account_binding: Flattened | None = None


class UpdateAccount(msgspec.Struct, rename="camel"):
    """RFC 8555 7.3.2 and 7.3.6."""

    contact: Annotated[list[Text], msgspec.Meta(max_length=10)] | None = None
    status: Text | None = None


class KeyChange(msgspec.Struct, rename="camel"):
    """RFC 8555 7.3.5, the inner payload."""

    account: Text
    old_key: dict[str, Any]


class RawIdentifier(msgspec.Struct):
    """RFC 8555 7.1.3."""

    type: Text
    value: Text


class NewOrder(msgspec.Struct, rename="camel"):
    """RFC 8555 7.4, RFC 9773 5, draft-ietf-acme-profiles 4."""

    identifiers: Annotated[list[RawIdentifier], msgspec.Meta(min_length=1, max_length=1_000)]
    not_before: datetime | None = None
    not_after: datetime | None = None
    profile: Text | None = None
    replaces: Text | None = None


class NewAuthorization(msgspec.Struct):
    """RFC 8555 7.4.1."""

    identifier: RawIdentifier


class Finalize(msgspec.Struct):
    """RFC 8555 7.4."""

    csr: str


class StatusChange(msgspec.Struct):
    """RFC 8555 7.5.2: an authorization is given back; anything else is ignored."""

    status: Text | None = None


class Revoke(msgspec.Struct):
    """RFC 8555 7.6."""

    certificate: str
    reason: int | None = None
