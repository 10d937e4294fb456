"""What other programs issued, and a CA that was taken over answers for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.authority.any_purpose import is_of_any_purpose
from counterseal.authority.doctor.check import Check, attention, ok
from counterseal.moments import epoch
from counterseal.pki.shown import counted
from counterseal.store.records import IMPORTED, PAGE_LIMIT, Query, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.authority.parts import Authority

_NAMED = 3
_MEND = (
    "issue them anew (counterseal server, counterseal client), then: counterseal revoke; until then name who may come"
    " in: allow, in the site; all that are left: counterseal list --profile imported --status valid"
)


def check_imported(authority: Authority, *, deep: bool) -> Iterator[Check]:
    """Yield whether valid ones are good for every purpose; ``deep`` looks at them however many they are."""
    now = epoch(authority.clock())
    (count,) = authority.store.count_valid(IMPORTED, (now,))
    if not count:
        return
    query = Query(profile=IMPORTED, status=Status.VALID, include_expired=False, at=now, limit=PAGE_LIMIT)
    records = authority.store.every(query) if deep else authority.store.search(query).records
    revoked = {ca.name for ca in authority.store.cas() if ca.revoked_at is not None}
    names = [one.name for one in records if one.issuer not in revoked and is_of_any_purpose(one)]
    looked_at = "" if deep or count <= PAGE_LIMIT else f" among the {PAGE_LIMIT:,} that end first; all: --deep"
    whole = counted(count, "valid certificate of another program", "valid certificates of another program")
    if not names:
        yield ok("imported", "", f"{whole}, none good for every purpose{looked_at}")
        return
    shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
    told = "without extendedKeyUsage, so that a site that admits clients of its CA admits a server's too"
    yield attention("imported", "", f"{len(names):,} of {whole} {told}: {shown}{looked_at}", _MEND)
