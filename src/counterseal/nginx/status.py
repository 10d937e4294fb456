"""What is so at the moment: which nginx, does it run, which generation, is a deploy unfinished. Nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from counterseal.errors import CountersealError
from counterseal.nginx.binary import check_configuration, read_version
from counterseal.nginx.generations import find_changes, read_current, read_generation
from counterseal.nginx.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.nginx.binary import ConfigTest
    from counterseal.nginx.journal import Journal
    from counterseal.nginx.undo import Place


_Found = TypeVar("_Found")


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
    base, nginx, faults = place.base, place.nginx, list[CountersealError]()
    version = _find(lambda: read_version(nginx.target.binary, time_limit=place.limits.test), "", faults)
    number = _find(lambda: read_current(base), None, faults)
    found = _find(lambda: read_generation(base, number), None, faults) if number is not None else None
    link = place.directories.current
    return NginxStatus(
        binary=nginx.target.binary,
        version=version.partition("\n")[0] or None,
        master=nginx.master_pid(),
        workers=nginx.worker_pids(),
        generation=number,
        link=str(link.readlink()) if link.is_symlink() else None,
        proven=found is not None and found.proven,
        changed=_find(lambda: find_changes(found), (), faults) if found else (),
        journal=_find(lambda: read_journal(place.directories.journal), None, faults),
        test=_find(lambda: _test(place), None, faults) if version else None,
        faults=tuple(faults),
    )


def _test(place: Place) -> ConfigTest:
    target, limit = place.nginx.target, place.limits.test
    return check_configuration(target.binary, conf=target.conf, prefix=target.prefix, error_log=None, time_limit=limit)


def _find(look: Callable[[], _Found], otherwise: _Found, faults: list[CountersealError]) -> _Found:
    try:
        return look()
    except CountersealError as error:
        faults.append(error)
        return otherwise
