"""The log of every use of a CA key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from counterseal.authority.record_json import key_use_to_json, verification_to_json
from counterseal.protocols.api.operation import Call, Operation, Reply
from counterseal.protocols.api.rules import Role
from counterseal.protocols.api.shapes import Described, KeyUses, Limit, Verification
from counterseal.store.key_uses import parse_head

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
        return list(authority.store.key_uses(after=wanted.after, limit=wanted.limit + 1))

    found = await call.parts.service.access.read(read)
    page = found[: wanted.limit]
    following = page[-1].sequence if len(found) > wanted.limit else None
    return Reply({"key_uses": [key_use_to_json(use) for use in page], "next": following})


class Noted(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is known of the log from elsewhere."""

    anchor: (
        Annotated[str, Described(max_length=100, description="A `head` noted before: it must be in the log.")] | None
    ) = None


async def verify_key_uses(call: Call) -> Reply:
    """Find any edit of the log by its chain of hashes and by what certificates and CAs know of it; reads all of it."""
    wanted: Noted = call.parameters
    noted = None if wanted.anchor is None else parse_head(wanted.anchor)
    verified = await call.parts.service.access.apart(lambda authority: authority.store.verify_key_uses(anchor=noted))
    return Reply(verification_to_json(verified))


OPERATIONS = (
    Operation(
        "listKeyUses", "GET", "/v1/key-uses", Role.VIEWER, list_key_uses, KeyUses, "List uses of CA keys",
        parameters=Pages,
    ),
    Operation(
        "verifyKeyUses", "GET", "/v1/key-uses/verification", Role.ADMIN, verify_key_uses, Verification,
        "Verify the log of CA keys", parameters=Noted, problems={422: "The anchor cannot be read."},
    ),
)  # fmt: skip
