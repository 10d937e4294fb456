"""Finishing an order that a process left in ``processing`` when it ended, or could not store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from counterseal.errors import CountersealError
from counterseal.protocols.acme import issuing
from counterseal.protocols.acme.problems import Problem
from counterseal.protocols.acme.states import OrderStatus
from counterseal.service.issuing import issue
from counterseal.service.log import log, log_error
from counterseal.store.acme.orders import find_order

if TYPE_CHECKING:
    from counterseal.service.access import Access


async def take_up(access: Access, identifier: str) -> None:
    """Issue for an order that was claimed; what goes wrong is logged, and what cannot be issued is given up."""
    order = await access.read(lambda authority: find_order(authority.store, identifier))
    if order is None or order.status != OrderStatus.PROCESSING:
        return
    try:
        await issue(
            access,
            lambda authority: issuing.begin_again(authority, order),
            acting=lambda authority: replace(authority, actor=f"acme:{order.account}"),
            last=lambda authority, issued: issuing.complete(authority, identifier, issued),
            undo=lambda authority: issuing.give_up(authority, identifier),
        )
        log("order taken up", order=identifier)
    except Problem as problem:
        log_error("order not taken up", order=identifier, problem=problem.kind, reason=problem.detail)
        await access.write(lambda authority: issuing.give_up(authority, identifier))
    except CountersealError as error:
        log_error("order not taken up", order=identifier, code=error.code, reason=error.message)
