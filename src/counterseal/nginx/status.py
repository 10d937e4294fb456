"""What is so at the moment: which nginx, does it run, which generation, is a deploy unfinished. Nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.errors import CountersealError
from counterseal.nginx.binary import check_configuration, read_version
from counterseal.nginx.generations import find_changes, list_generations, read_current
from counterseal.nginx.journal import read_journal

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.nginx.binary import ConfigTest
    from counterseal.nginx.journal import Journal
    from counterseal.nginx.undo import Place


@dataclass(frozen=True, slots=True)
class NginxStatus:
    """The state of one place.

    ``version`` is the first line of ``nginx -V``; ``generation`` the number in force (None: none), ``link`` where
    ``current`` points to; ``changed`` the files of it that are not as they were written; ``journal`` an unfinished
    deploy; ``test`` the answer of ``nginx -t`` now; ``faults`` what could not be found out, and why.
    """

    binary: Path
    version: str | None
    master: int | None
    workers: tuple[int, ...]
    generation: int | None
    link: str | None
    proven: bool
    changed: tuple[str, ...]
    journal: Journal | None
    test: ConfigTest | None
    faults: tuple[CountersealError, ...]

    @property
    def running(self) -> bool:
        """Whether nginx runs."""
        return self.master is not None


def read_status(place: Place) -> NginxStatus:
    """Look at everything; what cannot be found out is told in ``faults`` and raised nowhere."""
    target, limits = place.nginx.target, place.limits
    faults: list[CountersealError] = []
    version = test = generation = journal = None
    try:
        version = read_version(target.binary, time_limit=limits.test).partition("\n")[0]
        test = check_configuration(
            target.binary, conf=target.conf, prefix=target.prefix, error_log=None, time_limit=limits.test
        )
    except CountersealError as error:
        faults.append(error)
    try:
        generation = read_current(place.base)
        journal = read_journal(place.layout.journal)
    except CountersealError as error:
        faults.append(error)
    found = next((one for one in list_generations(place.base) if one.number == generation), None)
    link = place.layout.current
    return NginxStatus(
        binary=target.binary,
        version=version,
        master=place.nginx.master_pid(),
        workers=place.nginx.worker_pids(),
        generation=generation,
        link=str(link.readlink()) if link.is_symlink() else None,
        proven=found is not None and found.proven,
        changed=find_changes(found) if found else (),
        journal=journal,
        test=test,
        faults=tuple(faults),
    )
