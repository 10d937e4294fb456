"""Another nginx that serves sites of this home beside the one that is deployed to, and is told nothing.

A private nginx that was left running when the sites moved to the user's own, or the other way round; the master of
before, while its binary is upgraded; one that runs on after its home was restored. Its workers write our logs.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from counterseal.errors import DeployError, NginxError, shell_line
from counterseal.nginx.process import MASTER, accepts
from counterseal.nginx.proctable import every_pid, has_open_below, parent_of, read_title

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.authority.ground import Ground


def find_another(base: Path, master: int | None) -> tuple[int, ...]:
    """Return the workers that take connections for the sites of ``base`` and are not those of ``master``.

    As far as this user may look: root sees all, others those of their own.
    """
    return tuple(pid for pid in every_pid() if accepts(pid) and parent_of(pid) != master and _is_of(base, pid))


def another_error(workers: tuple[int, ...]) -> NginxError:
    """Return the error ``nginx.another``: who serves, and how that is ended."""
    parents = dict.fromkeys(parent for pid in workers if (parent := parent_of(pid)) is not None)
    masters = [pid for pid in parents if read_title(pid).startswith(MASTER)]
    alone = [pid for pid in workers if parent_of(pid) not in masters]
    named = [f"{read_title(pid)}: {pid}" for pid in (*masters, *alone)]
    end = shell_line("kill", "-QUIT", *masters, *alone)
    more = "; where it serves other sites too, take our include line out of its configuration and reload it"
    return NginxError(
        "nginx.another",
        f"another nginx serves sites of this home, as they were: {'; '.join(named)}",
        hint=f"end it: {end}{more if masters else ''}",
    )


@contextmanager
def naming_another(ground: Ground) -> Iterator[None]:
    """Have a deploy that is not answered as it should be name another nginx that serves the sites as the cause."""
    try:
        yield
    except DeployError as error:
        nginx = ground.place.nginx
        if error.code in {"deploy.not_answering", "deploy.proof_failed"} and (
            workers := find_another(ground.place.base, nginx.master_pid())
        ):
            told = another_error(workers)
            error.advice = (f"cause: {told.message}", f"fix: {told.hint}")
        raise


def _is_of(base: Path, pid: int) -> bool:
    """Whether a worker serves sites of ``base``: it has our logs open, or was started from there."""
    return has_open_below(pid, base) or was_started_from(base, read_title(parent_of(pid) or 0))


def was_started_from(base: Path, title: str) -> bool:
    """Whether a process of this title is the master of a private nginx of ``base``."""
    return f"-c {base}/current/" in title
