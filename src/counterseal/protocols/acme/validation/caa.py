"""CAA (RFC 8659, 8657): whether the owner of a domain lets this CA issue, to this account, by this challenge."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.protocols.acme.problems import Failure
from counterseal.protocols.acme.validation.resolver import Lookup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from counterseal.protocols.acme.validation.connect import Reach

Record = tuple[int, str, str]
CRITICAL = 128
SECONDS = 15.0
"""For all the names that are asked, however many labels the domain has."""

KNOWN_TAGS = frozenset({"issue", "issuewild", "iodef", "contactemail", "contactphone"})


@dataclass(frozen=True, slots=True)
class Asking:
    """Who wants to issue: the CA's domains, for which name, to which account, after which challenge."""

    identities: Sequence[str]
    domain: str
    wildcard: bool
    account_url: str
    method: str | None


async def check_caa(reach: Reach, asking: Asking) -> Failure | None:
    """Return why CAA forbids it, or None; what cannot be asked, or not in time, forbids (RFC 8659 3)."""
    try:
        async with asyncio.timeout(SECONDS):
            return await _climb(reach, asking)
    except Lookup as lookup:
        return Failure("caa", lookup.failure.detail)
    except TimeoutError:
        return Failure("caa", f"CAA of {asking.domain} and the names above is not answered within {SECONDS:g} s")


async def _climb(reach: Reach, asking: Asking) -> Failure | None:
    """Go by the records of the closest name that has any; raises Lookup."""
    labels = asking.domain.split(".")
    for first in range(len(labels)):
        name = ".".join(labels[first:])
        records = await reach.resolver.caa(name)
        if records:
            return judge(records, asking, name)
    return None


def judge(records: Sequence[Record], asking: Asking, name: str) -> Failure | None:
    """Return why these records forbid it, or None."""
    for flags, tag, _ in records:
        if flags & CRITICAL and tag not in KNOWN_TAGS:
            return Failure("caa", f"{name} has a critical CAA record that is not understood: {tag}")
    issuing = [value for _, tag, value in records if tag == "issue"]
    wild = [value for _, tag, value in records if tag == "issuewild"]
    relevant = wild if asking.wildcard and wild else issuing
    if not relevant or _permits(relevant, asking):
        return None
    return Failure("caa", f"the CAA records of {name} do not let {' or '.join(asking.identities)} issue")


def _permits(values: Iterable[str], asking: Asking) -> bool:
    for value in filter(str.isascii, values):  # one that is no such value lets nobody issue (RFC 8659 4.2)
        domain, *parameters = (part.strip() for part in value.split(";"))
        if domain.lower() in asking.identities and _fits(parameters, asking):
            return True
    return False


def _fits(parameters: Iterable[str], asking: Asking) -> bool:
    pairs = [part.partition("=")[::2] for part in parameters if part]
    given = dict(pairs)
    if len(given) < len(pairs):
        return False  # which of two accounts is meant nobody knows (RFC 8657 3)
    methods = given.get("validationmethods")
    if methods is not None and asking.method is not None and asking.method not in methods.split(","):
        return False
    return given.get("accounturi", asking.account_url) == asking.account_url
