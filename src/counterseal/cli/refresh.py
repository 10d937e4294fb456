"""``counterseal refresh``: what a timer calls."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from counterseal.authority.parts import ROOT, replacing
from counterseal.authority.publish import ending_lists, lacking_lists, publish, signing_cas, stale_lists
from counterseal.cli.common import Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.exit_codes import FINDINGS
from counterseal.cli.last_settings import (
    acts_of_refusal,
    by_sound_settings,
    names_no_site,
    require_what_is_served,
    tell_refused,
)
from counterseal.cli.locking_out import patient, rehearse_deploying
from counterseal.cli.not_in_force import by_defaults, fails_by_defaults, has_generation
from counterseal.cli.unexpected import foreseen
from counterseal.cli.unseen import prove_by_hand, tell_unserved
from counterseal.errors import CountersealError
from counterseal.moments import moment, show_moment
from counterseal.pki.profile import Purpose
from counterseal.store.key_uses import show_head

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.authority.reminders.send import Sent
    from counterseal.config.settings import Settings
    from counterseal.files import Preview
    from counterseal.store.records import CRLTimes


@click.command(epilog="\b\nExamples:\n  counterseal refresh --passphrase-file /etc/counterseal/passphrase")
@dry_run_option
@common
def refresh(run: Run, *, dry_run: bool) -> int:
    """Sign lists that are old, renew site certificates that are due, deploy once if anything changed, send reminders.

    What fails keeps nothing else from being done: lists are signed whatever is wrong with [sites], then that is told;
    where [ca] cannot be read, by its defaults, and nginx gets them. Where [sites] or [nginx] is refused, nginx gets new
    lists by the settings in force.
    Exit code 3 when a list is about to end or lacks a revocation and its CA's key is not here, a site serves a
    certificate of a revoked CA that nobody replaces, a row of the proof, a finding of the linter or a refused
    counterseal.toml was only warned of, nginx does not run and has new lists for its next start, no master is found of
    what serves, another nginx serves sites of this home, too, or a reminder was not taken.
    """
    settings = run.settings()
    with run.authority() as opened:
        authority = replace(opened, rules=settings.for_revocation().rules)
        stale = stale_lists(authority)
        if dry_run:
            _rehearse(run, authority, stale)
            return 0
        done, document = None, dict[str, Any]()
        failed: list[CountersealError] = []
        sent: Sequence[Sent] = ()
        with _kept(failed):
            done, document = _deploy_due(run, authority, stale)
        left = stale if not failed else stale_lists(authority)
        if done is None and left:
            signed = [crl.issuer for crl in publish(authority, only=left).signed]
            done, document = f"new lists: {', '.join(signed)}", {"signed": signed}
        ending = ending_lists(authority)
        told = _tell_lacking(run, authority) | _tell_stranded(run, authority) | tell_unserved(run)
        with _kept(failed):
            sent = _remind(run, authority)
        head = show_head(authority.store.key_use_head())
    run.say(f"log of CA keys: {head}")  # kept by the journal, where who rewrites the store does not change it
    _tell_ending(run, ending)
    if failed:
        run.say(done or "no list was due")
        raise failed[0]
    if wrong := settings.overlooked():
        raise by_defaults(done or "nothing is due", wrong)
    document["log_head"] = head
    document |= told
    document["ending"] = [crl.issuer for crl in ending]
    document["reminders"] = [{"channel": one.channel, "count": one.count} for one in sent if one.error is None]
    run.show({"changed": done is not None, **document}, done or "nothing is due")
    proved = document.get("proved", True) or names_no_site(settings)
    is_sound = proved and not document.get("unmet") and not document.get("passed_over")
    return FINDINGS if any((*told.values(), ending, not is_sound, *(one.error for one in sent))) else 0


@contextmanager
def _kept(failed: list[CountersealError]) -> Iterator[None]:
    """Keep an error for the end: nothing that is due is left undone because of another thing."""
    try:
        with foreseen():
            yield
    except CountersealError as error:
        failed.append(error)


def _remind(run: Run, authority: Authority) -> Sequence[Sent]:
    settings = run.settings().for_revocation().reminders
    if not settings.channels:
        return ()
    from counterseal.authority.reminders.send import send_reminders  # noqa: PLC0415 - mail and TLS only where used
    from counterseal.cli.reminders import show_failures  # noqa: PLC0415 - same

    sent = send_reminders(authority, settings)
    show_failures(run, sent)
    return sent


def _tell_ending(run: Run, ending: Sequence[CRLTimes]) -> None:
    """Say which lists are about to end whose CA's key is not here."""
    for crl in ending:
        run.warn(
            f"the list of CA {crl.issuer} ends {show_moment(moment(crl.next_update))}, then nginx",
            "refuses everybody under it, and the CA's key is not here to sign another one",
            "hint: have its key sign a longer one where it is, and bring the file: counterseal ca import-crl FILE;",
            "or bring the key back for: counterseal crl, with root_crl_lifetime longer than it is away",
        )


def _tell_lacking(run: Run, authority: Authority) -> dict[str, Any]:
    """Say whose revocations are on no list, because the key to sign a list is not here; return those CAs.

    Of a root these are CAs, which nginx refuses without a list.
    """
    lacking = [name for name in lacking_lists(authority) if authority.store.ca(name).purpose != ROOT]
    for name in lacking:
        run.warn(
            f"no list of CA {name} has who was revoked since the last one: its key is not here to sign another",
            "hint: counterseal refresh, with that key at hand",
        )
    return {"lacking": lacking}


