"""``counterseal import-ca``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from counterseal.authority.import_ca import ISSUING, Import, Imported, rehearse_import
from counterseal.authority.import_ca import import_ca as take_over
from counterseal.authority.publish import publish, signing_cas, unlock
from counterseal.cli.common import DIRECTORY, FILE, Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.new_home import rehearse_home, say_unpublished, show_ca
from counterseal.cli.passphrase import choose_passphrase, read_passphrase, would_ask
from counterseal.compose.home import cas_in, new_home, refuse_occupied
from counterseal.errors import InputError, KeyAccessError
from counterseal.files import preview, read_file
from counterseal.fileset import FileSet
from counterseal.keystore.pkcs8 import is_encrypted, open_key
from counterseal.moments import moment, show_moment
from counterseal.pki.reading import certificates_in, crls_in
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CARecord

NAMED = 5
EPILOG = """\b
Examples:
  counterseal import-ca --certificate ca.crt --key ca.key --ca-passphrase-file old --index demoCA/index.txt
  counterseal import-ca --easy-rsa /etc/easy-rsa/pki --no-passphrase
  counterseal import-ca --certificate int.pem --key int.key.pem --chain root.pem --crl root.crl.pem
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
@click.option(
    "--chain", type=FILE, help="The CAs above one that is not self-signed, up to its root, which stays offline."
)
@click.option(
    "--crl",
    type=FILE,
    multiple=True,
    help="A revocation list: of a CA above, or its own where it has no index. Repeatable.",
)
@click.option("--name", default=ISSUING, show_default=True, help="What to call one that is not self-signed.")
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
    chain: Path | None,
    crl: tuple[Path, ...],
    name: str,
    no_passphrase: bool,
    dry_run: bool,
) -> None:
    """Take over a CA made by openssl or easy-rsa, with all it has issued and revoked.

    One under an offline root comes with --chain; another one under the same root joins the CAs that are here.
    """
    joins = chain is not None and bool(cas_in(run.home, run.settings().store))
    if not joins:
        refuse_occupied(run.home)
    needs_none = joins or no_passphrase or (dry_run and would_ask(run.passphrase_file))
    passphrase = None if needs_none else choose_passphrase(run.passphrase_file)
    if passphrase is None and not needs_none:
        raise InputError("passphrase.missing", "a passphrase for the key here is needed", hint="pass --passphrase-file")
    if easy_rsa is not None:
        certificate = certificate or easy_rsa / "ca.crt"
        key, index = key or easy_rsa / "private" / "ca.key", index or easy_rsa / "index.txt"
    what = _read(certificate, key, ca_passphrase_file, index)
    above = certificates_in(read_file(chain), source=str(chain)) if chain is not None else ()
    what = replace(what, name=name, chain=(*what.chain, *above), crls=_lists(crl), encrypt=not no_passphrase)
    if joins:
        _join(run, what, dry_run=dry_run)
        return
    if dry_run:
        rehearse_home(run, lambda authority: _acts(take_over(authority, what)))
        return
    with new_home(run.home, lambda: passphrase) as authority:
        imported = take_over(authority, what)
        publish(authority)
        _show(run, authority, imported)
    say_unpublished(run)


def _join(run: Run, what: Import, *, dry_run: bool) -> None:
    """Take over one more CA below the root of those that are here, its key encrypted if theirs are."""
    with run.authority() as authority:
        encrypted = any(authority.keystore.is_encrypted(record.key_id) for record in signing_cas(authority))
        what = replace(what, encrypt=what.encrypt and encrypted)
        if dry_run:
            here = authority.store.cas()
            imported = rehearse_import(authority, what)
            run.rehearse_opening(authority, signing_cas(authority))
            key = authority.keystore.rehearse_add(imported.ca.key_id, what.private_key, encrypt=what.encrypt)
            acts = [*_acts(imported, here), f"sign its revocation list, and store both in {run.home}"]
            show_dry_run(run, acts=acts, files=preview(run.home / "keys", FileSet((key,))))
            return
        unlock(authority)  # its key is to open with the passphrase of the others
        imported = take_over(authority, what)
        publish(authority, only={imported.ca.name})
        _show(run, authority, imported)


