"""Which revocation list of each CA a generation was made from: kept beside it, by number.

Times would not do: a list that was signed in the second of a deploy, and after it, would pass for one that nginx has.

Where hosts share a store, the deploy of each signs new lists, on which its probes are revoked: the others need those no
more than their own of yesterday.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from counterseal.errors import FileError
from counterseal.files import read_file
from counterseal.fileset import FileSet, PlannedFile
from counterseal.moments import epoch
from counterseal.pki.profile import UNLISTED

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CARecord

NUMBERS_FILE = "crl-numbers.json"


def list_numbers(authority: Authority) -> FileSet:
    """Return the file that keeps the numbers of the newest lists; taken before the lists themselves are read."""
    return FileSet((PlannedFile(NUMBERS_FILE, json.dumps(_newest(authority)).encode()),))


def has_newest_lists(authority: Authority, directory: Path) -> bool:
    """Whether a generation was made from the newest list of every CA; False also where it does not say."""
    try:
        kept = json.loads(read_file(directory / NUMBERS_FILE))
    except (FileError, ValueError):
        return False
    newest = _newest(authority)
    if kept == newest or not authority.store.is_shared:
        return bool(kept == newest)
    if not isinstance(kept, dict) or kept.keys() != newest.keys():
        return False
    cas = [record for record in authority.store.cas() if kept[record.name] != newest[record.name]]
    return all(_lacks_probes_alone(authority, record, kept[record.name]) for record in cas)


def _lacks_probes_alone(authority: Authority, ca: CARecord, kept: Any) -> bool:  # noqa: ANN401 - as JSON has it
    """Whether an older list of a CA is not old, and lacks nobody but probes."""
    match kept:
        case [int(), int(change), int(signed)] if not authority.is_away(ca):  # another's is taken as it comes
            is_young = epoch(authority.clock()) - signed < authority.rules.crl_refresh.total_seconds()
            has_left = authority.store.revocation_changes(ca.name)[1] > change
            revoked = authority.store.profiles_revoked(ca.name, after=change, since=signed)
            return is_young and not has_left and revoked <= {*UNLISTED}
        case _:
            return False


def _newest(authority: Authority) -> dict[str, list[int | None] | None]:
    """Return of each CA the number of its newest list, that of the last change on it, and when it was signed."""
    store = authority.store
    lists = {record.name: store.latest_crl_times(record.name) for record in store.cas()}
    return {name: one and [one.number, store.latest_crl_change(name), one.this_update] for name, one in lists.items()}
