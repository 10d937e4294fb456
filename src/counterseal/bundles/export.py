"""The one door to all bundles: a credential and a format in, the files out.

Decides what each format needs (key, password) and which strength is usual for those who load it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Never

from counterseal.bundles.kubernetes import kubernetes_files
from counterseal.bundles.mobileconfig import encode_mobileconfig
from counterseal.bundles.password import check_password
from counterseal.bundles.pem import TRUST_ANCHOR_FILE, file_stem, pem_files
from counterseal.bundles.pkcs12 import Strength, encode
from counterseal.bundles.truststore import java_files
from counterseal.errors import InputError
from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.pki.pem import encode_certificates

if TYPE_CHECKING:
    from counterseal.bundles.credential import Credential


class ExportFormat(StrEnum):
    """What the files are for: browsers, servers and programs, Apple devices, Java, Kubernetes."""

    P12 = "p12"
    PEM = "pem"
    MOBILECONFIG = "mobileconfig"
    JAVA = "java"
    KUBERNETES = "kubernetes"

    @property
    def needs_key(self) -> bool:
        """Whether there is no such bundle without the private key; ``pem`` leaves the key file out instead."""
        return self is not ExportFormat.PEM

    @property
    def needs_password(self) -> bool:
        """Whether the bundle is encrypted with a password; the others refuse one."""
        return self in {ExportFormat.P12, ExportFormat.MOBILECONFIG, ExportFormat.JAVA}

    @property
    def usual_strength(self) -> Strength:
        """The strength to take when nobody chose: what Apple devices of every age read, else the modern one."""
        return Strength.COMPATIBLE if self is ExportFormat.MOBILECONFIG else Strength.MODERN


def export(
    credential: Credential,
    export_format: ExportFormat,
    *,
    password: str | None = None,
    strength: Strength | None = None,
    rounds: int | None = None,
) -> FileSet:
    """Return the credential as the files of one format.

    Raises NotFoundError ``bundle.key_missing``; InputError ``bundle.password_missing``, or ``bundle.password_unused``
    for a format that would leave the key readable all the same; and what the format itself raises.
    """
    if export_format.needs_key:
        credential.require_key(f"the format {export_format}")
    if not export_format.needs_password:
        if password is not None:
            refuse_password(export_format)
        return pem_files(credential) if export_format is ExportFormat.PEM else kubernetes_files(credential)
    chosen, checked = strength or export_format.usual_strength, _required_password(export_format, password)
    if export_format is ExportFormat.JAVA:
        return java_files(credential, checked, strength=chosen, rounds=rounds)
    pkcs12 = encode(credential, checked, strength=chosen, rounds=rounds)
    stem = file_stem(credential.name)
    if export_format is ExportFormat.MOBILECONFIG:
        profile = encode_mobileconfig(credential, pkcs12)
        return FileSet((PlannedFile(f"{stem}.mobileconfig", profile, SECRET),))
    anchor = encode_certificates(credential.trust_anchor)
    return FileSet((PlannedFile(f"{stem}.p12", pkcs12, SECRET), PlannedFile(TRUST_ANCHOR_FILE, anchor)))


def _required_password(export_format: ExportFormat, password: str | None) -> str:
    if password is None:
        raise InputError(
            "bundle.password_missing",
            f"the format needs a password: {export_format}",
            hint="let one be generated, or give one by prompt or file",
        )
    return check_password(password)


def refuse_password(export_format: ExportFormat) -> Never:
    """Refuse the password for a format that would leave the key readable: InputError ``bundle.password_unused``."""
    raise InputError(
        "bundle.password_unused",
        f"the format has no place for a password: {export_format}",
        hint="choose p12, mobileconfig or java, or leave the password out: the key will be readable in its file",
    )
