"""``counterseal ca import-crl``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from counterseal.authority.publish import publish, signing_cas, unlock
from counterseal.authority.take_list import judge_list, take_list
from counterseal.cli.common import FILE, Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.last_settings import acts_of_refusal, by_sound_settings, tell_refused
from counterseal.cli.locking_out import ground_in_force, rehearse_deploying
from counterseal.cli.not_in_force import advice_of, findings_of
from counterseal.cli.unseen import require_alone
from counterseal.errors import CountersealError, DeployError
from counterseal.files import read_file
from counterseal.moments import moment, show_moment
from counterseal.pki.reading import crls_in
from counterseal.pki.shown import counted
from counterseal.store.records import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.authority.take_list import GivenList
    from counterseal.config.settings import Settings
    from counterseal.files import Preview

EPILOG = """\b
Examples:
  counterseal ca import-crl root.crl.pem
  openssl ca -config root.cnf -gencrl -crldays 180 -out root.crl.pem      where the root's key is
"""


@click.command("import-crl", epilog=EPILOG)
@click.argument("file", type=FILE)
@click.option("--no-deploy", is_flag=True, help="Leave nginx as it is, for a deploy later.")
@dry_run_option
@common
def import_crl(run: Run, *, file: Path, no_deploy: bool, dry_run: bool) -> None:
    """Take the revocation list of a CA whose key is not here, as of an offline root: nginx needs one of every CA.

    A newer one takes its place. It is deployed and proved where sites are. One of a CA whose key is here brings back
    what a restored backup does not know: who stands on it is revoked here, too, and a newer list is signed.
    """
    lists = crls_in(read_file(file), source=str(file))
    with run.authority() as authority:
        if dry_run:
            judged = [judge_list(authority, crl) for crl in lists]
            acts = [f"take {_named(one)}" for one in judged if one.is_new]
            signs = any(one.is_own for one in judged)
            run.rehearse_opening(authority, signing_cas(authority) if signs else ())
            own = [one.crl.issuer for one in judged if one.is_own and one.is_new]
            acts += [f"sign a new revocation list of {name}" for name in dict.fromkeys(own)]
            deploying, files = _rehearse(run, authority, judged, deploy=bool(acts) and not no_deploy)
            acts = [*acts, *deploying] or ["do nothing: it is here already"]
            show_dry_run(run, acts=acts, files=files, document=_document(judged))
            return
        if any(judge_list(authority, crl).is_own for crl in lists):
            unlock(authority)
        with authority.store.transaction():
            given = [take_list(authority, crl) for crl in lists]
        for one in given:
            for ca in one.revoked:
                run.warn(f"CA {ca.name} is revoked by this list, and with it all that it issued")
            _tell_added(run, authority, one)
        publish(authority, only={one.crl.issuer for one in given if one.is_own and one.is_new})
        deploys = not no_deploy and any(one.is_new for one in given)
        state, shown = _deploy(run, authority, given) if deploys else ("", {})
    lines = [f"{'took' if one.is_new else 'here already:'} {_named(one)}" for one in given]
    lines += [f"{state}: generation {shown['generation']}"] if shown else []
    run.show({**_document(given), "generation": None, **shown}, "\n".join(lines))


def _document(given: Sequence[GivenList]) -> dict[str, Any]:
    return {"crls": [{"ca": one.crl.issuer, "number": one.crl.number, "taken": one.is_new} for one in given]}


def _rehearse(
    run: Run, authority: Authority, judged: Sequence[GivenList], *, deploy: bool
) -> tuple[list[str], Sequence[Preview]]:
    reason, contents = f"list of {', '.join(one.crl.issuer for one in judged)}", [one.crl.crl for one in judged]

    def attempt(settings: Settings) -> tuple[list[str], Sequence[Preview]]:
        ground = ground_in_force(run, settings, deploy=deploy)
        by = replace(authority, rules=settings.rules)
        return rehearse_deploying(
            by,
            settings,
            ground,
            reason,
            lambda one: [take_list(one, crl) for crl in contents],
            locks_out=_locks_out(judged),
        )

    (acts, files), refused = by_sound_settings(run, run.settings(), attempt)
    return [*acts, *acts_of_refusal(refused)], files


def _locks_out(given: Sequence[GivenList]) -> bool:
    return any(one.revoked or one.is_own for one in given)


def _tell_added(run: Run, authority: Authority, one: GivenList) -> None:
    """Say who is locked out by an own list: also who was held when it was signed, and is not any more."""
    records = [authority.store.certificate(number, issuer=one.crl.issuer) for number in sorted(one.added)]
    held = [record.name for record in records if record.status is Status.HELD]
    if records:
        run.say(f"revoked by list {one.crl.number} of CA {one.crl.issuer}: {', '.join(one.name for one in records)}")
    if held:
        run.warn(
            f"held by that list, also whose hold was taken back after it: {', '.join(held)}",
            "hint: counterseal unrevoke NAME",
        )


def _named(one: GivenList) -> str:
    entries, until = counted(one.crl.entries, "entry", "entries"), show_moment(moment(one.crl.next_update))
    return f"list {one.crl.number} of CA {one.crl.issuer}: {entries}, until {until}"


def _deploy(run: Run, authority: Authority, given: Sequence[GivenList]) -> tuple[str, dict[str, Any]]:
    names = ", ".join(one.crl.issuer for one in given)
    try:
        done, refused = by_sound_settings(
            run, run.settings(), lambda settings: _deploy_by(run, authority, settings, given, names)
        )
    except CountersealError as error:
        raise DeployError(
            "crl.not_in_force",
            f"nginx has not the new list of {names}: {error.message}",
            quote=getattr(error, "quote", None),
            advice=advice_of(error),
            findings=findings_of(error),
            hint="the store has it, nginx has not: mend what is named above, then run: counterseal nginx deploy",
        ) from error
    tell_refused(run, done[1], refused)
    return done


def _deploy_by(
    run: Run, authority: Authority, settings: Settings, given: Sequence[GivenList], names: str
) -> tuple[str, dict[str, Any]]:
    ground = ground_in_force(run, settings, deploy=True)
    if ground is None:
        require_alone(run, None)
        return "", {}
    from counterseal.authority.deployment import deploy_sites  # noqa: PLC0415 - nginx and TLS only where sites are
    from counterseal.cli.in_force import tell_in_force  # noqa: PLC0415 - same

    by, reason = replace(authority, rules=settings.rules), f"list of {names}"
    deployed = deploy_sites(by, settings.sites, ground, reason=reason, locks_out=_locks_out(given), may_rest=True)
    told = tell_in_force(run, ground, deployed)
    require_alone(run, ground)
    return told
