"""``counterseal import-ca``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from cryptography import x509

from counterseal.authority.import_ca import Import, Imported
from counterseal.authority.import_ca import import_ca as take_over
from counterseal.authority.publish import publish
from counterseal.cli.common import DIRECTORY, FILE, Run, common
from counterseal.cli.dry_run import dry_run_option
from counterseal.cli.new_home import rehearse_home, say_unpublished, show_ca
from counterseal.cli.passphrase import choose_passphrase, read_passphrase
from counterseal.compose.home import new_home, refuse_occupied
from counterseal.errors import InputError, KeyAccessError
from counterseal.files import read_file
from counterseal.keystore.pkcs8 import is_encrypted, open_key
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

EPILOG = """\b
Examples:
  counterseal import-ca --certificate ca.crt --key ca.key --ca-passphrase-file old --index demoCA/index.txt
  counterseal import-ca --easy-rsa /etc/easy-rsa/pki --no-passphrase
"""


@click.command("import-ca", epilog=EPILOG)
@click.option("--certificate", type=FILE, help="The CA's certificate, PEM.")
@click.option("--key", type=FILE, help="The CA's private key, PEM.")
@click.option("--ca-passphrase-file", type=FILE, help="File whose first line opens the CA's key as it is now.")
@click.option(
    "--index",
    type=FILE,
    help="openssl's index.txt; newcerts/ and crlnumber beside it are read too, serial is not needed.",
)
@click.option("--easy-rsa", type=DIRECTORY, help="An easy-rsa pki/ directory.")
@click.option("--no-passphrase", is_flag=True, help="Keep the CA key unencrypted here (mode 0600).")
@dry_run_option
@common
def import_ca(
    run: Run,
    *,
    certificate: Path | None,
    key: Path | None,
    ca_passphrase_file: Path | None,
    index: Path | None,
    easy_rsa: Path | None,
    no_passphrase: bool,
    dry_run: bool,
) -> None:
    """Take over a CA made by openssl or easy-rsa, with all it has issued and revoked."""
    refuse_occupied(run.home)
    passphrase = None if no_passphrase or dry_run else choose_passphrase(run.passphrase_file)
    if passphrase is None and not (no_passphrase or dry_run):
        raise InputError("passphrase.missing", "a passphrase for the key here is needed", hint="pass --passphrase-file")
    if easy_rsa is not None:
        certificate = certificate or easy_rsa / "ca.crt"
        key, index = key or easy_rsa / "private" / "ca.key", index or easy_rsa / "index.txt"
    what = _read(certificate, key, ca_passphrase_file, index, encrypt=not no_passphrase)
    if dry_run:
        rehearse_home(run, lambda authority: _acts(take_over(authority, what)))
        return
    with new_home(run.home, lambda: passphrase) as authority:
        imported = take_over(authority, what)
        publish(authority)
    counted = _counted(imported)
    text = f"took over the CA with {counted}\nnext: counterseal list"
    run.show({"certificates": imported.certificates, "revoked": imported.revoked}, text)
    say_unpublished(run)


def _read(
    certificate: Path | None, key: Path | None, ca_passphrase_file: Path | None, index: Path | None, *, encrypt: bool
) -> Import:
    if certificate is None or key is None:
        raise InputError(
            "import.files", "certificate and key are needed", hint="pass --certificate and --key, or --easy-rsa"
        )
    content = read_file(key)
    old = read_passphrase(ca_passphrase_file) if is_encrypted(content) else None
    return Import(
        certificate=_load(certificate),
        private_key=_open(content, old, key),
        index=read_file(index).decode(errors="replace") if index else "",
        directory=index.parent if index else None,
        crl_number=_crl_number(index),
        encrypt=encrypt,
    )


def _open(content: bytes, passphrase: bytes | None, key: Path) -> CertificateIssuerPrivateKeyTypes:
    try:
        return open_key(content, passphrase, source=str(key))
    except KeyAccessError as error:
        if is_encrypted(content):
            error.hint = "pass --ca-passphrase-file FILE, with the passphrase that the key has there"
        raise


def _acts(imported: Imported) -> list[str]:
    return [f"take over the CA {show_ca(imported.ca)}", f"take over {_counted(imported)}"]


def _counted(imported: Imported) -> str:
    return f"{counted(imported.certificates, 'certificate')}, {imported.revoked} of them revoked"


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(read_file(path))
    except ValueError as error:
        raise InputError("import.certificate", f"not a certificate in PEM: {path}") from error


def _crl_number(index: Path | None) -> int:
    """Return the number of the last CRL: openssl keeps the next one, in hex."""
    path = index.parent / "crlnumber" if index else None
    if path is None or not path.is_file():
        return 0
    try:
        return max(int(read_file(path).decode().strip() or "0", 16) - 1, 0)
    except ValueError as error:
        raise InputError("import.crl_number", f"not a CRL number: {path}") from error
