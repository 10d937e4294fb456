"""Rows of the store as data, the same from every command and face: serial numbers in hex, times in ISO 8601, UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from counterseal.moments import isoformat
from counterseal.pki.shown import show_serial
from counterseal.store.key_uses import show_head
from counterseal.store.records import Status

if TYPE_CHECKING:
    from counterseal.store.acme.records import ExternalKeyRecord
    from counterseal.store.api_tokens import ApiToken
    from counterseal.store.key_uses import Verification
    from counterseal.store.records import CertificateRecord, CRLRecord, CRLTimes, KeyUse
    from counterseal.store.tokens import TokenRecord


def certificate_to_json(record: CertificateRecord) -> dict[str, Any]:
    """Return a certificate of the inventory, without its DER; a number that is only reserved has no times yet."""
    is_reserved = record.status is Status.RESERVED
    return {
        "serial_number": show_serial(record.serial_number),
        "name": record.name,
        "subject": record.subject,
        "names": list(record.names),
        "profile": record.profile,
        "group": record.group,
        "issuer": record.issuer,
        "status": str(record.status),
        "not_before": None if is_reserved else isoformat(record.not_before),
        "not_after": None if is_reserved else isoformat(record.not_after),
        "created_at": isoformat(record.created_at),
        "created_by": record.created_by,
        "revoked_at": isoformat(record.revoked_at),
        "revocation_reason": record.revocation_reason,
    }


def crl_to_json(record: CRLRecord | CRLTimes) -> dict[str, Any]:
    """Return what a list says of itself."""
    return {
        "issuer": record.issuer,
        "number": record.number,
        "entries": record.entries,
        "this_update": isoformat(record.this_update),
        "next_update": isoformat(record.next_update),
    }


def key_use_to_json(use: KeyUse) -> dict[str, Any]:
    """Return one entry of the key-use log; hashes in hex."""
    return {
        "sequence": use.sequence,
        "at": isoformat(use.at),
        "actor": use.actor,
        "ca": use.ca,
        "action": use.action,
        "serial_number": show_serial(use.serial_number) if use.serial_number else None,
        "digest": use.digest.hex(),
        "hash": use.hash.hex(),
    }


def verification_to_json(verified: Verification) -> dict[str, Any]:
    """Return what a verification of the key-use log found."""
    findings = [{"code": one.code, "where": one.where, "message": one.message} for one in verified.findings]
    head = None if verified.head is None else show_head(verified.head)
    return {"intact": not findings, "head": head, "findings": findings}


def token_state(record: TokenRecord, at: int) -> str:
    """Return whether a token is open, used up, expired or revoked at a moment."""
    if record.revoked_at is not None:
        return "revoked"
    if record.used >= record.uses:
        return "used up"
    return "expired" if record.expires_at <= at else "open"


def token_to_json(record: TokenRecord, at: int) -> dict[str, Any]:
    """Return a token without its secret, and its state at a moment."""
    return {
        "id": record.id,
        "name": record.name,
        "profile": record.profile,
        "names": list(record.names),
        "group": record.group,
        "lifetime": record.lifetime,
        "issuer": record.issuer,
        "state": token_state(record, at),
        "uses": record.uses,
        "used": record.used,
        "created_at": isoformat(record.created_at),
        "created_by": record.created_by,
        "expires_at": isoformat(record.expires_at),
        "revoked_at": isoformat(record.revoked_at),
    }


def api_token_state(token: ApiToken, at: int) -> str:
    """Return whether an API token is open, expired or revoked at a moment."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at <= at else "open"


def api_token_to_json(token: ApiToken, at: int) -> dict[str, Any]:
    """Return an API token without its secret, and its state at a moment."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "profiles": None if token.profiles is None else list(token.profiles),
        "networks": list(token.networks),
        "state": api_token_state(token, at),
        "created_at": isoformat(token.created_at),
        "created_by": token.created_by,
        "expires_at": isoformat(token.expires_at),
        "revoked_at": isoformat(token.revoked_at),
        "last_used_at": isoformat(token.last_used_at),
        "last_used_from": token.last_used_from,
    }


def external_key_state(record: ExternalKeyRecord, at: int) -> str:
    """Return whether a key for new ACME accounts is unused, reusable, used, expired or revoked at a moment."""
    if record.revoked_at is not None:
        return "revoked"
    if record.expires_at is not None and record.expires_at <= at:
        return "expired"
    if record.used_at is not None and not record.reusable:
        return "used"
    return "reusable" if record.reusable else "unused"


def external_key_to_json(record: ExternalKeyRecord) -> dict[str, Any]:
    """Return a key for new ACME accounts, without what it signs with."""
    return {
        "id": record.id,
        "name": record.name,
        "created_at": isoformat(record.created_at),
        "created_by": record.created_by,
        "expires_at": isoformat(record.expires_at),
        "reusable": record.reusable,
        "used_at": isoformat(record.used_at),
        "revoked_at": isoformat(record.revoked_at),
    }
