"""Going back: the undo of a deploy, carried out when a step fails, or by the next command when the deploy was killed.

Both ways are the same: the link back first, then nginx on the old bytes, then the journal away; so being killed while
going back is no case of its own. What a deploy does forward is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import CountersealError, DeployError
from counterseal.nginx.generations import (
    Directories,
    mark_proven,
    prepare_link,
    read_current,
    read_generation,
    switch_link,
)
from counterseal.nginx.inclusion import remove_include
from counterseal.nginx.journal import Step, read_journal, remove_journal, write_journal
from counterseal.nginx.retention import clean
from counterseal.nginx.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.nginx.journal import Journal
    from counterseal.nginx.process import NginxProcess


@dataclass(frozen=True, slots=True)
class Limits:
    """The longest time in seconds for each wait of a deploy."""

    lock: float = 30.0
    test: float = 30.0
    reload: float = 30.0
    answer: float = 10.0
    stop: float = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where deploys go: the base, the nginx that reads it, how to ask for its answer, how long to wait."""

    base: Path
    nginx: NginxProcess
    answers: Callable[[int], bool]
    limits: Limits = Limits()
    on_busy: Callable[[str], None] = lambda _: None
    """Told the process of another deploy that is waited for."""

    @property
    def directories(self) -> Directories:
        """The paths below the base."""
        return Directories(self.base)

    def wait_for_answer(self, number: int) -> bool:
        """Wait until generation ``number`` answers; says whether it did."""
        return wait_until(
            lambda: self.answers(number), within=self.limits.answer, clock=self.nginx.clock, interval=0.02
        )


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was mended: the deploy to ``new`` that died, the generation in force now, and whether that one answers.

    ``answers`` is None where there is nothing to ask: nginx does not run, or no generation is in force.
    """

    new: int
    in_force: int | None
    answers: bool | None


class Undo:
    """The undo of one deploy, from its registration until it is carried out or dropped."""

    def __init__(self, place: Place, journal: Journal) -> None:
        self._place = place
        self.journal = journal

    def register(self) -> None:
        """Prepare the link back and write the journal; nothing has been touched before this. Raises FileError."""
        prepare_link(self._place.base, self.journal.previous, name="back")
        write_journal(self._place.directories.journal, self.journal)

    def note(self, step: Step) -> None:
        """Write down how far nginx has come; raises FileError."""
        self.journal = replace(self.journal, step=step)
        write_journal(self._place.directories.journal, self.journal)

    def carry_out(self, *, nginx_touched: bool, because: str = "its deploy was killed") -> bool | None:
        """Go back; says whether the previous generation answers again (None: nothing to ask).

        Raises DeployError ``deploy.rollback_failed``; the journal then stays, and the next command tries again.
        """
        base, journal = self._place.base, self.journal
        try:
            if read_current(base) != journal.previous:
                switch_link(base, prepare_link(base, journal.previous, name="back"))
            if journal.include_file:
                remove_include(Path(journal.include_file))
            answers = self._serve_previous() if nginx_touched else None
            self.drop()
        except (CountersealError, OSError) as error:
            raise DeployError(
                "deploy.rollback_failed",
                f"cannot go back from generation {journal.new} ({because}): {error}",
                quote=getattr(error, "quote", None),
                hint="mend what is named above and run this again; to keep the state as it is, "
                f"remove {self._place.directories.journal}",
            ) from error
        return answers

    def drop(self) -> None:
        """Forget the undo; raises OSError."""
        remove_journal(self._place.directories.journal)
        clean(self._place.base)

    def _serve_previous(self) -> bool | None:
        nginx, limits, journal = self._place.nginx, self._place.limits, self.journal
        nginx.settle(within=limits.reload)
        if nginx.master_pid() is None:
            return None
        if nginx.target.owned and not journal.running:
            nginx.stop(within=limits.stop)
            return None
        # A reload that was not seen to end may still be at work, and the workers seen next may be its workers. nginx
        # takes reloads one after the other, so only the second one from here surely began after the link went back.
        for _ in range(2 if journal.step is Step.RELOADING else 1):
            nginx.reload_and_wait(within=limits.reload)
        return None if journal.previous is None else self._place.wait_for_answer(journal.previous)


def recover(place: Place) -> Recovery | None:
    """Mend what a killed deploy left, or do nothing and return None. Hold the lock.

    The journal's step decides: after ``proven`` and ``rested`` the new generation stays, before it
    the previous one comes back.
    Raises DeployError ``deploy.rollback_failed`` or ``deploy.journal_unreadable``, FileError.
    """
    journal = read_journal(place.directories.journal)
    if journal is None:
        clean(place.base)
        return None
    undo = Undo(place, journal)
    if journal.step in {Step.PROVEN, Step.RESTED}:
        if journal.step is Step.PROVEN:
            mark_proven(read_generation(place.base, journal.new))
        undo.drop()
        return Recovery(journal.new, in_force=journal.new, answers=None)
    return Recovery(journal.new, in_force=journal.previous, answers=undo.carry_out(nginx_touched=True))
