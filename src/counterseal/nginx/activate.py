"""The steps that touch nginx: register the undo, switch, test, reload, wait for the answer, prove, commit.

They stand in one straight line in ``_go_forward``. Each failure gets the code of its step, and behind every failure
stands the undo. How a generation is written or chosen is not known here.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import CountersealError, DeployError
from counterseal.nginx.binary import check_configuration, require_passed
from counterseal.nginx.errorlog import explain_bind
from counterseal.nginx.generations import mark_proven, prepare_link, read_current, read_generation, switch_link
from counterseal.nginx.inclusion import install_include, require_read
from counterseal.nginx.journal import Journal, Step
from counterseal.nginx.retention import prune
from counterseal.nginx.undo import Undo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from counterseal.nginx.deploy import ProofOutcome
    from counterseal.nginx.inclusion import Inclusion
    from counterseal.nginx.process import Reload
    from counterseal.nginx.undo import Place


@dataclass(frozen=True, slots=True)
class Activation:
    """A generation in force: after which one, whether nginx was started, its workers and warnings, and the proof.

    ``reload`` and ``proof`` are None where nginx does not run and was left so.
    """

    previous: int | None
    started: bool
    reload: Reload | None
    warnings: tuple[str, ...]
    proof: ProofOutcome | None


class Walk:
    """Where a deploy is: tells the caller each step, and turns what fails in it into a DeployError of that step."""

    def __init__(self, on_step: Callable[[str], None]) -> None:
        self.enter = on_step
        self.undertaking = ""

    @contextmanager
    def take(self, step: str, code: str, what: str) -> Iterator[None]:
        """Take one step; ``what`` says in words how it failed."""
        self.enter(step)
        try:
            yield
        except DeployError:
            raise
        except (CountersealError, OSError) as error:
            raise DeployError(
                code,
                f"{self.undertaking} {what}: {error}",
                quote=getattr(error, "quote", None),
                hint=getattr(error, "hint", None),
                advice=explain_bind(getattr(error, "quote", None)),
            ) from error


def activate(
    place: Place,
    number: int,
    inclusion: Inclusion,
    prove: Callable[[int], ProofOutcome],
    walk: Walk,
    *,
    may_rest: bool,
) -> Activation:
    """Put generation ``number`` in force and prove it, or go back and raise DeployError. Hold the lock.

    ``may_rest``: an nginx that does not run is not started; it finds the generation, tested, when somebody starts it.
    """
    previous, running = read_current(place.base), place.nginx.master_pid() is not None
    include = str(inclusion.to_install) if inclusion.to_install else None
    undo = Undo(place, Journal(previous, number, running, include_file=include))
    try:
        active = _go_forward(place, undo, inclusion, prove, walk, may_rest=may_rest)
    except BaseException as error:
        _go_back(undo, error)
        with suppress(CountersealError, OSError):
            prune(place.base)
        raise
    with suppress(OSError):  # the deploy is done; what cannot be removed now is removed by the next command
        undo.drop()
    return active


def _go_forward(
    place: Place,
    undo: Undo,
    inclusion: Inclusion,
    prove: Callable[[int], ProofOutcome],
    walk: Walk,
    *,
    may_rest: bool,
) -> Activation:
    base, nginx, within, journal = place.base, place.nginx, place.limits.reload, undo.journal
    number, running = journal.new, journal.running
    with walk.take("register", "deploy.write_failed", "cannot be put in force"):
        undo.register()
    with walk.take("switch", "deploy.switch_failed", "cannot be put in force"):
        switch_link(base, prepare_link(base, number, name="next"))
        if journal.include_file:
            install_include(Path(journal.include_file), base)
    with walk.take("test", "deploy.test_failed", "is refused by nginx -t"):
        warnings = _test(place, inclusion)
    if may_rest and not running:
        running = nginx.master_pid() is not None  # started meanwhile: perhaps it read the link before it was switched
        if not running:
            return _rest(undo, warnings, walk)
    with walk.take("reload", "deploy.reload_failed" if running else "deploy.start_failed", "is not taken by nginx"):
        undo.note(Step.RELOADING)
        taken = nginx.reload_and_wait(within=within) if running else nginx.start(within=within)
        undo.note(Step.RELOADED)
    with walk.take("answer", "deploy.not_answering", "does not answer"):
        _require_answer(place, number)
    with walk.take("prove", "deploy.proof_failed", "could not be proved"):
        proof = _require_proof(prove(number), number)
    with walk.take("commit", "deploy.write_failed", "cannot be recorded as proven"):
        mark_proven(read_generation(base, number))
        undo.note(Step.PROVEN)
    return Activation(journal.previous, not running, taken, warnings, proof)


def _rest(undo: Undo, warnings: tuple[str, ...], walk: Walk) -> Activation:
    """Leave the new generation to the next start of nginx, unproved."""
    with walk.take("commit", "deploy.write_failed", "cannot be recorded"):
        undo.note(Step.RESTED)
    return Activation(undo.journal.previous, started=False, reload=None, warnings=warnings, proof=None)


def _test(place: Place, inclusion: Inclusion) -> tuple[str, ...]:
    """Ask nginx whether it accepts all of it, and reads ours; returns its warnings, verbatim."""
    target = place.nginx.target
    test = check_configuration(
        target.binary,
        conf=target.conf,
        prefix=target.prefix,
        error_log=target.error_log if target.owned else None,
        time_limit=place.limits.test,
        dump=not target.owned,
    )
    current = place.directories.current
    require_passed(test, known_conflicts=inclusion.tolerated(current.resolve()))
    if not target.owned:
        for name in target.included:
            require_read(test, current / name)
    return tuple(line.verbatim for line in test.warnings)


def _require_answer(place: Place, number: int) -> None:
    if not place.wait_for_answer(number):
        raise DeployError(
            "deploy.not_answering",
            f"generation {number} does not answer within {place.limits.answer:g} s, though nginx has taken it",
            hint="another server block or another nginx may have the address and the name",
        )


def _require_proof(proof: ProofOutcome, number: int) -> ProofOutcome:
    if not proof.passed:
        raise DeployError(
            "deploy.proof_failed",
            f"generation {number} fails its proof: {proof.summary}",
            proof=proof,
            advice=proof.advice,
        )
    return proof


def _go_back(undo: Undo, error: BaseException) -> None:
    """Carry out the undo, and let the error say what is in force now."""
    previous, touched = undo.journal.previous, undo.journal.step is not Step.REGISTERED
    answers = undo.carry_out(nginx_touched=touched, because=str(error))
    if isinstance(error, CountersealError) and error.hint is None:
        state = f"generation {previous} is in force" if previous is not None else "no generation is in force"
        error.hint = f"{state}, as before" if answers is not False else f"{state} again, but does not answer"