def _tell_stranded(run: Run, authority: Authority) -> dict[str, Any]:
    """Say which sites serve a certificate of a revoked CA in whose place nobody issues; return them."""
    served = run.settings().for_revocation().with_sound_sites().sites
    if not served:
        return {"of_revoked_ca": ()}
    from counterseal.authority.site_certificate import sites_of_revoked  # noqa: PLC0415 - keys only where sites are

    stranded = sites_of_revoked(authority, served)
    if stranded:
        run.warn(
            f"of a revoked CA is the certificate of site {', '.join(stranded)}, and no CA issues another",
            f"hint: {replacing(authority.last_for(Purpose.SERVER))}",
        )
    return {"of_revoked_ca": stranded}


def _deploy_due(run: Run, authority: Authority, stale: Sequence[str]) -> tuple[str | None, dict[str, Any]]:
    """Deploy what is due; None when nothing is, or nothing is deployed here."""
    settings = run.settings().for_revocation()
    (done, document), refused = by_sound_settings(
        run, settings, lambda of: _deploy(run, replace(authority, rules=of.rules), of, stale)
    )
    if refused is not None and done is None:
        raise refused
    tell_refused(run, document, refused)
    return done, document


def _deploy(
    run: Run, authority: Authority, settings: Settings, stale: Sequence[str]
) -> tuple[str | None, dict[str, Any]]:
    prove_by_hand(run, authority, settings)
    ground, names = _due(run, authority, settings, stale)
    if ground is None:
        return None, {}
    from counterseal.authority.deployment import deploy_sites  # noqa: PLC0415 - nginx and TLS only where sites are
    from counterseal.authority.unseen import find_unseen  # noqa: PLC0415 - same
    from counterseal.cli.in_force import tell_in_force  # noqa: PLC0415 - same

    rolled_back = _rolled_back_to(ground) if settings.content == run.settings().content else None
    deployed = deploy_sites(authority, settings.sites, ground, reason="refresh", locks_out=True)
    if rolled_back is not None:
        run.say(f"generation {rolled_back}, which was rolled back to, is replaced: by what counterseal.toml says now")
    if deployed.rests and find_unseen(ground):
        number = deployed.result.generation
        return f"generation {number} is tested, and nginx has not read it", {"generation": number, "proved": False}
    state, shown = tell_in_force(run, ground, deployed)
    renewed = f", renewed the certificate of {', '.join(names)}" if names else ""
    return f"generation {shown['generation']} is {state}{renewed}", {**shown, "renewed": list(names)}


def _rolled_back_to(ground: Ground) -> int | None:
    """Return the generation whose rollback ends here: it has the lists of its day, which do not stay good."""
    from counterseal.nginx.generations import list_generations  # noqa: PLC0415 - nginx only where sites are

    current = ground.in_force or 0
    is_older = any(one.proven and one.number > current for one in list_generations(ground.place.base))
    return current if is_older else None


def _due(
    run: Run, authority: Authority, settings: Settings, stale: Sequence[str]
) -> tuple[Ground | None, tuple[str, ...]]:
    """Return where to deploy, None where no deploy is due, and the sites whose certificate is to be renewed."""
    if not has_generation(run):
        return None, ()
    require_what_is_served(run, settings)
    from counterseal.authority.due import deploy_due  # noqa: PLC0415 - nginx and TLS only where sites are
    from counterseal.compose.ground import open_ground  # noqa: PLC0415 - same

    ground = patient(run, open_ground(run.home, settings))
    is_due, names = deploy_due(authority, settings.sites, ground, stale=stale)
    return ground if is_due else None, names


def _rehearse(run: Run, authority: Authority, stale: Sequence[str]) -> None:
    settings = run.settings()

    def attempt(of: Settings) -> tuple[bool, tuple[str, ...], tuple[list[str], Sequence[Preview]]]:
        by = replace(authority, rules=of.rules)
        ground, names = _due(run, by, of, stale)
        return ground is not None, names, rehearse_deploying(by, of, ground, "refresh", lambda _: None)

    (is_due, names, (deploying, files)), refused = by_sound_settings(run, settings.for_revocation(), attempt)
    if refused is not None and not is_due:
        raise refused
    run.rehearse_opening(authority, signing_cas(authority) if is_due else map(authority.store.ca, stale))
    acts = [f"sign a new revocation list of {name}" for name in stale]
    acts += [f"renew the certificate of site {name}" for name in names]
    acts += [*deploying, *acts_of_refusal(refused)]
    reminders = settings.for_revocation().reminders
    if reminders.channels:
        from counterseal.authority.reminders.send import next_messages  # noqa: PLC0415 - mail and TLS only where used

        messages = next_messages(authority, reminders)
        acts += [f"send by {name}: {one.subject}" for name, one in messages.items() if one is not None]
    wrong = settings.overlooked()
    acts = [*(acts or ["do nothing: nothing is due"]), *fails_by_defaults(wrong)]
    document = {"changed": is_due or bool(stale), "stale": stale, "due": names}
    show_dry_run(run, acts=acts, files=files, document=document, fails=wrong is not None)
