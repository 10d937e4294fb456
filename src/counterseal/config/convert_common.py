"""What tables of every kind of site have in common, as the fields of a site."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from counterseal.authority.served import BackendFiles
from counterseal.config.convert_upstream import upstream_tls_of
from counterseal.config.faults import join
from counterseal.config.serial_number import parse_serial
from counterseal.errors import InputError
from counterseal.nginx.any_site import Allow
from counterseal.nginx.choices import Admit, ClientCertificates, Revocation, TLSProfile
from counterseal.nginx.listen import Listen
from counterseal.nginx.ocsp import OCSP, OCSPCheck
from counterseal.nginx.upstream import UpstreamTLS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from counterseal.config.faults import Faults
    from counterseal.config.raw import RawAllow, RawSite, RawStreamSite

DEFAULT_CLIENT_CA = "clients"
_ANY_SOCKET = Listen("*", 443)

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Common:
    """The fields of any site by name, and the files for its backend."""

    fields: dict[str, Any]
    backend: BackendFiles


def common_of(
    name: str, raw: RawSite | RawStreamSite, path: Callable[[str | None], Path | None], faults: Faults
) -> Common:
    """Return what is common; what cannot be read goes to ``faults``, and something harmless stands in its place."""
    if (raw.certificate is None) != (raw.certificate_key is None):
        missing = "certificate and certificate_key go together: one of them is missing"
        faults.note(InputError("config.certificate", missing), "certificate")
    mode = choose(ClientCertificates, raw.client_certificates, "client_certificates", faults)
    given = raw.upstream_tls
    tls, backend = (
        faults.attempt(lambda: upstream_tls_of(given, path), (UpstreamTLS(), BackendFiles()), "upstream_tls")
        if given is not None
        else (None, BackendFiles())
    )
    fields = {
        "name": name,
        "server_names": tuple(raw.server_names),
        "listen": sockets_of(raw.listen, "listen", faults) or ((_ANY_SOCKET,) if raw.listen else ()),
        "client_certificates": mode,
        "client_cas": _client_cas(raw.client_cas, mode),
        "upstream": raw.upstream,
        "upstream_tls": tls,
        "allow": allow_of(raw.allow, "", faults),
        "revocation": choose(Revocation, raw.revocation, "revocation", faults),
        "admit": choose(Admit, raw.admit, "admit", faults),
        "tls": choose(TLSProfile, raw.tls, "tls", faults),
        "ocsp": raw.ocsp and OCSP(raw.ocsp.responder, choose(OCSPCheck, raw.ocsp.check, "ocsp.check", faults)),
        "stapling": raw.stapling,
        "resolver": tuple(raw.resolver),
    }
    return Common(fields, backend)


def _client_cas(given: Sequence[str] | None, mode: ClientCertificates) -> tuple[str, ...]:
    """Return the CAs that are named, the usual one only where none are spoken of: an empty list is refused later."""
    if given is None and mode is not ClientCertificates.NONE:
        return (DEFAULT_CLIENT_CA,)
    return tuple(given or ())


def sockets_of(texts: Sequence[str | int], key: str, faults: Faults) -> tuple[Listen, ...]:
    """Return the sockets."""
    read = [faults.attempt(lambda text=text: Listen.parse(str(text)), None, key) for text in texts]  # type: ignore[misc] # bound now
    return tuple(listen for listen in read if listen is not None)


def allow_of(raw: RawAllow | None, table: str, faults: Faults) -> Allow:
    """Return whom to let in, at the site or at the location whose ``table`` it is.

    A list that has lost its last entry is a fault: without one every client is let in.
    """
    if raw is None:
        return Allow()
    if not (raw.subjects or raw.groups or raw.serial_numbers):
        hint = "name somebody; without allow every client of client_cas is let in, and without the site nobody"
        faults.note(InputError("config.empty", "allow names nobody", hint=hint), join(table, "allow"))
    key = join(table, "allow.serial_numbers")
    read = (faults.attempt(lambda text=text: parse_serial(text), None, key) for text in raw.serial_numbers)  # type: ignore[misc] # bound now
    numbers = tuple(number for number in read if number is not None)
    return faults.attempt(lambda: Allow(tuple(raw.subjects), tuple(raw.groups), numbers), Allow(), table)


def choose(kind: type[ChoiceT], text: str, key: str, faults: Faults) -> ChoiceT:
    """Return the word of this kind, or note what could be chosen; the last, which asks the most, stands in."""
    if text in set(kind):
        return kind(text)
    faults.note_choice(key, text, kind)
    return list(kind)[-1]
