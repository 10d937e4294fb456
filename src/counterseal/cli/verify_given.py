"""What ``counterseal verify`` is asked: chain, names, anchors, lists and moment, out of its options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterseal.authority.verification import Given, NginxGiven
from counterseal.cli.given import given_files
from counterseal.cli.known_home import known_home
from counterseal.cli.moment import parse_moment
from counterseal.cli.passphrase import read_password
from counterseal.cli.targets import parse_target
from counterseal.compose.anchors import certificates_at, certificates_below, system_anchors
from counterseal.compose.chains import FoundChain, chain_in, chain_of_server
from counterseal.compose.place import now
from counterseal.compose.revocations import crls_at, crls_named_by, lists_in, ocsp_about, ocsp_in
from counterseal.errors import InputError
from counterseal.files import read_file
from counterseal.handshake.trace.dial import Dial, StartTLS
from counterseal.nginx.client_verification import Request, VerifyClient
from counterseal.nginx.verification_files import LoadedFile, load_ca_file
from counterseal.nginx.version import named_openssl, named_version
from counterseal.pki.extensions import extension_in, read_extensions
from counterseal.pki.names import parse_name
from counterseal.pki.path.revocation_list import without_lists_of
from counterseal.pki.profile import Purpose
from counterseal.pki.reading import certificates_in
from counterseal.pki.shown import counted, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cryptography.x509.ocsp import OCSPResponse

    from counterseal.cli.common import Run
    from counterseal.nginx.version import NginxVersion
    from counterseal.pki.path.question import Revoked
    from counterseal.pki.path.revocation_list import RevocationList

SYSTEM = "system"
"""The word of --trust for the CAs of the operating system."""
_FILES = frozenset({".pem", ".crt", ".cer", ".der", ".p12", ".pfx", ".p7b", ".p7c"})


class Options(TypedDict):
    """The options of the command, as click hands them over."""

    target: str
    purpose: str | None
    hostname: tuple[str, ...]
    trust: tuple[str, ...]
    chain: tuple[Path, ...]
    crl: tuple[str, ...]
    fetch_crl: bool
    ocsp: tuple[Path, ...]
    fetch_ocsp: bool
    at: str | None
    depth: int | None
    strict: bool
    like: str | None
    verify_client: str
    sni: str | None
    host: str | None
    plain: bool
    nginx_version: str | None
    openssl_version: str | None
    starttls: str | None
    password_file: Path | None
    timeout: float
    brief: bool
    all_paths: bool


def given_of(run: Run, options: Options) -> Given:
    """Return the question, with everything read, received and fetched that it needs."""
    found, host = _chain(run, options)
    if found.moved:
        run.tell(f"note: {options['target']} does not begin with the end entity; nginx takes the first certificate")
    end_entity = found.certificates[0]
    purpose = Purpose(options["purpose"]) if options["purpose"] else _purpose(end_entity, host)
    names = options["hostname"] or ((host,) if host and purpose is Purpose.SERVER else ())
    trusted, words, known = _trusted(run, options)
    given_too = tuple(one for path in options["chain"] for one in certificates_at(path, run.tell))
    others = given_too if host else (*given_too, *known)  # a server must send its intermediates itself
    crls, revoked = _crls(run, options, (*found.certificates, *others))
    given = Given(
        chain=found.certificates,
        trusted=trusted,
        trusted_by=words,
        purpose=purpose,
        at=now() if options["at"] is None else parse_moment(options["at"], now()),
        names=tuple(_peer_name(name, purpose) for name in names),
        others=others,
        crls=crls,
        lists_demanded=_names_lists(options),
        revoked=revoked,
        depth=options["depth"],
        strict=options["strict"],
        ocsp_responses=tuple(ocsp_in(read_file(path), source=str(path)) for path in options["ocsp"]),
    )
    if options["fetch_ocsp"]:
        given = replace(given, ocsp_responses=(*given.ocsp_responses, *_ask(given)))
    return given if options["at"] else replace(given, at=now())  # what was made while we asked is not from the future


def _chain(run: Run, options: Options) -> tuple[FoundChain, str | None]:
    """Return the chain, and the host it came from where it was a server's."""
    target, path = options["target"], Path(options["target"])
    if target == "-" or path.is_file() or path.suffix.lower() in _FILES or target.startswith((".", "/", "~")):
        (file,) = given_files([path])

        def password() -> bytes:
            return read_password(options["password_file"], f"password of {file.name}")

        return chain_in(file.content, source=file.name, password=password), None
    starttls = StartTLS(options["starttls"]) if options["starttls"] else None
    endpoint = parse_target(target, starttls).endpoint
    run.say(f"connecting to {endpoint}")
    dial = Dial(endpoint, endpoint.host, endpoint.host, path=None, starttls=starttls, timeout=options["timeout"])
    return chain_of_server(dial), endpoint.host


def _purpose(end_entity: x509.Certificate, host: str | None) -> Purpose:
    """Return what it is for: what came from a server is one, a file goes by its extended key usage."""
    usages = extension_in(read_extensions(end_entity)[0], x509.ExtendedKeyUsage) or ()
    only_client = ExtendedKeyUsageOID.CLIENT_AUTH in usages and ExtendedKeyUsageOID.SERVER_AUTH not in usages
    return Purpose.CLIENT if host is None and only_client else Purpose.SERVER


