"""Putting a generation in force: test it, let nginx take it, prove it, or be back where we were.

The steps stand one below the other in ``_put_in_force`` and in ``activate``. Whatever fails, and also ``kill -9``
followed by any next command, leaves the old generation or the new one in force, never a mix: the undo is on disk before
anything is touched, a directory is never changed after it has its number, and the link is switched by one rename. What
is proved, and how a generation is asked whether it answers, is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.errors import DeployError
from counterseal.nginx.activate import Activation, Walk, activate
from counterseal.nginx.binary import require_executable
from counterseal.nginx.generations import find_changes, make_passable, next_number, read_generation, write_generation
from counterseal.nginx.inclusion import Inclusion, plan_inclusion
from counterseal.nginx.lock import await_lock, hold_lock
from counterseal.nginx.retention import find_previous, prune
from counterseal.nginx.undo import Place, Recovery, recover

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.fileset import FileSet

STEPS = (
    "lock", "recover", "check", "write", "register", "switch", "test", "reload", "answer", "prove", "commit", "prune",
)  # fmt: skip
"""The steps of a deploy in their order; a rollback has all but ``write``."""


@dataclass(frozen=True, slots=True)
class ProofOutcome:
    """What a proof said: whether everything was as expected, in one line, and the whole of it for whoever shows it.

    ``advice`` is cause and fix of what was not, a line each.
    """

    passed: bool
    summary: str
    details: object = None
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeployResult:
    """A deploy that succeeded: what is in force and how it came to be.

    ``recovery`` is what had to be mended first, ``pruned`` are the old generations removed, ``seconds`` the whole time.
    """

    generation: int
    active: Activation
    recovery: Recovery | None
    pruned: tuple[int, ...]
    seconds: float


def deploy(
    fileset: Callable[[int], FileSet],
    *,
    place: Place,
    prove: Callable[[int], ProofOutcome],
    reason: str,
    install: bool = False,
    may_rest: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> DeployResult:
    """Write the files as a new generation and put it in force, proved; or leave everything as it was.

    ``fileset`` and ``prove`` are given the generation's number. ``install`` allows to make the include file in the
    user's tree; ``may_rest`` to leave an nginx that does not run as it is, with the generation for its next start.
    ``on_step`` is told each of ``STEPS`` as it begins. Raises DeployError with the code of the step that
    failed and nginx's own line; NginxError for an nginx that is missing, stopped, broken or does not include us, before
    anything is changed; and whatever ``fileset`` raises.
    """

    def write(walk: Walk) -> int:
        number = next_number(place.base)
        files = fileset(number)
        walk.undertaking = f"generation {number}"
        with walk.take("write", "deploy.write_failed", "cannot be written"):
            write_generation(place.base, files, number=number, created_at=place.nginx.clock.now(), reason=reason)
        return number

    return _put_in_force(write, place=place, prove=prove, install=install, may_rest=may_rest, on_step=on_step)


def rollback(
    *,
    place: Place,
    prove: Callable[[int], ProofOutcome],
    to: int | None = None,
    judge: Callable[[int], None] = lambda _: None,
    on_step: Callable[[str], None] = lambda _: None,
) -> DeployResult:
    """Put an older generation in force again, with the same bytes, as carefully as a new one.

    ``to`` None is the proven one that was in force before the current one. ``judge`` may refuse it, under the lock:
    who was revoked while another deploy was waited for counts. Raises what that and ``deploy`` raise, and
    DeployError ``deploy.no_previous``, ``deploy.not_proven``, ``deploy.generation_changed``; NotFoundError.
    """

    def choose(walk: Walk) -> int:
        number = choose_generation(place.base, to)
        judge(number)
        walk.undertaking = f"rollback to generation {number}"
        return number

    return _put_in_force(choose, place=place, prove=prove, install=False, may_rest=False, on_step=on_step)


def mend(place: Place) -> Recovery | None:
    """Mend what a killed deploy left; every command that touches nginx begins with this. None: nothing to mend."""
    if not place.base.is_dir():
        return None
    with hold_lock(place.directories.lock, within=place.limits.lock, clock=place.nginx.clock):
        return recover(place)


def await_others(place: Place) -> None:
    """Wait for another deploy, as one would that follows it; raises DeployError ``deploy.busy``. Nothing is written."""
    clock, limits = place.nginx.clock, place.limits
    await_lock(place.directories.lock, within=limits.lock, clock=clock, on_busy=place.on_busy)


def _put_in_force(
    generation: Callable[[Walk], int],
    *,
    place: Place,
    prove: Callable[[int], ProofOutcome],
    install: bool,
    may_rest: bool,
    on_step: Callable[[str], None],
) -> DeployResult:
    """Take the steps of ``STEPS`` under the lock; ``generation`` writes or chooses the one to put in force."""
    walk, clock = Walk(on_step), place.nginx.clock
    began = clock.monotonic()
    walk.enter("lock")
    with hold_lock(place.directories.lock, within=place.limits.lock, clock=clock, on_busy=place.on_busy):
        walk.enter("recover")
        recovery = recover(place)
        walk.enter("check")
        inclusion = _check(place, install=install, may_rest=may_rest)
        number = generation(walk)
        active = activate(place, number, inclusion, prove, walk, may_rest=may_rest)
        walk.enter("prune")
        pruned = prune(place.base)
    return DeployResult(number, active, recovery, pruned, clock.monotonic() - began)


def _check(place: Place, *, install: bool, may_rest: bool) -> Inclusion:
    """See that nginx is there and would read us, before anything is changed."""
    target, limits = place.nginx.target, place.limits
    require_executable(target.binary)
    make_passable(place.directories.run)
    if target.owned:
        return Inclusion()
    if not may_rest:
        place.nginx.require_master()
    return plan_inclusion(target, place.base, install=install, time_limit=limits.test)


def choose_generation(base: Path, to: int | None) -> int:
    """Return the generation that ``rollback`` goes to: it was proved once and has not a byte changed since.

    Raises DeployError ``deploy.no_previous``, ``deploy.not_proven``, ``deploy.generation_changed``; NotFoundError.
    """
    number = to if to is not None else find_previous(base)
    if number is None:
        raise DeployError("deploy.no_previous", f"no earlier proven generation: {base}", hint="deploy again instead")
    generation = read_generation(base, number)
    if not generation.proven:
        raise DeployError(
            "deploy.not_proven", f"never proved: generation {number}", hint="choose a proven one: nginx generations"
        )
    if changed := find_changes(generation):
        raise DeployError(
            "deploy.generation_changed",
            f"generation {number} was changed since it was written: {', '.join(changed)}",
            hint="choose another one, or deploy again",
        )
    return number
