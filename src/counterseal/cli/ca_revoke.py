"""``counterseal ca revoke``: one CA, and with it all that it issued."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from counterseal.authority.ca_json import ca_to_json
from counterseal.authority.parts import replacing
from counterseal.authority.publish import signing_cas, unlock
from counterseal.authority.revoke_ca import REASONS, find_doomed, revoke_ca
from counterseal.cli.common import Run, common
from counterseal.cli.completions import complete_cas
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.locking_out import put_in_force, rehearse_in_force
from counterseal.cli.revoke import no_deploy_option, reason_option
from counterseal.errors import CountersealError
from counterseal.pki.crl import RevocationReason
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from counterseal.authority.parts import Authority
    from counterseal.authority.revoke_ca import Doomed
    from counterseal.authority.served import ServedSite
    from counterseal.store.records import CARecord

EPILOG = """\b
Examples:
  counterseal ca revoke clients --reason key_compromise
  counterseal ca revoke clients --reason key_compromise --yes      asks nothing, as for a script
  counterseal ca revoke clients --dry-run                          whom it would lock out, and where
"""


@click.command("revoke", epilog=EPILOG)
@click.argument("name", shell_complete=complete_cas)
@reason_option(REASONS)
@click.option("--yes", is_flag=True, help="Ask nothing.")
@no_deploy_option
@dry_run_option
@common
def revoke_ca_(run: Run, *, name: str, reason: str, yes: bool, no_deploy: bool, dry_run: bool) -> None:
    """Revoke a CA, and lock all out of nginx that it issued.

    For a CA whose key is in wrong hands. It issues nothing more, and this cannot be taken back. Returns when nginx
    refuses a certificate that the CA has just signed.
    """
    began = time.monotonic()
    with run.authority() as authority:
        doomed = find_doomed(authority, name)
        served, others = run.sound_sites(), _locked_out_with(authority, doomed.ca)
        sites = _sites_admitting(served, authority, [doomed.ca.name, *others])
        backends = _sites_trusting(served, doomed.ca)
        outcome = {
            "valid_certificates": doomed.valid,
            "locked_out_with": list(others),
            "sites": [site for site, _ in sites],
            "backends_of": backends,
        }
        acts = list(_acts(doomed, others, sites, backends, reason))
        if dry_run:
            acts += [f"sign a new revocation list of {ca.name}" for ca in signing_cas(authority)]
            run.rehearse_opening(authority, signing_cas(authority))
            after = rehearse_in_force(
                run,
                authority,
                doomed.certificate,
                "revoke",
                deploy=not no_deploy,
                before=lambda one: revoke_ca(one, name, RevocationReason(reason)),
            )
            document = {"ca": ca_to_json(doomed.ca, None), **outcome}
            show_dry_run(run, acts=[*acts, *after.acts], files=after.files, document=document, fails=after.fails)
            return
        if not yes:
            _ask(acts)
        unlock(authority)
        record = revoke_ca(authority, name, RevocationReason(reason))
        run.say(f"revoked CA {name} with {counted(doomed.valid, 'valid certificate')}: {reason}")
        for other, why in others.items():
            run.say(f"locked out with it: CA {other}, {why}")
        told, shown = put_in_force(run, authority, doomed.certificate, "revoke", deploy=not no_deploy)
        shown["ca"] = ca_to_json(record, authority.store.latest_crl_times(name))
        lines = [f"{told}, {time.monotonic() - began:.1f} s after the command", *_afterwards(authority, record)]
    run.show({**outcome, **shown, "seconds": time.monotonic() - began}, "\n".join(lines))


def _locked_out_with(authority: Authority, ca: CARecord) -> dict[str, str]:
    """Return the CAs that are locked out with this one, each with why."""
    from counterseal.authority.site_material import locked_out_with  # noqa: PLC0415 - as below

    below, twin = f"which is below {ca.name}", f"whose subject is that of {ca.name}"
    return {one.name: below if ca in authority.above(one) else twin for one in locked_out_with(authority, ca)}


def _sites_admitting(served: Sequence[ServedSite], authority: Authority, cas: Sequence[str]) -> list[tuple[str, bool]]:
    """Return the sites that admit clients of these CAs, each with whether it admits those of another one."""
    if not served:
        return []
    from counterseal.authority.site_material import client_cas  # noqa: PLC0415 - nginx only where sites are

    admitted = {one.site.name: [record.name for record in client_cas(authority, one.site)] for one in served}
    return [(site, bool(left)) for site, names in admitted.items() if (left := set(names) - set(cas)) != set(names)]


def _sites_trusting(served: Sequence[ServedSite], ca: CARecord) -> list[str]:
    """Return the sites whose TLS backends may have a certificate of the CA."""
    if ca.purpose != "server":
        return []
    return [one.site.name for one in served if one.site.backend_names and one.backend.trust is None]


def _acts(
    doomed: Doomed,
    others: Mapping[str, str],
    sites: Sequence[tuple[str, bool]],
    backends: Sequence[str],
    reason: str,
) -> Iterator[str]:
    ca = doomed.ca
    yield f"revoke CA {ca.name} (as {reason}), for good: {counted(doomed.valid, 'valid certificate')} with it"
    yield from (f"lock out with it CA {name}, {why}" for name, why in others.items())
    for site, admits_others in sites:
        left = "" if admits_others else ", which admits no other CA: nobody gets in"
        yield f"lock out of site {site} whom {' or '.join((ca.name, *others))} issued a certificate{left}"
    if backends:
        yield f"refuse a backend with a certificate of {ca.name} at site {', '.join(backends)}"
    if ca.purpose == "server":
        yield f"leave the server certificates of {ca.name} in place: a client that asks no list goes on taking them"


def _ask(acts: Sequence[str]) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError(
            "this is asked about first, and there is no terminal to ask on\nhint: revoke it unasked with --yes"
        )
    for act in acts:
        click.echo(f"would {act}", err=True)
    if not click.confirm("revoke this CA?", err=True):
        raise CountersealError("ca.not_confirmed", "nothing was revoked")


def _afterwards(authority: Authority, record: CARecord) -> Iterator[str]:
    above = authority.store.ca(record.parent or record.name)
    if not authority.keystore.has(above.key_id):
        yield f"the list of {above.name} lacks it, because its key is not here: others than nginx read it there"
        yield "next: counterseal crl, with that key at hand"
    if record.successor is None:
        yield f"next: {replacing(record)}"
    yield f"then replace what it issued: counterseal list --issuer {record.name} --status valid"
