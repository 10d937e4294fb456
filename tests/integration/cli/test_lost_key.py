"""A key that somebody else has: what is still valid for it is said, because each certificate is revoked by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from command import here
from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from pathlib import Path


def test_the_other_certificates_for_a_lost_key_are_told(tmp_path: Path) -> None:
    """Renewed ones stand beside their successors, for the same key; rekeyed ones have another."""
    home, out = tmp_path / "home", ("--out", str(tmp_path))
    serials: list[str] = []
    assert here(home, "init", "--no-passphrase").code == 0
    for words in (("client", "ann", "--no-p12"), ("renew",), ("renew",), ("rekey", "--no-p12")):
        newest = serials[-1:] if serials else []
        made = here(home, *words, *newest, *out, *(("--force",) if serials else ()))
        assert made.code == 0, made.stderr
        certificate = x509.load_pem_x509_certificate((tmp_path / "ann.cert.pem").read_bytes())
        serials.append(show_serial(certificate.serial_number))
    told = []
    for serial, reason in zip(serials, ("superseded", "key_compromise", "key_compromise"), strict=False):
        revoked = here(home, "revoke", serial, "--reason", reason)
        assert revoked.code == 0, revoked.stderr
        told.append(revoked.stderr)
    warning = "warning: another certificate of ann for the same key is still valid: "
    assert [warning in one for one in told] == [False, True, False]
    assert f"{warning}{serials[2]}\n" in told[1]
    assert f"hint: counterseal revoke {serials[2]} --reason key_compromise\n" in told[1]
