"""Whether an older generation may come back: whom it would let in again, for it has the revocation lists of its day.

Nor may one that names the files of another home, as in a copy of that. Decides by the files of the generation, so one
made in the second of a revocation is judged as it is.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import DeployError, RefusedError
from counterseal.files import read_file
from counterseal.moments import epoch
from counterseal.nginx.render.generation import HTTP_FILE, STREAM_FILE
from counterseal.nginx.render.inventory import REVOKED_FILE
from counterseal.nginx.render.words import whole
from counterseal.pki.crl_reader import parse_facts, revoked_serials
from counterseal.pki.pem_reader import pem_blocks
from counterseal.pki.profile import UNLISTED
from counterseal.pki.subject import nginx_name
from counterseal.store.records import CA_PROFILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord

_SHOWN = 3


def require_made_here(ground: Ground, number: int) -> None:
    """Raise DeployError ``deploy.made_elsewhere`` where a generation names its files in another place than this."""
    directory, here = ground.place.directories.directory(number), f"{ground.layout.current}/".encode()
    if not any(here in read_file(path) for path in directory.rglob("*.conf")):
        raise DeployError(
            "deploy.made_elsewhere",
            f"generation {number} was made elsewhere, and names no file of this home: {ground.home}",
            hint="counterseal nginx deploy makes one for this home",
        )


def refuse_readmission(authority: Authority, directory: Path, number: int) -> None:
    """Raise RefusedError ``rollback.readmits`` where the generation does not know somebody who is revoked now."""
    found = list(readmitted(authority, directory))
    if not found:
        return
    names = ", ".join(record.name for record in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise RefusedError(
        "rollback.readmits",
        f"generation {number} would let in again who was revoked after it: {names}{more}",
        hint="put back what counterseal.toml said then, and deploy; or, until the next deploy or refresh: --readmit",
    )


def readmitted(authority: Authority, directory: Path) -> Iterator[CertificateRecord]:
    """Yield the certificates, probes left out, that are revoked today and not on the lists of a generation.

    Of the CAs among them, those that it still admits, if only because it trusts another of that subject.
    """
    yield from _readmitted_cas(authority, directory)
    trusted = _trusted(directory)
    for ca in [record for record in authority.store.cas() if record.certificate in trusted]:
        listed = _listed(directory, x509.load_der_x509_certificate(ca.certificate).subject)
        shown = authority.store.revoked_serials(ca.name, not_expired_at=epoch(authority.clock()))
        for serial_number in [one for one in (int(serial, 16) for serial in shown) if one not in listed]:
            record = authority.store.certificate(serial_number, issuer=ca.name)
            if record.profile not in UNLISTED and record.profile != CA_PROFILE:
                yield record


def _readmitted_cas(authority: Authority, directory: Path) -> Iterator[CertificateRecord]:
    for name in revoked_cas_in(authority, directory):
        ca = authority.store.ca(name)
        own = x509.load_der_x509_certificate(ca.certificate)
        record = authority.store.certificate(own.serial_number, issuer=ca.parent)
        if record.not_after > epoch(authority.clock()) and own.serial_number not in _listed(directory, own.issuer):
            yield record


def revoked_cas_in(authority: Authority, directory: Path) -> tuple[str, ...]:
    """Return the revoked CAs whose clients a generation still has nginx trust: it knows a CA by its subject alone."""
    revoked = [record for record in authority.store.cas() if record.revoked_at is not None]
    trusted = set(map(_subject, _trusted(directory))) if revoked else set()
    return tuple(record.name for record in revoked if _subject(record.certificate) in trusted)


def _subject(certificate: bytes) -> str:
    return nginx_name(x509.load_der_x509_certificate(certificate).subject)


def _trusted(directory: Path) -> set[bytes]:
    return set(_contents(directory, "*client-cas.pem"))


def _listed(directory: Path, issuer: x509.Name) -> set[int]:
    """Return the serial numbers that a generation refuses of one CA: imported ones all count from 1."""
    lists = [one for one in _contents(directory, "*.crl.pem") if parse_facts(one).issuer == issuer]
    heads = tuple(f"{number}:" for number in _numbers(directory, issuer))
    lines = read_file(directory / REVOKED_FILE).decode().splitlines()
    mapped = (int(line.partition(":")[2].partition(" ")[0], 16) for line in lines if line.startswith(heads))
    return set(chain(mapped, *map(revoked_serials, lists)))


def _numbers(directory: Path, issuer: x509.Name) -> set[str]:
    """Return by which number a CA goes in the lists of a generation."""
    key = f"{whole(nginx_name(issuer))} "
    paths = [path for path in (directory / HTTP_FILE, directory / STREAM_FILE) if path.exists()]
    lines = chain.from_iterable(read_file(path).decode().splitlines() for path in paths)
    found = (line.strip() for line in lines)
    return {line.removeprefix(key).rstrip(";") for line in found if line.startswith(key)}


def _contents(directory: Path, pattern: str) -> Iterator[bytes]:
    for path in sorted(directory.rglob(pattern)):
        yield from (block.content for block in pem_blocks(read_file(path)))
