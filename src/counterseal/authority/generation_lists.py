"""Which revocation list of each CA a generation was made from: kept beside it, by number.

Times would not do: a list that was signed in the second of a deploy, and after it, would pass for one that nginx has.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from counterseal.errors import FileError
from counterseal.files import read_file
from counterseal.fileset import FileSet, PlannedFile

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.authority.parts import Authority

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
    return bool(kept == _newest(authority))


def _newest(authority: Authority) -> dict[str, int | None]:
    return {record.name: authority.store.latest_crl_number(record.name) for record in authority.store.cas()}
