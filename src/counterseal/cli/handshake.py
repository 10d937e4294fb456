"""``counterseal handshake``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

import click

from counterseal.cli.common import FILE, PICTURE, Run, common
from counterseal.cli.completions import complete_certificates
from counterseal.cli.dry_run import dry_run_option, show_dry_run, unseen
from counterseal.cli.exit_codes import FINDINGS
from counterseal.cli.known_home import known_home
from counterseal.cli.ladders import show_sheet
from counterseal.cli.room import require_places, try_place
from counterseal.cli.targets import parse_endpoint, parse_host_name, parse_protocols, parse_target
from counterseal.compose.anchors import system_anchors
from counterseal.compose.identities import (
    client_anchors_of,
    identity_from_files,
    identity_from_pkcs12,
    identity_of,
    own_certificates,
    own_of,
)
from counterseal.compose.place import has_store, now
from counterseal.errors import FileError, InputError
from counterseal.files import read_file, reason_of, write_file
from counterseal.handshake.examine import examine
from counterseal.handshake.explain.checks import Anchors
from counterseal.handshake.explain.explanation import explain
from counterseal.handshake.explain.sheet import sheet_of
from counterseal.handshake.explanation_json import explanation_to_json
from counterseal.handshake.trace.dial import DEFAULT_PROTOCOLS, Dial, Ending, StartTLS
from counterseal.pki.reading import certificates_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography import x509

    from counterseal.cli.documents import HandshakeDocument
    from counterseal.handshake.explain.explanation import Explanation
    from counterseal.handshake.explain.matching import OwnCertificate
    from counterseal.handshake.explain.sheet import Sheet
    from counterseal.handshake.observation import ProbeIdentity
    from counterseal.pki.path.question import Revoked
    from counterseal.pki.path.revocation_list import RevocationList

EPILOG = """\b
Examples:
  counterseal handshake panel.example.com
  counterseal handshake panel.example.com --name alice
  counterseal handshake panel.example.com --brief       what failed, and why
  counterseal handshake https://panel.example.com/admin/ --cert alice.crt.pem --key alice.key.pem
  counterseal handshake panel.example.com --connect 10.0.0.5:8443 --tls 1.2
  counterseal handshake mail.example.com --starttls smtp

