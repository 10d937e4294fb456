"""Accounts: made, found, updated, deactivated, given a new key (RFC 8555 7.3). Jobs for the one writer."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import unquote

from msgspec.json import encode as encode_json

from counterseal.authority.issue import refuse_compromised
from counterseal.errors import InputError, RefusedError, StoreError
from counterseal.pki.names import email_address
from counterseal.protocols.acme import objects
from counterseal.protocols.acme.encoding import read_json
from counterseal.protocols.acme.exchange import Call, Reply, limit
from counterseal.protocols.acme.external import read_binding
from counterseal.protocols.acme.jwk import AccountKey
from counterseal.protocols.acme.jws import read_envelope, require
from counterseal.protocols.acme.payloads import KeyChange, NewAccount, UpdateAccount
from counterseal.protocols.acme.problems import Problem, malformed, unauthorized
from counterseal.protocols.acme.states import AccountStatus
from counterseal.store.acme.accounts import (
    add_account,
    find_account,
    find_account_by_key,
    find_external_key,
    set_account_key,
    set_account_status,
    set_contact,
    use_external_key,
)
from counterseal.store.acme.records import AccountRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.parts import Authority

MAILTO = "mailto:"


def origin_of(client: str | None) -> str:
    """Return what counts as one address: of IPv6 the /64, in which every host has as many as it likes (RFC 4291 2.5.4).

    An IPv4 address in an IPv6 one is that one. What is no address, as behind a proxy that tells none, counts as one.
    """
    try:
        address = ip_address(client or "")
    except ValueError:
        return "unknown"
    if address.version == 4:  # noqa: PLR2004 - the version of IP
        return str(address)
    return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))


def new_account(authority: Authority, call: Call) -> Reply:
    """Make an account for the request's key, or return the one that it has."""
    wanted = call.read(NewAccount)
    existing = find_account_by_key(authority.store, call.key.thumbprint)
    if existing is not None:
        _require_valid(existing)
        return _reply(existing, call)
    if wanted.only_return_existing:
        raise Problem("accountDoesNotExist", "there is no account for this key")
    _require_agreement(wanted, call)
    contact = _checked_contact(wanted.contact or ())
    _require_secret(authority, call.key)
    limit(authority, origin_of(call.client), "new accounts from one address", call.rules.accounts_per_hour, call.at)
    try:
        external_key = _bound_to(authority, wanted, call)
    except Problem:
        if find_account_by_key(authority.store, call.key.thumbprint) is None:
            raise
        return new_account(authority, call)  # the same request was a moment earlier elsewhere, and used the key up
    record = AccountRecord(
        id=call.new_id(),
        thumbprint=call.key.thumbprint,
        jwk=call.key.jwk,
        status=AccountStatus.VALID,
        contact=contact,
        terms_agreed=wanted.terms_of_service_agreed,
        external_key=external_key,
        created_at=call.at,
        terms=call.rules.terms_of_service,
        external_binding=_shown_binding(wanted),
    )
    if not add_account(authority.store, record):
        return new_account(authority, call)  # another replica was a moment earlier
    return _reply(record, call, status=201)


def account(authority: Authority, call: Call) -> Reply:
    """Show the account, change its contacts, or deactivate it; all else is ignored (RFC 8555 7.3.2, 7.3.6)."""
    owner = call.owner
    if call.parameters["id"] != owner.id:
        raise unauthorized("this is another account")
    if call.is_get:
        return _reply(owner, call)
    wanted = call.read(UpdateAccount)
    if wanted.contact is not None:
        set_contact(authority.store, owner.id, _checked_contact(wanted.contact))
    if wanted.status == AccountStatus.DEACTIVATED:
        set_account_status(authority.store, owner.id, AccountStatus.DEACTIVATED)
    changed = find_account(authority.store, owner.id)
    return _reply(changed or owner, call)


