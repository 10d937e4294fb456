"""The server certificate that a site keeps with its key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from authority_fixtures import NOW, small_ca
from counterseal.authority.create import add_ca
from counterseal.authority.renewal import due_at, is_due
from counterseal.authority.retire import retire
from counterseal.authority.revoke import revoke
from counterseal.authority.revoke_ca import revoke_ca
from counterseal.authority.served import ServedSite
from counterseal.authority.site_certificate import (
    KEY,
    ensure_server_certificate,
    needs_certificate,
    read_server_certificate,
    sites_of_revoked,
)
from counterseal.errors import InputError, KeyAccessError
from counterseal.keystore.pkcs8 import encrypt_key
from counterseal.keystore.software import generate_key
from counterseal.nginx.listen import Listen
from counterseal.nginx.site import Site
from counterseal.pki.crl import RevocationReason
from counterseal.pki.keys import P256
from counterseal.pki.profile import Purpose
from prove_pki import certificate_pem, key_pem, prove_pki

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_revoked_ca_issued_stays_until_another_issues(tmp_path: Path) -> None:
    """A site must serve something; it is told of until then, and replaced at once after."""
    served = ServedSite(Site("a", ("a.test",), (Listen("*", 443),), client_cas=("clients",), root="/srv"))
    with small_ca(tmp_path) as authority:
        made = ensure_server_certificate(authority, "a", ("a.test",), tmp_path / "kept")
        assert sites_of_revoked(authority, [served]) == ()
        revoke_ca(authority, "servers", RevocationReason.KEY_COMPROMISE)
        assert ensure_server_certificate(authority, "a", ("a.test",), tmp_path / "kept").chain == made.chain
        assert sites_of_revoked(authority, [served]) == ("a",)
        add_ca(authority, "servers-2", Purpose.SERVER, encrypt=False)
        retire(authority, "servers", "servers-2")
        later = replace(authority, clock=lambda: NOW + timedelta(hours=1))
        assert needs_certificate(later, ("a.test",), tmp_path / "kept")
        ensure_server_certificate(later, "a", ("a.test",), tmp_path / "kept")
        assert later.store.by_name("site:a")[0].issuer == "servers-2"
        assert sites_of_revoked(later, [served]) == ()


def test_a_certificate_is_kept_while_it_fits(tmp_path: Path) -> None:
    """Another name, or a key that is gone or damaged, asks for a new one; one that was encrypted is somebody's."""
    names, kept = ("a.test",), tmp_path / "kept"
    with small_ca(tmp_path) as authority:
        made = ensure_server_certificate(authority, "a", names, kept)
        assert ensure_server_certificate(authority, "a", names, kept).certificate == made.certificate
        assert needs_certificate(authority, ("b.test",), kept)
        (kept / KEY).write_bytes(made.private_key[:40])
        assert needs_certificate(authority, names, kept)
        (kept / KEY).write_bytes(encrypt_key(generate_key(P256), b"a passphrase"))
        with pytest.raises(KeyAccessError, match=f"{kept / KEY}"):
            needs_certificate(authority, names, kept)
        (kept / KEY).unlink()
        assert needs_certificate(authority, names, kept)


def test_a_certificate_that_is_revoked_is_replaced(tmp_path: Path) -> None:
    """At once, though it is far from its end."""
    with small_ca(tmp_path) as authority:
        ensure_server_certificate(authority, "a", ("a.test",), tmp_path / "kept")
        assert not needs_certificate(authority, ("a.test",), tmp_path / "kept")
        revoke(authority, "site:a", RevocationReason.KEY_COMPROMISE)
        assert needs_certificate(authority, ("a.test",), tmp_path / "kept")


def test_a_certificate_is_due_from_the_moment_on_that_is_told(tmp_path: Path) -> None:
    """What a timer is set to is not a second too early."""
    with small_ca(tmp_path) as authority:
        made = ensure_server_certificate(authority, "a", ("a.test",), tmp_path / "kept").certificate
        due = due_at(made.not_valid_before_utc, made.not_valid_after_utc)
        assert not is_due(replace(authority, clock=lambda: due - timedelta(seconds=1)), made)
        assert is_due(replace(authority, clock=lambda: due), made)


def test_a_key_beside_the_certificate_is_not_sent_along(tmp_path: Path) -> None:
    """Many programs want both in one file; what nginx sends is written for everybody to read."""
    file, made = tmp_path / "combined.pem", prove_pki()
    chain = certificate_pem(made.server, made.server_ca)
    file.write_bytes(key_pem(made.server) + b"the certificate:\n" + chain)
    read = read_server_certificate(file, file)
    assert (read.chain, read.certificate) == (chain, made.server.certificate)
    assert read.private_key == file.read_bytes()


@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_certificate_of_the_user_s_own_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    """Empty, something else, or damaged; nothing of it is taken."""
    (tmp_path / "own.pem").write_bytes(content)
    with pytest.raises(InputError, match=f"not a certificate in PEM: {tmp_path}/own.pem") as caught:
        read_server_certificate(tmp_path / "own.pem", tmp_path / "own.key")
    assert caught.value.code == "site.certificate"
