"""CAA (RFC 8659, 8657): whether the owner of a domain lets this CA issue, to this account, by this challenge."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.protocols.acme.problems import Failure
from counterseal.protocols.acme.validation.resolver import Lookup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from counterseal.protocols.acme.validation.connect import Reach

Record = tuple[int, str, str]
CRITICAL = 128
SECONDS = 15.0
"""For all the names that are asked, however many labels the domain has."""

KNOWN_TAGS = frozenset({"issue", "issuewild", "iodef", "contactemail", "contactphone"})

_BLANKS = " \t"
_PARAMETER = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)[ \t]*=[ \t]*([!-:<-~]*)")


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
    for value in values:
        read = _read(value)
        if read is not None and read[0].lower() in asking.identities and _fits(read[1], asking):
            return True
    return False


def _read(value: str) -> tuple[str, dict[str, str]] | None:
    """Return the domain and the parameters, None for what is no such value and so lets nobody issue (RFC 8659 4.2).

    That it is not understood may be all that its owner's restriction came to: none of it is passed over.
    """
    domain, *parameters = (part.strip(_BLANKS) for part in value.split(";"))
    if parameters == [""]:  # a semicolon alone
        return domain, {}
    pairs = [found.groups() for found in map(_PARAMETER.fullmatch, parameters) if found]
    given = {tag.lower(): said for tag, said in pairs}
    return (domain, given) if len(given) == len(parameters) else None  # which of two is meant nobody knows


def _fits(given: Mapping[str, str], asking: Asking) -> bool:
    """RFC 8657 3 and 4."""
    methods = given.get("validationmethods")
    if methods is not None and asking.method is not None and asking.method not in methods.split(","):
        return False
    return given.get("accounturi", asking.account_url) == asking.account_url
