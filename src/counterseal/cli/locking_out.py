"""A deploy that brings a revocation or its end, a new list or another CA: put in force, proved, or rehearsed.

What ``revoke``, ``refresh`` and ``ca`` share. Whatever keeps nginx from it keeps no list from being published.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from counterseal.authority.publish import publish, stale_lists
from counterseal.cli.key_away import left_by_its_list, tell_last_lists, tell_no_list
from counterseal.cli.last_settings import acts_of_refusal, by_sound_settings, require_what_is_served, tell_refused
from counterseal.cli.not_in_force import by_defaults, fails_by_defaults, has_generation, not_in_force, not_published
from counterseal.cli.unexpected import foreseen
from counterseal.cli.unseen import another_nginx, require_alone
from counterseal.errors import CountersealError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.cli.common import Run
    from counterseal.config.settings import Settings
    from counterseal.files import Preview
    from counterseal.store.records import CertificateRecord, CRLRecord


def put_in_force(
    run: Run, authority: Authority, record: CertificateRecord, verb: str, *, deploy: bool
) -> tuple[str, dict[str, Any]]:
    """Publish the lists and, where sites are deployed, deploy and prove; return the outcome in words and as data.

    Whatever keeps nginx from it keeps nobody else: the lists are published all the same, and what ``for_revocation``
    passes over keeps nobody at all: it is told afterwards.
    """
    settings = run.settings()
    authority = replace(authority, rules=settings.for_revocation().rules)
    told, shown = _put_in_force(run, authority, record, verb, deploy=deploy)
    if authority.store.is_shared:
        run.tell("hint: the store is shared: nginx on another host has it once this has run there: counterseal refresh")
    if wrong := settings.overlooked():
        raise by_defaults(told, wrong)
    return told, shown


def _put_in_force(
    run: Run, authority: Authority, record: CertificateRecord, verb: str, *, deploy: bool
) -> tuple[str, dict[str, Any]]:
    def attempt(settings: Settings) -> tuple[str, dict[str, Any]] | None:
        with foreseen():
            ground, by = ground_in_force(run, settings, deploy=deploy), replace(authority, rules=settings.rules)
            done = None if ground is None else _deploy(run, by, settings, ground, f"{verb} {record.name}")
            if deploy:
                require_alone(run, ground)
            if done and (left := left_by_its_list(by, settings.sites, record, verb)):
                raise left
            return done

    try:
        done, refused = by_sound_settings(run, run.settings().for_revocation(), attempt)
        if done is not None:
            tell_no_list(run, authority, record)
            tell_refused(run, done[1], refused)
            return done
    except CountersealError as error:
        _publish(run, authority, record, verb, only_stale=True)
        raise not_in_force(run, record.name, verb, error) from error
    numbers = {crl.issuer: crl.number for crl in _publish(run, authority, record, verb)}
    if has_generation(run):  # --no-deploy
        run.say("nginx was left as it is, and has none of it until: counterseal refresh")
    else:
        run.say("no site is deployed here; other relying parties need the new lists: counterseal crl --out DIR")
    return "new lists: " + ", ".join(f"{ca} {number}" for ca, number in numbers.items()), {"crl_numbers": numbers}


def _publish(
    run: Run, authority: Authority, record: CertificateRecord, verb: str, *, only_stale: bool = False
) -> Sequence[CRLRecord]:
    try:
        signed = publish(authority, only=stale_lists(authority) if only_stale else None).signed
    except CountersealError as error:
        raise not_published(run, record, verb, error) from error
    tell_no_list(run, authority, record)
    return signed


def _deploy(
    run: Run, authority: Authority, settings: Settings, ground: Ground, reason: str
) -> tuple[str, dict[str, Any]]:
    from counterseal.authority.deployment import deploy_sites  # noqa: PLC0415 - nginx and TLS only where sites are
    from counterseal.cli.in_force import tell_in_force  # noqa: PLC0415 - same

    deployed = deploy_sites(authority, settings.sites, ground, reason=reason, locks_out=True)
    state, shown = tell_in_force(run, ground, deployed)
    tell_last_lists(run, authority, settings.sites)
    rows = sum(len(proof.rows) for proof in deployed.proofs) - len(deployed.unmet)
    proved = f", {rows} rows" if shown["proved"] else ""
    return f"{state}: generation {shown['generation']}{proved}", shown


def ground_in_force(run: Run, settings: Settings, *, deploy: bool) -> Ground | None:
    """Return where a generation is in force, or None where there is none or it is not wanted."""
    if not deploy or not has_generation(run):
        return None
    require_what_is_served(run, settings)
    from counterseal.compose.ground import open_ground  # noqa: PLC0415 - nginx only where sites are

    ground = patient(run, open_ground(run.home, settings))
    return None if ground.in_force is None else ground


def patient(run: Run, ground: Ground) -> Ground:
    """Return a ground where another deploy is waited for as long as it lives: it may not have the new lists."""

    def tell(holder: str) -> None:
        run.say(f"another deploy is under way, process {holder}: waiting for its end")

    limits = replace(ground.place.limits, lock=inf)
    return replace(ground, place=replace(ground.place, limits=limits, on_busy=tell))


def act_of_deploy(ground: Ground) -> str:
    """Return what a rehearsal says of a deploy that locks somebody out."""
    if ground.place.nginx.master_pid() is None:
        return "make a new generation for the next start of nginx, which does not run, unproved"
    return "deploy a new generation and prove it"


class Rehearsed(NamedTuple):
    """What ``put_in_force`` would do after the lists are signed, and whether it would fail all the same."""

    acts: list[str]
    files: Sequence[Preview]
    fails: bool


def rehearse_deploying(
    authority: Authority,
    settings: Settings,
    ground: Ground | None,
    reason: str,
    before: Callable[[Authority], object],
    *,
    locks_out: bool = True,
) -> tuple[list[str], Sequence[Preview]]:
    """Return what a deploy that follows ``before`` would do, in words, and its files; nothing where there is none."""
    if ground is None:
        return [], ()
    from counterseal.cli.rehearsal import rehearse_generation  # noqa: PLC0415 - nginx only where sites are

    made = rehearse_generation(
        authority, settings.sites, ground, reason=reason, locks_out=locks_out, may_rest=True, before=before
    )
    return [act_of_deploy(ground)], made.files


def rehearse_in_force(
    run: Run,
    authority: Authority,
    record: CertificateRecord,
    verb: str,
    *,
    deploy: bool,
    before: Callable[[Authority], object],
) -> Rehearsed:
    """Return what ``put_in_force`` would do once ``before``, which revokes in a rehearsal, is done."""
    settings, name = run.settings(), record.name

    def attempt(of: Settings) -> tuple[list[str], Sequence[Preview], CountersealError | None]:
        ground, by = ground_in_force(run, of, deploy=deploy), replace(authority, rules=of.rules)
        left: CountersealError | None = None
        if ground is not None:
            _require_seen(ground)
            left = left_by_its_list(by, of.sites, record, verb)
        left = (another_nginx(run, ground) if deploy else None) or left
        return (*rehearse_deploying(by, of, ground, f"{verb} {name}", before), left)

    try:
        (acts, files, left), refused = by_sound_settings(run, settings.for_revocation(), attempt)
    except CountersealError as error:
        return Rehearsed([f"leave nginx as it is and fail: {not_in_force(run, name, verb, error).message}"], (), True)
    wrong, told = settings.overlooked(), [*acts, *acts_of_refusal(refused)]
    if left is not None:
        return Rehearsed([*told, f"fail: {not_in_force(run, name, verb, left).message}"], files, fails=True)
    return Rehearsed([*told, *fails_by_defaults(wrong)], files, wrong is not None)


def _require_seen(ground: Ground) -> None:
    from counterseal.authority.unseen import require_seen  # noqa: PLC0415 - nginx and TLS only where sites are

    require_seen(ground)