def _peer_name(text: str, purpose: Purpose) -> x509.GeneralName:
    """Return a name to compare; a URI, which a client may bear, is no name of a server."""
    name = parse_name(text)
    if purpose is Purpose.SERVER and isinstance(name, x509.UniformResourceIdentifier):
        host = urlsplit(name.value).hostname
        hint = f"write the host alone: {host}" if host else "write the host alone, as in panel.example.com"
        raise InputError("name.of_server", f"not the name of a server: {quoted(text)}", hint=hint)
    return name


def _trusted(run: Run, options: Options) -> tuple[tuple[x509.Certificate, ...], str, tuple[x509.Certificate, ...]]:
    """Return the anchors, whose they are, and the other CAs that are known."""
    if options["trust"]:
        found = tuple(one for place in options["trust"] for one in _anchors(place, run.tell))
        places = ", ".join(map(_shown, options["trust"]))
        return found, f"{counted(len(found), 'certificate')} of {places}", ()
    with known_home(run) as home:
        cas = home.certificates
    roots = tuple(one for one in cas if one.subject == one.issuer)
    others = tuple(one for one in cas if one not in roots)
    if roots:
        return roots, f"{_count(roots)}, the root of the CA in {run.home}", others
    found = _anchors(SYSTEM, run.tell)
    return found, f"{_count(found)} of {_shown(SYSTEM)}", ()


def _anchors(place: str, say: Callable[[str], None]) -> tuple[x509.Certificate, ...]:
    if place == SYSTEM:
        return certificates_in(system_anchors(), source="the CAs of this system")
    return certificates_at(Path(place), say)


def _shown(place: str) -> str:
    return "this system" if place == SYSTEM else place


def _count(certificates: Sequence[x509.Certificate]) -> str:
    return counted(len(certificates), "CA")


def _names_lists(options: Options) -> bool:
    return bool(options["crl"] or options["fetch_crl"])


def _crls(
    run: Run, options: Options, certificates: Sequence[x509.Certificate]
) -> tuple[tuple[RevocationList, ...] | None, tuple[Revoked, ...]]:
    """Return the lists that are named or fetched; without any, this home's, and the CAs that it has revoked."""
    if not _names_lists(options):
        with known_home(run) as home:
            return home.lists_about(certificates[0]), home.revoked
    given = tuple(one for place in options["crl"] for one in _lists(place))
    if not options["fetch_crl"]:
        return given, ()
    fetched = crls_named_by(certificates)
    if not fetched:
        run.tell("note: nothing was fetched: no certificate names a revocation list (cRLDistributionPoints)")
    return (*given, *fetched), ()


def _lists(place: str) -> tuple[RevocationList, ...]:
    return crls_at(place) if "://" in place else lists_in(read_file(Path(place)), source=place)


def _ask(given: Given) -> Iterator[OCSPResponse]:
    """Ask about the end entity, where its issuer is at hand."""
    pool = (*given.chain[1:], *given.others, *given.trusted)
    issuer = next((one for one in pool if one.subject == given.chain[0].issuer), None)
    if issuer is None:
        raise InputError(
            "ocsp.issuer",
            "cannot ask for an OCSP response: the issuer's certificate is not at hand",
            hint="give it with --chain FILE",
        )
    yield ocsp_about(given.chain[0], issuer)


def nginx_given(options: Options, given: Given) -> NginxGiven:
    """Return which nginx is asked: with the files of --trust and --crl, else as this home would deploy it."""
    named = [_ca_file(place) for place in options["trust"]]
    lists = [read_file(Path(place)) for place in options["crl"] if "://" not in place]
    known = given.crls if given.lists_demanded or not named else None
    return NginxGiven(
        _nginx_version(options),
        _joined(named) if named else LoadedFile((*given.trusted, *given.others)),
        tuple(lists) or (None if known is None else _in_force(known, given.revoked)),
        VerifyClient(options["verify_client"]),
        _request(options),
    )


def _in_force(lists: Sequence[RevocationList], revoked: Sequence[Revoked]) -> tuple[bytes, ...]:
    """Return the lists as sites have them: without those of CAs that are locked out, whose clients thus fail."""
    left = without_lists_of((one.certificate for one in revoked), lists)
    return tuple(one.crl.public_bytes(Encoding.PEM) for one in left)


def _nginx_version(options: Options) -> NginxVersion:
    from counterseal.compose.installed import installed_nginx  # noqa: PLC0415 - only where nginx is asked

    named, openssl = options["nginx_version"], options["openssl_version"]
    version = named_version(named) if named else installed_nginx()
    return version if openssl is None else replace(version, openssl=named_openssl(openssl))


def _request(options: Options) -> Request:
    return Request(tls=not options["plain"], sni=options["sni"], host=options["host"])


def _ca_file(place: str) -> LoadedFile:
    """Return what nginx takes from a file; of a directory, which it does not read, as if it were one file."""
    if Path(place).is_dir():
        return LoadedFile(certificates_below(Path(place)))
    return load_ca_file(system_anchors() if place == SYSTEM else read_file(Path(place)))


def _joined(files: Sequence[LoadedFile]) -> LoadedFile:
    return LoadedFile(
        tuple(one for file in files for one in file.certificates),
        emerg=next((file.emerg for file in files if file.emerg), None),
    )
