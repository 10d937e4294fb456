"""What is wrong with a site: text that could reach nginx's syntax, and demands that contradict each other.

Every accepted character set is listed here, once; the renderer quotes on top of it. ``$`` is refused everywhere,
because nginx has no escape for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.errors import ConfigError, InputError
from counterseal.findings import Finding, Severity
from counterseal.nginx.ocsp import of_ocsp
from counterseal.nginx.target_faults import of_root, of_upstream, of_upstream_tls
from counterseal.nginx.upstream import HTTP_SCHEMES
from counterseal.pki.names import dns_name
from counterseal.pki.subject import parse_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.nginx.any_site import Allow, AnySite
    from counterseal.nginx.site import Location, Site

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_CA = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!@+=,:&()-]+)+/?")
_GROUP = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,64}")
_CA_SUBJECT = re.compile(r"(?:(?P<ca>[A-Za-z0-9][A-Za-z0-9._-]{0,63}):)?(?P<subject>.*)", re.DOTALL)
_LONGEST_SUBJECT = 1000
_SERIAL_BITS = 160  # RFC 5280 4.1.2.2: at most 20 octets


def refuse(found: Iterable[Finding], what: str) -> None:
    """Raise ConfigError ``site.invalid`` with all the findings, if there is any."""
    findings = tuple(found)
    if findings:
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        message = f"{what} is not valid: {findings[0].message}{more}"
        raise ConfigError("site.invalid", message, findings=findings, hint=findings[0].hint)


def split_subject(text: str) -> tuple[str | None, str]:
    """Return the client CA (None: any) and the subject of an ``allow`` entry."""
    match = _CA_SUBJECT.fullmatch(text)
    return (match["ca"], match["subject"]) if match else (None, text)


def of_allow(allow: Allow) -> Iterator[Finding]:
    """Faults of subjects, groups and serial numbers."""
    for subject in allow.subjects:
        yield from _subject(subject)
    for group in allow.groups:
        if not _GROUP.fullmatch(group):
            yield _fault(
                "allow.groups", f"not a group name: {_short(group)}", "1 to 64 characters, no control characters"
            )
    for number in allow.serial_numbers:
        if not 0 < number < 1 << _SERIAL_BITS:
            yield _fault("allow.serial_numbers", f"not a serial number: {number}", "positive, at most 160 bits")


def of_location(location: Location) -> Iterator[Finding]:
    """Faults of the path and the target of a location."""
    path = location.path
    if path == "/":
        yield _fault("path", "a location for / is the site itself", "set it at the site")
    elif not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        hint = "start with /, decoded, only letters, digits and ._~!@+=,:&()- between slashes, no empty or dot segment"
        hint = f'write "/{path}"' if _PATH.fullmatch(f"/{path}") else hint
        yield _fault("path", f"not a plain path: {_short(path)}", hint)
    yield from of_upstream(location.upstream, HTTP_SCHEMES)
    yield from of_root(location)


def of_any_site(site: AnySite) -> Iterator[Finding]:
    """Faults that a site of any kind may have, when its parts are already sound."""
    yield from _identity(site)
    yield from _sockets(site)
    yield from of_upstream(site.upstream, site.schemes)
    yield from of_upstream_tls(site)
    yield from of_ocsp(site)
    yield from _demands(site)


def of_site(site: Site) -> Iterator[Finding]:
    """Every fault of an HTTP site whose parts are already sound."""
    yield from of_any_site(site)
    yield from of_root(site)
    if site.upstream is None and site.root is None and not any(x.upstream or x.root for x in site.locations):
        yield _fault(
            "upstream", "nothing to serve: neither upstream nor root", 'set upstream = "127.0.0.1:8000" or root'
        )
    yield from _http_demands(site)
    prefixes = [location.prefix for location in site.locations]
    for index, location in enumerate(site.locations):
        yield from _location_demands(site, location, f"locations[{index}]")
        if location.prefix in prefixes[:index]:
            yield _fault(f"locations[{index}].path", f"path given twice: {location.prefix}", "put both into one")


def _identity(site: AnySite) -> Iterator[Finding]:
    if not _NAME.fullmatch(site.name):
        hint = "a letter, then letters, digits and hyphens, at most 40, lower case"
        yield _fault("", f"not a site name: {_short(site.name)}", hint)
    if not site.server_names:
        yield _fault("server_names", "no server name", "give at least one DNS name, as the certificate has it")
    for name in site.server_names:
        yield from _server_name(name)
    yield from (_fault("server_names", f"given twice: {_short(name)}") for name in _repeated(_lower(site.server_names)))


def _server_name(name: str) -> Iterator[Finding]:
    if name.rpartition(".")[2].isdigit():
        hint = "clients send no server name for an address, so nginx could not tell the site: use a DNS name"
        yield _fault("server_names", f"an IP address is no server name: {_short(name)}", hint)
        return
    try:
        ascii_name = str(dns_name(name).value)
    except InputError as error:
        yield _fault("server_names", error.message, error.hint)
        return
    if ascii_name != name.lower():
        yield _fault("server_names", f"not the form that clients send: {_short(name)}", f"write {ascii_name}")


def _sockets(site: AnySite) -> Iterator[Finding]:
    if not site.listen:
        yield _fault("listen", "no socket to listen on", 'set listen = ["443"]')
    everything = list(map(str, site.sockets))
    hint = "a socket speaks either TLS or plain HTTP"
    yield from (_fault("listen", f"socket given twice: {socket}", hint) for socket in _repeated(everything))


def _demands(site: AnySite) -> Iterator[Finding]:
    if site.verifies and not site.client_cas:
        yield _fault("client_cas", "no client CA admitted", 'name at least one, such as client_cas = ["staff"]')
    yield from (_fault("client_cas", f"not a CA name: {_short(ca)}") for ca in site.client_cas if not _CA.fullmatch(ca))
    if site.allow.restricts and site.client_certificates != "required":
        hint = 'set client_certificates = "required", or put allow into a location that requires one'
        yield _fault("allow", f"allow with client_certificates = {site.client_certificates.value}", hint)
    for text in (text for allow in site.allows for text in allow.subjects):
        ca = split_subject(text)[0]
        if ca is not None and ca not in site.client_cas:
            yield _fault(
                "allow.subjects", f"no client CA of this site: {ca}", f"known here: {', '.join(site.client_cas)}"
            )


def _http_demands(site: Site) -> Iterator[Finding]:
    if site.identity_headers != "off" and not site.verifies:
        yield _fault("identity_headers", "identity headers without client certificates", 'set identity_headers = "off"')


def _location_demands(site: Site, location: Location, table: str) -> Iterator[Finding]:
    where = f"{table}.client_certificates"
    demand = location.client_certificates
    if demand == "required" and not site.verifies:
        hint = 'set client_certificates = "optional" at the site: nginx asks for a certificate before it knows the path'
        yield _fault(where, "a location requires a certificate, the site asks for none", hint)
    if demand is not None and demand not in {"required", site.client_certificates}:
        hint = "a location can only ask for more than its site"
        yield _fault(where, f"a location wants {demand.value}, the site {site.client_certificates.value}", hint)
    if location.allow.restricts and demand != "required" and site.client_certificates != "required":
        hint = 'set client_certificates = "required" in the location'
        yield _fault(f"{table}.allow", "allow in a location that requires no certificate", hint)


def _subject(text: str) -> Iterator[Finding]:
    if len(text) > _LONGEST_SUBJECT:
        yield _fault("allow.subjects", f"longer than {_LONGEST_SUBJECT} characters: {_short(text)}")
        return
    try:
        parse_subject(split_subject(text)[1])
    except InputError as error:
        written = None if "=" in text or "/" in text else f'write "CN={text}", as the certificate has it'
        yield _fault("allow.subjects", error.message, written or error.hint)


def _fault(where: str, message: str, hint: str | None = None) -> Finding:
    return Finding("site.invalid", Severity.CRITICAL, message, where=where, hint=hint)


def _repeated(values: list[str]) -> list[str]:
    return sorted({value for value in values if values.count(value) > 1})


def _lower(values: tuple[str, ...]) -> list[str]:
    return [value.lower() for value in values]


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "...")  # noqa: PLR2004 - a message stays one line
