"""Authorizing a name before there is an order (RFC 8555 7.4.1): what an order would be refused, this is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.protocols.acme.authorizations import authorize, show_authorization
from counterseal.protocols.acme.exchange import limit
from counterseal.protocols.acme.identifiers import read_identifiers
from counterseal.protocols.acme.orders import ORDERS, check_names
from counterseal.protocols.acme.payloads import NewAuthorization
from counterseal.protocols.acme.problems import Problem, malformed, not_found
from counterseal.protocols.acme.terms import require_current_terms

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.protocols.acme.exchange import Call, Reply
    from counterseal.protocols.acme.identifiers import Identifier


def new_authorization(authority: Authority, call: Call) -> Reply:
    """Authorize a name, where the rules offer it; it counts as an order does."""
    if not call.rules.pre_authorization:
        raise not_found("resource")
    require_current_terms(call)
    (identifier,) = read_identifiers([call.read(NewAuthorization).identifier])
    if identifier.wildcard:
        raise malformed("a wildcard cannot be authorized beforehand (RFC 8555 7.4.1)")
    _check_name(authority, call, identifier)
    limit(authority, call.owner.id, ORDERS, call.rules.orders_per_hour, call.at)
    (record,) = authorize(authority, call, [identifier])
    return show_authorization(record, call, status=201)


def _check_name(authority: Authority, call: Call, identifier: Identifier) -> None:
    """Raise the Problem of an order for this name where no profile on offer would take one; it names the usual one."""
    refused: list[Problem] = []
    for name in call.rules.profiles:
        try:
            check_names(authority, authority.profile(name), (identifier,), call)
        except Problem as problem:
            refused.append(problem)
        else:
            return
    raise refused[0]
