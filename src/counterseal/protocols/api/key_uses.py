"""The log of every use of a CA key."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import msgspec

from counterseal.authority.record_json import key_use_to_json, verification_to_json
from counterseal.protocols.api.operation import Call, Operation, Reply
from counterseal.protocols.api.rules import Role
from counterseal.protocols.api.shapes import Described, KeyUses, Limit, Verification

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.store.records import KeyUse

MAX_SEQUENCE = (1 << 63) - 1


class Pages(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which entries."""

    after: Annotated[int, Described(ge=0, le=MAX_SEQUENCE, description="Only entries after this sequence number.")] = 0
    limit: Limit = 100


async def list_key_uses(call: Call) -> Reply:
    """List who used which CA key for what, oldest first."""
    wanted: Pages = call.parameters

    def read(authority: Authority) -> list[KeyUse]:
        return list(islice(authority.store.key_uses(after=wanted.after), wanted.limit + 1))

    found = await call.parts.service.access.read(read)
    page = found[: wanted.limit]
    following = page[-1].sequence if len(found) > wanted.limit else None
    return Reply({"key_uses": [key_use_to_json(use) for use in page], "next": following})


async def verify_key_uses(call: Call) -> Reply:
    """Find any edit of the log by its chain of hashes; reads all of it."""
    report = await call.parts.service.access.apart(lambda authority: authority.store.verify_key_uses())
    return Reply(verification_to_json(report))


OPERATIONS = (
    Operation(
        "listKeyUses", "GET", "/v1/key-uses", Role.VIEWER, list_key_uses, KeyUses, "List uses of CA keys",
        parameters=Pages,
    ),
    Operation(
        "verifyKeyUses", "GET", "/v1/key-uses/verification", Role.ADMIN, verify_key_uses, Verification,
        "Verify the log of CA keys",
    ),
)  # fmt: skip
