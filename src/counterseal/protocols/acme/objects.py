"""The objects of ACME as documents, and their URLs (RFC 8555 7.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.json import decode as read_stored

from counterseal.moments import moment
from counterseal.protocols.acme.states import ChallengeStatus, authorization_status, challenge_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from counterseal.protocols.acme.rules import AcmeRules
    from counterseal.protocols.acme.states import OrderStatus
    from counterseal.store.acme.records import AccountRecord, AuthorizationRecord, OrderRecord

ROOT = "/acme"
_ACCOUNT_ID = re.compile(r"[A-Za-z0-9_-]{16}")  # twelve octets in base64url, as ``Call.new_id`` makes them


@dataclass(frozen=True, slots=True)
class URLs:
    """The URLs of everything, below the URL by which the client called."""

    base: str

    def directory(self) -> str:
        """Return where a client begins."""
        return f"{self.base}{ROOT}/directory"

    def at(self, path: str) -> str:
        """Return the URL of a resource below the root of ACME."""
        return f"{self.base}{ROOT}/{path}"

    def account(self, identifier: str) -> str:
        """Return the account's URL, which is the ``kid`` of its requests."""
        return self.at(f"account/{identifier}")

    def account_id(self, url: str) -> str | None:
        """Return the id in an account's URL, None when it is no such URL."""
        identifier = url.removeprefix(self.account(""))
        return identifier if identifier != url and _ACCOUNT_ID.fullmatch(identifier) else None

    def order(self, identifier: str) -> str:
        """Return the order's URL."""
        return self.at(f"order/{identifier}")

    def authorization(self, identifier: str) -> str:
        """Return the authorization's URL."""
        return self.at(f"authz/{identifier}")

    def challenge(self, authorization: str, kind: str) -> str:
        """Return the challenge's URL."""
        return self.at(f"challenge/{authorization}/{kind}")

    def certificate(self, order: str, chain: int = 0) -> str:
        """Return the certificate's URL, or that of one of its alternate chains."""
        return self.at(f"certificate/{order}/{chain}" if chain else f"certificate/{order}")


def directory(urls: URLs, rules: AcmeRules, profiles: Mapping[str, str]) -> dict[str, Any]:
    """Return the directory (RFC 8555 7.1.1, RFC 9773 3, draft-ietf-acme-profiles 3)."""
    meta: dict[str, Any] = {"profiles": dict(profiles)}
    meta |= {"termsOfService": rules.terms_of_service} if rules.terms_of_service else {}
    meta |= {"website": rules.website} if rules.website else {}
    meta |= {"caaIdentities": list(rules.caa_identities)} if rules.caa_identities else {}
    meta |= {"externalAccountRequired": True} if rules.external_account_required else {}
    document = {
        "newNonce": urls.at("new-nonce"),
        "newAccount": urls.at("new-account"),
        "newOrder": urls.at("new-order"),
        "revokeCert": urls.at("revoke-cert"),
        "keyChange": urls.at("key-change"),
        "renewalInfo": urls.at("renewal-info"),
        "meta": meta,
    }
    return document | ({"newAuthz": urls.at("new-authz")} if rules.pre_authorization else {})


def account(record: AccountRecord, urls: URLs) -> dict[str, Any]:
    """Return an account (RFC 8555 7.1.2)."""
    document = {
        "status": record.status,
        "contact": read_stored(record.contact),
        "termsOfServiceAgreed": record.terms_agreed,
        "orders": f"{urls.account(record.id)}/orders",
        "key": read_stored(record.jwk),
    }
    return document | (
        {"externalAccountBinding": read_stored(record.external_binding)} if record.external_binding else {}
    )


def order(record: OrderRecord, status: OrderStatus, urls: URLs) -> dict[str, Any]:
    """Return an order (RFC 8555 7.1.3)."""
    document: dict[str, Any] = {
        "status": status,
        "expires": show_time(record.expires_at),
        "identifiers": read_stored(record.identifiers),
        "authorizations": [urls.authorization(one) for one in read_stored(record.authorizations)],
        "finalize": f"{urls.order(record.id)}/finalize",
        "profile": record.profile,
    }
    document |= {"notAfter": show_time(record.not_after)} if record.not_after else {}
    document |= {"replaces": record.replaces} if record.replaces else {}
    document |= {"error": read_stored(record.error)} if record.error else {}
    return document | ({"certificate": urls.certificate(record.id)} if record.serial_number is not None else {})


def authorization(record: AuthorizationRecord, urls: URLs, kinds: tuple[str, ...], *, at: int) -> dict[str, Any]:
    """Return an authorization (RFC 8555 7.1.4); once it is decided only the attempted challenge is shown."""
    status = authorization_status(record.status, expires_at=record.expires_at, at=at)
    shown = kinds if status == "pending" else tuple(kind for kind in kinds if kind == record.attempted)
    document: dict[str, Any] = {
        "identifier": {"type": record.kind, "value": record.value},
        "status": status,
        "expires": show_time(record.expires_at),
        "challenges": [challenge(record, kind, urls) for kind in shown],
    }
    return document | ({"wildcard": True} if record.wildcard else {})


def challenge(record: AuthorizationRecord, kind: str, urls: URLs) -> dict[str, Any]:
    """Return one challenge of an authorization (RFC 8555 8)."""
    status = challenge_status(
        kind, attempted=record.attempted, authorization=record.status, validated_at=record.validated_at
    )
    document: dict[str, Any] = {
        "type": kind,
        "url": urls.challenge(record.id, kind),
        "status": status,
        "token": record.token,
    }
    if status is ChallengeStatus.VALID and record.validated_at:
        document["validated"] = show_time(record.validated_at)
    if status is ChallengeStatus.INVALID and record.error:
        document["error"] = read_stored(record.error)
    return document


def challenge_kinds(kind: str, *, wildcard: bool, offered: tuple[str, ...]) -> tuple[str, ...]:
    """Return the challenges for an identifier: a wildcard takes dns-01 (RFC 8555 7.1.3), an address the others."""
    if kind == "ip":
        return tuple(one for one in offered if one != "dns-01")  # RFC 8738 7
    return tuple(one for one in offered if one == "dns-01") if wildcard else offered


def show_time(seconds: int) -> str:
    """Return a time as RFC 3339 has it, in UTC."""
    return moment(seconds).isoformat().replace("+00:00", "Z")