def _show(run: Run, authority: Authority, imported: Imported) -> None:
    lines = [f"took over the CA {imported.ca.name} with {_counted(imported)}"]
    for record in imported.above:
        crl = authority.store.latest_crl_times(record.name)
        until = f"its list {crl.number} ends {show_moment(moment(crl.next_update))}" if crl else "without a list"
        has_key = authority.keystore.has(record.key_id)
        lines.append(f"above it: {record.name}, {show_ca(record)}, its key {'' if has_key else 'not '}here, {until}")
        if crl is None and not has_key:
            run.warn(
                f"only the key of CA {record.name} can sign its list, and none was given: sites refuse",
                "whom a CA here revokes, by a map; a CA that it revokes itself is not refused",
                "hint: counterseal ca import-crl FILE",
            )
    _tell_of_any_purpose(run, imported)
    document = {
        "name": imported.ca.name,
        "certificates": imported.certificates,
        "revoked": imported.revoked,
        "of_any_purpose": list(imported.of_any_purpose),
        "above": [record.name for record in imported.above],
    }
    run.show(document, "\n".join([*lines, "next: counterseal list"]))


def _tell_of_any_purpose(run: Run, imported: Imported) -> None:
    """Say whose certificate opens the clients' door though it may be a server's."""
    names = imported.of_any_purpose
    if names:
        shown = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")
        run.warn(
            f"no extendedKeyUsage has the certificate of {shown}: a site that admits clients of CA",
            f"{imported.ca.name} admits whoever has its key, a server's too",
            "hint: issue them anew (counterseal server, counterseal client), then revoke these; until then name",
            "those who may come in: allow, in the site",
        )
    if not imported.certificates:
        run.tell(
            f"note: what CA {imported.ca.name} issued is not known here; of that, too, a certificate without",
            "extendedKeyUsage opens the clients' door: counterseal inspect FILE says so, --index takes over all",
        )


def _lists(paths: Sequence[Path]) -> tuple[bytes, ...]:
    return tuple(one for path in paths for one in crls_in(read_file(path), source=str(path)))


def _read(certificate: Path | None, key: Path | None, ca_passphrase_file: Path | None, index: Path | None) -> Import:
    if certificate is None or key is None:
        raise InputError(
            "import.files", "certificate and key are needed", hint="pass --certificate and --key, or --easy-rsa"
        )
    content = read_file(key)
    old = read_passphrase(ca_passphrase_file) if is_encrypted(content) else None
    own, *more = certificates_in(read_file(certificate), source=str(certificate))
    return Import(
        certificate=own,
        chain=tuple(more),
        private_key=_open(content, old, key),
        index=read_file(index).decode("utf-8-sig", errors="replace") if index else "",
        directory=index.parent if index else None,
        crl_number=_crl_number(index),
    )


def _open(content: bytes, passphrase: bytes | None, key: Path) -> CertificateIssuerPrivateKeyTypes:
    try:
        return open_key(content, passphrase, source=str(key))
    except KeyAccessError as error:
        if is_encrypted(content):
            error.hint = "pass --ca-passphrase-file FILE, with the passphrase that the key has there"
        raise


def _acts(imported: Imported, here: Sequence[CARecord] = ()) -> list[str]:
    """Return what is taken over; ``here`` are the CAs that were there before, which stay as they are."""
    new = [record for record in imported.above if record not in here]
    above = [f"keep the CA above it, without its key: {show_ca(record)}" for record in new]
    return [f"take over the CA {show_ca(imported.ca)}", *above, f"take over {_counted(imported)}"]


def _counted(imported: Imported) -> str:
    return f"{counted(imported.certificates, 'certificate')}, {imported.revoked} of them revoked"


def _crl_number(index: Path | None) -> int:
    """Return the number of the last CRL: openssl keeps the next one, in hex."""
    path = index.parent / "crlnumber" if index else None
    if path is None or not path.is_file():
        return 0
    try:
        return max(int(read_file(path).decode().strip() or "0", 16) - 1, 0)
    except ValueError as error:
        raise InputError("import.crl_number", f"not a CRL number: {path}") from error
