"""``counterseal prove``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import click

from counterseal.authority.deployment import prove_in_force, require_in_force
from counterseal.authority.parts import ROOT, new_serial_number
from counterseal.authority.prove_url import Visitor, prove_url
from counterseal.cli.common import FILE, Run, common
from counterseal.cli.completions import complete_cas, complete_sites
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.exit_codes import FINDINGS
from counterseal.cli.proofs import table
from counterseal.compose.anchors import system_anchors
from counterseal.compose.ground import open_ground
from counterseal.compose.identities import identity_from_files
from counterseal.compose.place import has_store, now
from counterseal.errors import InputError
from counterseal.files import read_file
from counterseal.handshake.proof_json import proof_to_json
from counterseal.handshake.visit import facts_of_url, read_target
from counterseal.nginx.deploy import await_others
from counterseal.pki.pem import encode_certificates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from counterseal.authority.ground import Ground
    from counterseal.authority.served import ServedSite
    from counterseal.cli.documents import ProveDocument
    from counterseal.handshake.observation import ProbeIdentity
    from counterseal.handshake.prove import Proof

EPILOG = """\b
Examples:
  counterseal prove
  counterseal prove panel --json
  counterseal prove https://panel.example.com/
  counterseal prove https://api.partner.example/v1 --cert us.pem --key us.key.pem
"""


@click.command(epilog=EPILOG)
@click.argument("what", metavar="[SITE|URL]", required=False, shell_complete=complete_sites)
@click.option(
    "--client-certificates",
    type=click.Choice(["none", "optional", "required"]),
    help="What the server at the URL is meant to ask for.  [default: what a client without one meets]",
)
@click.option(
    "--client-ca",
    shell_complete=complete_cas,
    help="CA of ours whose clients the URL takes.  [default: one that it names]",
)
@click.option("--cert", "certificate", type=FILE, help="A client certificate that the URL must admit, PEM.")
@click.option("--key", "key_file", type=FILE, help="Its private key, PEM.  [default: in the file of --cert]")
@click.option("--trust", type=FILE, help="CAs that the URL's clients trust, PEM.  [default: our root and the system's]")
@dry_run_option
@common
def prove(
    run: Run,
    *,
    what: str | None,
    client_certificates: Literal["none", "optional", "required"] | None,
    client_ca: str | None,
    certificate: Path | None,
    key_file: Path | None,
    trust: Path | None,
    dry_run: bool,
) -> int:
    """Prove with real handshakes who gets into the sites, and who does not.

    A SITE of counterseal.toml, all of them, or any server by its URL, also one that Counterseal did not set up. Where
    the server takes clients of a CA of ours, probes are issued for it. Exit code 3 when a row is not as expected.
    """
    if what is None or "://" not in what:
        if client_certificates or client_ca or certificate or key_file or trust:
            raise InputError("prove.options", "these options are for a URL", hint="write https://HOST[:PORT][/PATH]")
        served = _sites(run, what)
        with run.authority() as authority:
            settings = run.settings()
            ground = open_ground(run.home, settings)
            if dry_run:
                _rehearse_sites(run, ground, served)
                return 0
            return _show(run, prove_in_force(authority, settings.sites, ground, only=what))
    own = _own(run, certificate, key_file)
    if dry_run:
        _rehearse_url(run, what, client_ca, trust)
        return 0
    if not has_store(run.home):
        if own is None:
            run.say("no CA here: without --cert and --key nobody tries who must be let in")
        anchors = read_file(trust) if trust else system_anchors()
        facts = facts_of_url(what, client_certificates=client_certificates, trust_anchors=anchors)
        return _show(run, [prove_url(facts, Visitor(now, lambda: new_serial_number(os.urandom), own=own))])
    with run.authority() as authority:
        root = encode_certificates(authority.issuer(ROOT).trust_anchor)
        anchors = read_file(trust) if trust else root + system_anchors()
        facts = facts_of_url(what, client_certificates=client_certificates, trust_anchors=anchors)
        canaries = run.home / "canaries"
        visitor = Visitor(authority.clock, authority.serial_number, authority, canaries, client_ca, own)
        return _show(run, [prove_url(facts, visitor)])


def _rehearse_sites(run: Run, ground: Ground, served: Sequence[ServedSite]) -> None:
    """Show which sites the command would connect to; raises what it would before that."""
    await_others(ground.place)
    require_in_force(ground)
    _rehearse(run, [f"{one.site.name} at {', '.join(map(str, one.site.listen))}" for one in served])


def _rehearse_url(run: Run, url: str, client_ca: str | None, trust: Path | None) -> None:
    """Show whom the command would connect to; raises what it would before that."""
    read_target(url)
    if trust is not None:
        read_file(trust)
    if client_ca is not None and has_store(run.home):
        with run.authority() as authority:
            authority.store.ca(client_ca)
    _rehearse(run, [url])


def _rehearse(run: Run, places: Sequence[str]) -> None:
    acts = [f"connect to {place}, as each client that must be let in or refused" for place in places]
    if has_store(run.home):
        acts.append("issue probes for it under the client CAs here, which live for an hour and are marked as probes")
    show_dry_run(run, acts=acts)


def _sites(run: Run, site: str | None) -> Sequence[ServedSite]:
    """Return the configured sites, or the one of this name; raises InputError, NotFoundError."""
    served = run.settings().chosen(site, also=f"; or a URL: https://{site}/")
    if not served:
        hint = "counterseal nginx add SERVER_NAME --upstream HOST:PORT; or prove any server: https://HOST/"
        raise InputError("site.none", "no site is configured", hint=hint)
    return served


def _show(run: Run, proofs: Sequence[Proof]) -> int:
    passed = all(proof.passed for proof in proofs)
    document: ProveDocument = {"passed": passed, "proofs": [proof_to_json(proof) for proof in proofs]}
    run.show(document, table(proofs))
    return 0 if passed else FINDINGS


def _own(run: Run, certificate: Path | None, key_file: Path | None) -> ProbeIdentity | None:
    if certificate is not None:
        return identity_from_files(certificate, key_file, run.ask_passphrase)
    if key_file is not None:
        raise InputError("prove.certificate", f"--key needs the certificate it belongs to: {key_file}")
    return None
