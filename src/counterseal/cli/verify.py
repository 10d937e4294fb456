"""``counterseal verify``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

import click

from counterseal.authority.verification import as_nginx, verify_certificate
from counterseal.authority.verification_json import verified_to_json
from counterseal.cli.common import FILE, Run, common
from counterseal.cli.exit_codes import FINDINGS
from counterseal.cli.verified_text import show_verified
from counterseal.cli.verify_given import given_of, nginx_given
from counterseal.handshake.trace.dial import StartTLS
from counterseal.nginx.client_verification import VerifyClient
from counterseal.pki.path.catalogue import TRUST_ANCHOR

if TYPE_CHECKING:
    from typing import Unpack

    from counterseal.cli.documents import VerifyDocument
    from counterseal.cli.verify_given import Options

_OF_NGINX: Final = ("sni", "host", "plain", "nginx_version", "openssl_version")
EPILOG = """\b
Examples:
  counterseal verify alice.cert.pem --purpose client --trust ca.pem
  counterseal verify server.fullchain.pem --hostname panel.example.com
  counterseal verify panel.example.com                          the chain that a server sends
  counterseal verify alice.p12 --trust ca.pem --crl crls.pem --at 2027-01-01
  counterseal verify alice.fullchain.pem --like nginx --trust client-ca.pem --crl client-crl.pem --depth 1

Exit code 0 valid, 3 not valid; with --like nginx: 0 let in, 3 refused.
Without --crl, what stands on the newest lists of this home's CA counts, and no list is demanded. Nothing is fetched
unless asked for. Times are in UTC. docs/verify.md explains every check.
"""


@click.command(epilog=EPILOG)
@click.argument("target", metavar="FILE|HOST[:PORT]")
@click.option("--purpose", type=click.Choice(["server", "client"]), help="What it is for.  [default: by its usages]")
@click.option("--hostname", metavar="NAME", multiple=True, help="Name or address it must bear.  [default: HOST]")
@click.option(
    "--trust",
    metavar="FILE|DIR|system",
    multiple=True,
    help="Trusted CAs.  [default: the root of this home's CA, else the system's]",
)
@click.option("--chain", metavar="FILE", type=FILE, multiple=True, help="More certificates to build paths from.")
@click.option("--crl", metavar="FILE|URL", multiple=True, help="Revocation lists of the CAs.  [default: see below]")
@click.option("--fetch-crl", is_flag=True, help="Fetch the lists that the certificates name.")
@click.option("--ocsp", metavar="FILE", type=FILE, multiple=True, help="An OCSP response, in DER.")
@click.option("--fetch-ocsp", is_flag=True, help="Ask the OCSP responder that the certificate names.")
@click.option(
    "--at", metavar="TIME", help="Verify at this moment: 2027-01-31, 2027-01-31T12:00, +30d …  [default: now]"
)
@click.option("--depth", type=click.IntRange(min=0), help="Most intermediates; ssl_verify_depth of nginx.")
@click.option("--strict", is_flag=True, help="Let fail what is only odd.")
@click.option("--like", type=click.Choice(["nginx"]), help="Say what nginx answers this client with these files.")
@click.option(
    "--verify-client",
    type=click.Choice([one.value for one in VerifyClient]),
    default="on",
    show_default=True,
    help="ssl_verify_client, for --like nginx.",
)
@click.option("--sni", metavar="NAME", help="For --like nginx: the name in the handshake, one that nginx serves.")
@click.option("--host", metavar="NAME", help="For --like nginx: the name in the request.  [default: that of --sni]")
@click.option("--plain", is_flag=True, help="For --like nginx: a request without TLS on the port for it.")
@click.option(
    "--nginx-version",
    metavar="VERSION",
    help="For --like nginx: 1.28.0, 1.22.1-9+deb12u9 …  [default: installed]",
)
@click.option(
    "--openssl-version",
    metavar="VERSION",
    help="For --like nginx: its OpenSSL, 3.0.22 …  [default: installed]",
)
@click.option(
    "--starttls", type=click.Choice([one.value for one in StartTLS]), help="Begin in this protocol with HOST."
)
@click.option("--password-file", type=FILE, help="Password of a PKCS#12 in a file's first line.  [default: asked]")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds for HOST.")
@click.option("--brief", is_flag=True, help="Leave out the checks that passed.")
@click.option("--all-paths", is_flag=True, help="Show every path that was tried with all its checks.")
@common
def verify(run: Run, **options: Unpack[Options]) -> int:
    """Verify a certificate by every check of RFC 5280, and explain each.

    Tries every path to a trusted CA, stops at no failure, and shows the values compared, the section of the
    standard and the fix.
    """
    _require_nginx(options)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # the checks say the same in words
        given = given_of(run, options)
        verified = verify_certificate(given)
        if options["like"] == "nginx":
            verified = as_nginx(verified, nginx_given(options, given))
        document: VerifyDocument = {"verify": verified_to_json(verified)}
        run.show(document, show_verified(verified, brief=options["brief"], every_path=options["all_paths"]))
    if not options["trust"] and any(check.kind is TRUST_ANCHOR for check in verified.explanation.best.failures):
        run.say(f"hint: nothing was trusted but {given.trusted_by}; name others with --trust FILE")
    return 0 if verified.admitted else FINDINGS


def _require_nginx(options: Options) -> None:
    """Refuse what says how nginx is asked where it is not."""
    given = [f"--{name.replace('_', '-')}" for name in _OF_NGINX if options[name]]
    if options["like"] is None and given:
        raise click.UsageError(f"{', '.join(given)}: only with --like nginx")
