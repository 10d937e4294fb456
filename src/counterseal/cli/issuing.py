"""What ``server``, ``client``, ``sign``, ``renew`` and ``rekey`` share: from an order to files, or a plan of them.

The files' places are tried before anything is issued; should writing fail all the same, the certificate is revoked at
once, so that no valid certificate is left of which nobody has the key.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa

from counterseal.authority.issue import issue, prepare, rehearse
from counterseal.authority.parts import ROOT
from counterseal.authority.revoke import revoke_record
from counterseal.bundles.pem import TRUST_ANCHOR_FILE, file_stem
from counterseal.cli.dry_run import show_dry_run
from counterseal.duration import show_duration
from counterseal.errors import FileError
from counterseal.files import make_directory, preview, write_fileset
from counterseal.moments import moment, show_moment
from counterseal.pki.crl import RevocationReason
from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.authority.signing import Issued
    from counterseal.cli.common import Run
    from counterseal.files import Preview
    from counterseal.fileset import FileSet
    from counterseal.pki.policy import Asked
    from counterseal.store.records import CertificateRecord

SUFFIXES = (".key.pem", ".cert.pem", ".chain.pem", ".fullchain.pem", ".p12")


class Destination(NamedTuple):
    """Where files go, whether they replace those that are there, and whether it is only said what would be written."""

    out: Path
    force: bool
    dry_run: bool


class Order(NamedTuple):
    """What is asked for, where its files go, what it is called, and by which CA it is issued if one is named.

    Without ``key_file`` a key that lies there is not among the files, and stays.
    """

    asked: Asked
    to: Destination
    name: str
    issuer: str | None
    key_file: bool = True


def issue_files(
    run: Run,
    authority: Authority,
    order: Order,
    pack: Callable[[Issued], FileSet],
    *,
    more: Sequence[str] = (),
    extra: dict[str, Any] | None = None,
) -> tuple[Issued, tuple[Path, ...]] | None:
    """Issue what was asked and write the files that ``pack`` makes of it; return it with their paths.

    None for a dry run, which shows the certificate, its files and what ``more`` would be done, and ``extra`` as data.
    """
    _check_place(order)
    if order.to.dry_run:
        rehearsed = rehearse(authority, order.asked, name=order.name, issuer=order.issuer)
        run.rehearse_opening(authority, [authority.store.ca(rehearsed.record.issuer)])
        files = [one._replace(varies=_varies(one.path, rehearsed)) for one in preview(order.to.out, pack(rehearsed))]
        _show_rehearsal(run, rehearsed, files, more, extra or {})
        return None
    issued = issue(authority, order.asked, name=order.name, issuer=order.issuer)
    return issued, _write(authority, issued, pack(issued), order.to.out)


def refuse_early(authority: Authority, order: Order) -> None:
    """Raise what ``issue_files`` would refuse, and open the CA's key: done before a person types a password."""
    _check_place(order)
    (rehearse if order.to.dry_run else prepare)(authority, order.asked, name=order.name, issuer=order.issuer)


def _check_place(order: Order) -> None:
    """Make sure that the files can be written before anything is issued; raises FileError."""
    out, stem = order.to.out, file_stem(order.name)
    require_writable(out, dry_run=order.to.dry_run)
    suffixes = SUFFIXES if order.key_file else SUFFIXES[1:]
    taken = [out / f"{stem}{suffix}" for suffix in suffixes if (out / f"{stem}{suffix}").exists()]
    if taken and not order.to.force:
        raise FileError("file.exists", f"file exists already: {taken[0]}", hint="choose another --out, or pass --force")


def require_writable(out: Path, *, dry_run: bool) -> None:
    """Make the directory where it is not there, but for a dry run; raises FileError where nothing can be written."""
    if not dry_run:
        make_directory(out)
    if out.exists() and not os.access(out, os.W_OK | os.X_OK):
        raise FileError("file.write", f"cannot write into {out}: permission denied", hint="choose another --out")