Exit code 1 when no TLS connection came about, 3 when the server refuses or a check of a certificate fails.
Nothing secret is shown; --keylog writes the session's keys for Wireshark, to a file of mode 0600.
"""


class Options(TypedDict):
    """The options of the command, as click hands them over."""

    target: str
    connect: str | None
    sni: str | None
    no_sni: bool
    tls: Literal["1.2", "1.3"] | None
    alpn: str | None
    starttls: str | None
    path: tuple[str, ...]
    name: str | None
    cert: Path | None
    key: Path | None
    p12: Path | None
    password_file: Path | None
    trust: Path | None
    resume: bool
    timeout: float
    keylog: Path | None
    html: Path | None
    svg: Path | None
    brief: bool
    verbose: bool
    dry_run: bool


@click.command(epilog=EPILOG)
@click.argument("target", metavar="HOST[:PORT]|URL")
@click.option("--connect", metavar="ADDRESS[:PORT]", help="Connect there; HOST is only the name.")
@click.option("--sni", metavar="NAME", help="Server name to ask for.  [default: HOST]")
@click.option("--no-sni", is_flag=True, help="Send no server name.")
@click.option("--tls", type=click.Choice(["1.2", "1.3"]), help="Offer this version only.  [default: both]")
@click.option("--alpn", metavar="LIST", help="Protocols to offer, with commas.  [default: http/1.1]")
@click.option("--starttls", type=click.Choice([one.value for one in StartTLS]), help="Begin in this protocol.")
@click.option("--path", multiple=True, help="Path to ask for; may be repeated.  [default: /]")
@click.option(
    "--name",
    metavar="NAME|SERIAL",
    shell_complete=complete_certificates,
    help="Come with this certificate of the CA; key: NAME.key.pem, or --key.",
)
@click.option("--cert", type=FILE, help="Come with this certificate; its chain may follow in the file.")
@click.option("--key", type=FILE, help="Its private key.  [default: in the file of --cert]")
@click.option("--p12", type=FILE, help="Come with the certificate in this PKCS#12.")
@click.option("--password-file", type=FILE, help="Password of the PKCS#12 in a file's first line.  [default: asked]")
@click.option("--trust", type=FILE, help="CAs that the client trusts.  [default: our root and the system's]")
@click.option("--resume", is_flag=True, help="Connect a second time with the session of the first.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds to wait.")
@click.option("--keylog", type=FILE, help="Write the session's secrets there, in NSS key log format.")
@click.option("--html", type=PICTURE, help="Write all of it as one page that a browser shows.")
@click.option("--svg", type=PICTURE, help="Write the ladder as a picture.")
@click.option("--brief", is_flag=True, help="A line a message, what did not pass, and the verdict.")
@click.option("--verbose", "-v", is_flag=True, help="Show long lists whole.")
@dry_run_option
@common
def handshake(run: Run, **options: Unpack[Options]) -> int:
    """Show a real TLS handshake, message by message, and explain how it ended."""
    what = _dial(run, options)
    if options["dry_run"]:
        _rehearse(run, what, options)
        return 0
    inventory, root = _inventory(run)
    anchors = Anchors(
        _anchors(options["trust"], root), (*root, *_roots_in(options["cert"])), *_revoked_here(run, what.identity)
    )
    examination = examine(what, paths=options["path"][1:], resume=options["resume"])
    explanation = explain(
        examination,
        name=options["sni"] or parse_target(options["target"]).endpoint.host,
        own=[own_of(what.identity)] if what.identity else inventory,
        anchors=anchors,
        at=now(),
    )
    sheet = sheet_of(explanation)
    _draw(sheet, options)
    shown = show_sheet(sheet, verbose=options["verbose"], brief=options["brief"])
    document: HandshakeDocument = {"handshake": explanation_to_json(explanation)}
    run.show(document, shown)
    return _exit_code(explanation)


def _draw(sheet: Sheet, options: Options) -> None:
    """Write the pictures that were asked for."""
    if options["svg"]:
        from counterseal.handshake.picture.diagram import draw  # noqa: PLC0415 - only when a picture is wanted

        write_file(options["svg"], draw(sheet).encode(), mode=0o644)
    if options["html"]:
        from counterseal.handshake.picture.page import write_page  # noqa: PLC0415 - same

        write_file(options["html"], write_page(sheet, at=now()).encode(), mode=0o644)


def _rehearse(run: Run, what: Dial, options: Options) -> None:
    """Name whom the command would speak with, and the files; what is in them is known after the handshake alone."""
    comes = f"with the certificate {what.identity.name}" if what.identity else "without a certificate"
    acts = [f"connect to {what.endpoint} {comes}"]
    keylog, pictures = options["keylog"], [path for path in (options["svg"], options["html"]) if path]
    require_places(pictures)
    files = [unseen(path, size=None, mode=0o644) for path in pictures]
    if keylog:
        acts.append(f"append the secrets of the session to {keylog}")
        files += [] if keylog.exists() else [unseen(keylog, size=None)]  # that one is kept where it is
    show_dry_run(run, acts=acts, files=files)


def _dial(run: Run, options: Options) -> Dial:
    starttls = StartTLS(options["starttls"]) if options["starttls"] else None
    target = parse_target(options["target"], starttls)
    host = target.endpoint.host
    if options["sni"] and options["no_sni"]:
        raise InputError("handshake.sni", f"--sni and --no-sni exclude each other: {options['sni']!r}")
    if options["sni"] == "":
        raise InputError("handshake.sni", "no name given: --sni ''", hint="to send none: --no-sni")
    for path in options["path"]:
        if not path.startswith("/"):
            raise InputError("handshake.path", f"a path begins with a slash: {path!r}", hint=f"write --path /{path}")
    name = None if options["no_sni"] else parse_host_name(options["sni"] or host)
    alpn = options["alpn"]
    protocols = DEFAULT_PROTOCOLS if alpn is None else parse_protocols(alpn)
    identity = _identity(run, options)
    if options["keylog"]:
        _prepare_keylog(options["keylog"], dry_run=options["dry_run"])
    return Dial(
        endpoint=parse_endpoint(options["connect"], target.endpoint.port) if options["connect"] else target.endpoint,
        server_name=name,
        host_header=target.endpoint.host_header,
        path=options["path"][0] if options["path"] else target.path,
        tls_version=options["tls"],
        identity=identity,
        protocols=() if starttls and alpn is None else protocols,
        starttls=starttls,
        keylog=options["keylog"],
        timeout=options["timeout"],
    )


def _identity(run: Run, options: Options) -> ProbeIdentity | None:
    ways = [way for way in ("name", "cert", "p12") if options[way]]
    if len(ways) > 1:
        raise InputError("handshake.identity", f"one client certificate at a time: --{' and --'.join(ways)} given")
    if options["key"] and not (options["cert"] or options["name"]):
        raise InputError("handshake.identity", f"--key needs the certificate it belongs to: {options['key']}")
    if options["cert"]:
        return identity_from_files(options["cert"], options["key"], run.ask_passphrase)
    if options["p12"]:
        return identity_from_pkcs12(options["p12"], _password(options))
    if options["name"]:
        with run.authority() as authority:
            return identity_of(authority, options["name"], options["key"], run.ask_passphrase)
    return None


def _password(options: Options) -> bytes:
    from counterseal.cli.passphrase import read_password  # noqa: PLC0415 - only for a PKCS#12

    return read_password(options["password_file"], f"password of {options['p12']}")


def _inventory(run: Run) -> tuple[tuple[OwnCertificate, ...], tuple[x509.Certificate, ...]]:
    """Return the client certificates of the CA and its root, where there is one."""
    if not has_store(run.home):
        return (), ()
    with run.authority() as authority:
        return own_certificates(authority), client_anchors_of(authority)


def _revoked_here(
    run: Run, identity: ProbeIdentity | None
) -> tuple[tuple[RevocationList, ...] | None, tuple[Revoked, ...]]:
    """Return the revocation lists of the CA here where it issued what the client shows, and the CAs it has revoked."""
    if identity is None:
        return None, ()
    with known_home(run) as home:
        return home.lists_about(own_of(identity).chain[0]), home.revoked


def _anchors(trust: Path | None, root: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return whom the client trusts: the file, else our root and what this system trusts."""
    if trust is not None:
        return certificates_in(read_file(trust), source=str(trust))
    system = system_anchors()
    return (*root, *(certificates_in(system, source="the system's trust store") if system else ()))


