"""Orders: asked for, looked at, listed (RFC 8555 7.4, 7.1.2.1). Jobs for the one writer."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from counterseal.authority.names import refused_names
from counterseal.errors import NotFoundError
from counterseal.moments import epoch
from counterseal.protocols.acme import objects
from counterseal.protocols.acme.authorizations import authorize
from counterseal.protocols.acme.exchange import Call, Reply, limit
from counterseal.protocols.acme.identifiers import Identifier, combined, read_identifiers
from counterseal.protocols.acme.payloads import NewOrder
from counterseal.protocols.acme.problems import Problem, Subproblem, malformed, not_found, unauthorized
from counterseal.protocols.acme.replacing import check_replaces
from counterseal.protocols.acme.standing import derived_status, status_of
from counterseal.protocols.acme.states import OrderStatus
from counterseal.protocols.acme.terms import require_current_terms
from counterseal.store.acme.orders import add_order, find_order, order_ids
from counterseal.store.acme.records import OrderRecord

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.pki.profile import Profile

ORDERS = "new orders of one account"
"""What is limited; a name that is authorized without an order counts too."""

LIST_PAGE = 100
RETRY_SECONDS = 1


def new_order(authority: Authority, call: Call) -> Reply:
    """Make an order; authorizations that the account has already are used again."""
    wanted = call.read(NewOrder)
    require_current_terms(call)
    profile = _profile(authority, call, wanted.profile)
    identifiers = read_identifiers(wanted.identifiers)
    not_after = _not_after(wanted, profile, call.at)
    check_names(authority, profile, identifiers, call)
    if wanted.replaces is not None:
        check_replaces(authority, call, wanted.replaces, identifiers)
    limit(authority, call.owner.id, ORDERS, call.rules.orders_per_hour, call.at)
    authorizations = authorize(authority, call, identifiers)
    record = OrderRecord(
        id=call.new_id(),
        account=call.owner.id,
        status=OrderStatus.PENDING,
        identifiers=json.dumps([one.document() for one in identifiers]),
        authorizations=json.dumps([one.id for one in authorizations]),
        profile=profile.name,
        created_at=call.at,
        expires_at=min(
            call.at + int(call.rules.order_lifetime.total_seconds()), *(one.expires_at for one in authorizations)
        ),
        not_after=not_after,
        replaces=wanted.replaces,
    )
    add_order(authority.store, record)
    return show(call, record, derived_status(record, authorizations, call.at), status=201)


def order(authority: Authority, call: Call) -> Reply:
    """Show an order of the account."""
    record = own_order(authority, call)
    return show(call, record, status_of(authority, record, call.at))


def list_orders(authority: Authority, call: Call) -> Reply:
    """List the account's orders in pages (RFC 8555 7.1.2.1)."""
    if call.parameters["id"] != call.owner.id:
        raise unauthorized("this is another account")
    after = _cursor(call.parameters.get("after"))
    found = order_ids(authority.store, call.owner.id, at=call.at, after=after, limit=LIST_PAGE + 1)
    page = found[:LIST_PAGE]
    links: tuple[tuple[str, str], ...] = ()
    if len(found) > LIST_PAGE:
        identifier, created_at = page[-1]
        links = ((f"{call.urls.account(call.owner.id)}/orders?after={created_at}.{identifier}", "next"),)
    return Reply({"orders": [call.urls.order(identifier) for identifier, _ in page]}, links=links)


def own_order(authority: Authority, call: Call) -> OrderRecord:
    """Return the order that the URL names; another account's is not there."""
    found = find_order(authority.store, call.parameters["id"])
    if found is None or found.account != call.owner.id:
        raise not_found("order")
    return found


def show(call: Call, record: OrderRecord, state: OrderStatus, status: int = 200) -> Reply:
    """Return the answer that shows an order."""
    headers = {"Location": call.urls.order(record.id)}
    if state in {OrderStatus.PENDING, OrderStatus.PROCESSING}:
        headers["Retry-After"] = str(RETRY_SECONDS)
    return Reply(objects.order(record, state, call.urls), status, headers)


def check_names(authority: Authority, profile: Profile, identifiers: tuple[Identifier, ...], call: Call) -> None:
    """Raise Problem ``rejectedIdentifier`` with a subproblem for each name that policy forbids."""
    if len(identifiers) > call.rules.max_identifiers:
        raise malformed(f"more than {call.rules.max_identifiers} identifiers: {len(identifiers)}")
    names = {one.general_name(): one for one in identifiers}
    refused = refused_names(authority, profile, list(names))
    if refused:
        raise combined([Subproblem("rejectedIdentifier", reason, names[name].document()) for name, reason in refused])


def _profile(authority: Authority, call: Call, wanted: str | None) -> Profile:
    name = wanted or call.rules.profiles[0]
    if name not in call.rules.profiles:
        raise Problem("invalidProfile", f"no such profile: {name!r:.80}; there are {', '.join(call.rules.profiles)}")
    try:
        return authority.profile(name)
    except NotFoundError as error:
        raise Problem("invalidProfile", error.message) from None


def _not_after(wanted: NewOrder, profile: Profile, at: int) -> int | None:
    if wanted.not_before is not None:
        raise malformed("notBefore is not supported: a certificate is valid from when it is issued")
    if wanted.not_after is None:
        return None
    if wanted.not_after.tzinfo is None:
        raise malformed("notAfter has no time zone")
    seconds = epoch(wanted.not_after)
    longest = profile.for_strangers().max_lifetime
    if not 0 < seconds - at <= longest.total_seconds():
        end = datetime.fromtimestamp(at, UTC) + longest
        raise malformed(f"notAfter must lie between now and {end:%Y-%m-%dT%H:%M:%SZ}")
    return seconds


_CURSOR = re.compile(r"[0-9]{1,12}\.[^\0]*")
"""Seconds, and the id of an order, which no store looks up with a NUL."""


def _cursor(text: str | None) -> tuple[int, str]:
    if text is None:
        return 0, ""
    created_at, _, identifier = text.partition(".")
    if not _CURSOR.fullmatch(text):
        raise malformed("not a cursor of this list")
    return int(created_at), identifier