def _write(authority: Authority, issued: Issued, files: FileSet, out: Path) -> tuple[Path, ...]:
    """Write the files of a certificate; when that fails, revoke it and raise FileError."""
    try:
        return write_fileset(out, files)
    except FileError as error:
        revoke_record(authority, issued.record, RevocationReason.CESSATION_OF_OPERATION)
        raise FileError(
            "file.write",
            f"{error.message}; certificate {show_serial(issued.record.serial_number)} was revoked again",
            hint=error.hint,
        ) from error


def show_issued(
    run: Run,
    issued: Issued,
    paths: Sequence[Path],
    *,
    extra: dict[str, Any],
    following: str,
    device: str | None = None,
) -> None:
    """Say what was made, where, until when, and what to do next; on the ``device``, too."""
    _remark(run, issued)
    record = issued.record
    lines = [f"made {record.profile} certificate {record.name}: {record.subject or ', '.join(record.names)}"]
    lines += [f"  names    {', '.join(record.names)}"] if record.names else []
    lines += [
        f"  serial   {show_serial(record.serial_number)}",
        f"  issuer   {record.issuer}",
        f"  until    {show_until(record)}",
    ]
    lines += [f"  file     {path}" for path in paths]
    lines += [f"  {key:<8} {value}" for key, value in extra.items() if key != "files"]
    lines += [f"next: {following}"] if following else []
    told, more = _told(device, record.name, paths) if device else ({}, [])
    for site in _waiting(run, record.issuer):
        run.warn(f"site {site} admits only certificates that it has been told of: counterseal nginx deploy")
    document = {**document_of(issued), **extra, "files": [str(path) for path in paths], **told}
    run.show(document, "\n".join([*lines, *more]))


def _told(device: str, name: str, paths: Sequence[Path]) -> tuple[dict[str, Any], list[str]]:
    from counterseal.cli.device_steps import steps_after  # noqa: PLC0415 - only where it is asked for

    return steps_after(device, name, paths)


def _show_rehearsal(
    run: Run, issued: Issued, files: Sequence[Preview], more: Sequence[str], extra: dict[str, Any]
) -> None:
    """Show the certificate and the files that would be written."""
    _remark(run, issued)
    record = issued.record
    what = f"issue a {record.profile} certificate {record.name} under {record.issuer}"
    whom = "; ".join(part for part in (record.subject, ", ".join(record.names)) if part)
    act = f"{what}: {whom}; until {show_until(record)}"
    show_dry_run(run, acts=(act, *more), files=files, document={**document_of(issued), **extra})


def _varies(path: str, issued: Issued) -> bool:
    """Whether another key or signature of the same kind may take a few octets more or less in this file."""
    if path.endswith(".key.pem"):
        return isinstance(issued.certificate.public_key(), rsa.RSAPublicKey)
    return not path.endswith((".chain.pem", f"/{TRUST_ANCHOR_FILE}"))


def show_until(record: CertificateRecord) -> str:
    """Return until when a certificate lives, and how long that is."""
    lifetime = show_duration(moment(record.not_after) - moment(record.not_before))
    return f"{show_moment(moment(record.not_after))} ({lifetime})"


def _waiting(run: Run, issuer: str) -> list[str]:
    """Return the sites that will refuse a new certificate of this issuer until the next deploy."""
    sites = (one.site for one in run.sound_sites())
    return [site.name for site in sites if site.admit == "known" and issuer in {*site.client_cas, ROOT}]


def _remark(run: Run, issued: Issued) -> None:
    for remark in issued.remarks:
        run.warn(remark.message, *([f"hint: {remark.hint}"] if remark.hint else []))


def document_of(issued: Issued) -> dict[str, Any]:
    """Return an issued certificate as data, for JSON."""
    from counterseal.authority.record_json import certificate_to_json  # noqa: PLC0415 - only where it is shown

    remarks = [{"code": remark.code, "message": remark.message, "hint": remark.hint} for remark in issued.remarks]
    return {"certificate": certificate_to_json(issued.record), "remarks": remarks}