def _roots_in(path: Path | None) -> tuple[x509.Certificate, ...]:
    """Return the self-signed certificates beside the client's: what it may lead to."""
    if path is None:
        return ()
    held = certificates_in(read_file(path), source=str(path))
    return tuple(certificate for certificate in held[1:] if certificate.subject == certificate.issuer)


def _prepare_keylog(path: Path, *, dry_run: bool) -> None:
    """Make the file but for a dry run, or see that the one that is there can be read by its owner alone."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        if dry_run and not os.path.lexists(path):
            try_place(path)
        else:
            os.close(os.open(path, flags if dry_run else flags | os.O_CREAT, 0o600))
    except OSError as error:
        raise FileError("keylog.write", f"cannot write {path}: {reason_of(error)}") from error
    if path.exists() and path.stat().st_mode & 0o077:
        raise FileError("keylog.mode", f"others can read the key log: {path}", hint=f"chmod 600 {path}")


def _exit_code(explanation: Explanation) -> int:
    main = explanation.examination.main
    is_refused = main.story.client_chain is not None and main.trace.ending in {
        Ending.ALERT,
        Ending.CLOSED,
        Ending.RESET,
    }
    if not main.trace.established and not is_refused:  # TLS 1.2 judges the client within the handshake
        return 1
    reports = (explanation.server_checks, explanation.client_checks)
    return FINDINGS if explanation.diagnosis or any(report and not report.valid for report in reports) else 0