def key_change(authority: Authority, call: Call) -> Reply:
    """Give the account the key that signed the inner JWS (RFC 8555 7.3.5)."""
    inner = read_envelope(call.payload)
    require(inner, "jwk")
    new = AccountKey.of(inner.jwk or {})
    if inner.nonce is not None or inner.url != call.url:
        raise malformed("the inner JWS has no nonce, and the url of the outer one (RFC 8555 7.3.5)")
    if not new.verifies(inner.algorithm, inner.signed, inner.signature):
        raise malformed("the inner JWS is not signed with the new key")
    wanted = read_json(inner.payload, KeyChange, "the inner payload")
    if wanted.account != call.urls.account(call.owner.id):
        raise malformed("the inner payload names another account")
    if AccountKey.of(wanted.old_key).jwk != call.owner.jwk:
        raise _other_key()
    taken = find_account_by_key(authority.store, new.thumbprint)
    if taken is not None:
        raise _taken(call, taken)
    _require_secret(authority, new)
    try:
        with authority.store.transaction():
            was, own = call.owner.thumbprint, call.owner.id
            changed = set_account_key(authority.store, own, was=was, thumbprint=new.thumbprint, jwk=new.jwk)
    except StoreError:
        taken = find_account_by_key(authority.store, new.thumbprint)
        if taken is None:
            raise
        raise _taken(call, taken) from None
    if not changed:  # of several changes at once the first counts: this one is by a key that is the account's no more
        raise _other_key()
    return _reply(find_account(authority.store, call.owner.id) or call.owner, call)


def _require_secret(authority: Authority, key: AccountKey) -> None:
    """Raise Problem ``badPublicKey`` for a key that somebody else has, as the revocation of a certificate said."""
    try:
        refuse_compromised(authority, key.public_key)
    except RefusedError as error:
        raise Problem("badPublicKey", error.message) from None


def _other_key() -> Problem:
    return malformed("oldKey is not the key of this account")


def _taken(call: Call, owner: AccountRecord) -> Problem:
    location = call.urls.account(owner.id)
    return Problem("malformed", "the new key has an account already", status=409, location=location)


def require_account(found: AccountRecord | None) -> AccountRecord:
    """Return the account that a ``kid`` names; raises Problem ``accountDoesNotExist``, ``unauthorized``."""
    if found is None:
        raise no_account()
    _require_valid(found)
    return found


def no_account() -> Problem:
    """Return the problem of a ``kid`` that names no account."""
    return Problem("accountDoesNotExist", "there is no such account")


def _require_valid(record: AccountRecord) -> None:
    if record.status != AccountStatus.VALID:
        raise Problem("unauthorized", f"the account is {record.status}", status=401)  # RFC 8555 7.3.6


def _require_agreement(wanted: NewAccount, call: Call) -> None:
    terms = call.rules.terms_of_service
    if terms is not None and not wanted.terms_of_service_agreed:
        links = ((terms, "terms-of-service"),)
        raise Problem("userActionRequired", "the terms of service must be agreed to", links=links, instance=terms)


def _bound_to(authority: Authority, wanted: NewAccount, call: Call) -> str | None:
    binding = wanted.external_account_binding
    if binding is None:
        if call.rules.external_account_required:
            raise Problem("externalAccountRequired", "a new account needs an externalAccountBinding here")
        return None
    identifier = read_binding(binding, jwk=call.key.jwk, url=call.url, secret=call.parts.external_secret)
    record = find_external_key(authority.store, identifier)
    if record is None:
        raise unauthorized("there is no external key of that id")
    if record.expires_at is not None and record.expires_at <= call.at:
        raise unauthorized("the external key has expired")
    if not use_external_key(authority.store, identifier, call.at):
        raise unauthorized("the external key was used already, or revoked")
    return identifier


def _shown_binding(wanted: NewAccount) -> str | None:
    """Return the binding as the account's object shows it again (RFC 8555 7.3.4)."""
    binding = wanted.external_account_binding
    return None if binding is None else encode_json(binding).decode()


def _checked_contact(contact: Sequence[str]) -> str:
    for url in contact:
        if not url.lower().startswith(MAILTO):
            raise Problem("unsupportedContact", f"a contact is a mailto: URL, not {url!r:.80}")
        try:
            email_address(unquote(url[len(MAILTO) :]))  # neither a list nor headers, which have a , and a ? in them
        except InputError:
            raise Problem("invalidContact", f"not one mail address: {url!r:.80}") from None
    return json.dumps(list(contact))


def _reply(record: AccountRecord, call: Call, status: int = 200) -> Reply:
    terms = call.rules.terms_of_service
    return Reply(
        objects.account(record, call.urls),
        status,
        {"Location": call.urls.account(record.id)},
        links=((terms, "terms-of-service"),) if terms else (),
    )
