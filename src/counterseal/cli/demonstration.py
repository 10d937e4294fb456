"""The acts of ``quickstart``, each by the same use cases that the commands call."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from counterseal.authority.create import RootPlan, create
from counterseal.authority.deployment import deploy_sites
from counterseal.authority.issue import issue
from counterseal.authority.order import order_client
from counterseal.authority.proof import facts_of
from counterseal.authority.publish import publish
from counterseal.authority.revoke import revoke
from counterseal.bundles.password import generate_password
from counterseal.bundles.pem import encode_certificate, encode_private_key, pem_files
from counterseal.bundles.pkcs12 import Strength, encode
from counterseal.cli.issuing import credential_of
from counterseal.cli.proofs import table
from counterseal.compose.ground import open_ground
from counterseal.compose.home import new_home, open_authority, settings_of
from counterseal.errors import NotFoundError
from counterseal.files import make_directory, write_file, write_fileset
from counterseal.fileset import SECRET
from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import ProbeIdentity
from counterseal.handshake.plan import attempt_as
from counterseal.handshake.sessions import remember_session
from counterseal.keystore.software import generate_key
from counterseal.pki.crl import RevocationReason
from counterseal.pki.keys import P256
from counterseal.pki.subject import parse_subject

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from counterseal.authority.deployment import Deployed, Ground
    from counterseal.authority.parts import Authority
    from counterseal.handshake.prove import Proof
    from counterseal.handshake.site import Leaver, SiteFacts

SITE = """\
# Made by counterseal quickstart.
[sites.demo]
server_names = ["localhost"]
listen = ["127.0.0.1:{port}"]
client_certificates = "{mode}"
root = "{root}"
"""
PAGE = b"<!doctype html><title>Counterseal</title><p>You are in: nginx verified your certificate.\n"


class Demonstration:
    """One run of the quickstart in the directory ``place``."""

    def __init__(self, place: Path, port: int, tell: Callable[[str], None]) -> None:
        self.place = place
        self.home = place / "home"
        self.handout = place / "handout"
        self.port = port
        self.tell = tell
        self.password = ""
        self.until: datetime | None = None
        self.proofs: list[Proof] = []
        self.revoked: list[tuple[str, str, bool]] = []

    def acts(self) -> list[str]:
        """Say what ``play`` would do."""
        return [
            f"make a CA, its keys encrypted, in {self.home}, and its passphrase in {self.place / 'passphrase'}",
            f"issue a client certificate for alice and pack it into {self.handout}",
            f"serve https://localhost:{self.port}/ with one-way, then with mutual TLS, and prove it",
            "revoke alice, and prove that nginx refuses her, the session from before included",
        ]

    def play(self) -> bool:
        """Play every act; returns whether everything was as expected."""
        began = time.monotonic()
        with self._create() as authority:
            identity = self._client(authority)
            self._deploy(authority, "none")
            self.tell("\n3. one-way TLS is served; now mutual TLS")
            deployed = self._deploy(authority, "required")
            self.tell(table(deployed.proofs))
            self._lock_out(authority, identity)
        self.tell(f"\nall of it took {time.monotonic() - began:.1f} s")
        return all(proof.passed for proof in self.proofs) and all(passed for *_, passed in self.revoked)

    def stop(self) -> None:
        """Stop the nginx of this directory, if it runs."""
        try:
            open_ground(self.home, settings_of(self.home)).place.nginx.stop(within=10)
        except NotFoundError:
            return

    def summary(self, *, running: bool) -> str:
        """Say what was made, where, until when, and what to try next."""
        command = f"{_program()} {{}} --home {self.home} --passphrase-file {self.place / 'passphrase'}"
        lines = ["", "made:"]
        lines += [f"  CA, store and configuration   {self.home}"]
        lines += [f"  client certificate, PKCS#12   {self.handout}/alice.p12  (password {self.password})"]
        lines += [f"  root for browsers             {self.handout}/ca.pem"]
        lines += [f"  the CA keys' passphrase       {self.place / 'passphrase'}"]
        lines += [f"nginx {'serves' if running else 'served'} https://localhost:{self.port}/"]
        after = "prove" if running else "nginx deploy"
        lines += ["next:", "  " + command.format("client bob --group ops --out " + str(self.handout))]
        lines += ["  " + command.format("list"), "  " + command.format(after)]
        lines += [f"to stop nginx: {command.format('nginx stop')}"] if running else []
        until = f"{self.until:%Y-%m-%d}" if self.until else "unknown"
        lines.insert(4, f"                                until {until}, and revoked by now")
        return "\n".join(lines)

    def document(self) -> dict[str, Any]:
        """Return the outcome as data."""
        return {
            "home": str(self.home),
            "port": self.port,
            "passed": all(proof.passed for proof in self.proofs) and all(passed for *_, passed in self.revoked),
            "revoked": [{"client": who, "seen": seen, "passed": passed} for who, seen, passed in self.revoked],
        }

    def _create(self) -> Authority:
        make_directory(self.place, mode=0o711)
        passphrase = generate_password(os.urandom).encode()
        write_file(self.place / "passphrase", passphrase + b"\n", mode=SECRET)
        with new_home(self.home, lambda: passphrase) as authority:
            made = create(authority, RootPlan(parse_subject("CN=Quickstart Root CA,O=Counterseal quickstart")))
            publish(authority)
        names = ", ".join(record.name for record in made)
        self.tell(f"1. a CA is made, its keys encrypted: {names}")
        return open_authority(self.home, lambda: passphrase)

    def _client(self, authority: Authority) -> ProbeIdentity:
        key = generate_key(P256)
        asked = order_client(authority.profile("client"), "alice", key.public_key(), group="ops")
        issued = issue(authority, asked, name="alice")
        self.until = issued.certificate.not_valid_after_utc
        credential = credential_of(issued, key)
        self.password = generate_password(os.urandom)
        packed = encode(credential, self.password, strength=Strength.MODERN)
        make_directory(self.handout, mode=0o700)
        write_fileset(self.handout, pem_files(credential, pkcs12=packed))
        self.tell(f"2. a client certificate is issued and packed: {self.handout}/alice.p12")
        chain = b"".join(encode_certificate(c) for c in (issued.certificate, *issued.issuer.chain))
        return ProbeIdentity("alice", chain, encode_private_key(key))

    def _ground(self) -> Ground:
        return open_ground(self.home, settings_of(self.home))

    def _deploy(self, authority: Authority, mode: str) -> Deployed:
        pages = self.place / "pages"
        make_directory(pages)
        write_file(pages / "index.html", PAGE, mode=0o644)
        content = SITE.format(port=self.port, mode=mode, root=pages)
        write_file(self.home / "counterseal.toml", content.encode(), mode=0o644)
        deployed = deploy_sites(authority, settings_of(self.home).sites, self._ground(), reason=f"quickstart: {mode}")
        self.proofs += deployed.proofs
        return deployed

    def _lock_out(self, authority: Authority, identity: ProbeIdentity) -> None:
        settings, ground = settings_of(self.home), self._ground()
        sites = [one.site for one in settings.sites]
        before = facts_of(authority, sites[0], sites, ground.stage(ground.in_force or 0, settings.sites))
        leaver = remember_session(before, identity)
        self._look(identity, leaver, "before", resumed=False, expected=200, facts=before)
        began = time.monotonic()
        revoke(authority, "alice", RevocationReason.KEY_COMPROMISE)
        deployed = deploy_sites(authority, settings.sites, ground, reason="revoke alice")
        took = time.monotonic() - began
        self.proofs += deployed.proofs
        self.tell(f"\n4. alice is revoked; refusal proved {took:.1f} s after the command")
        after = facts_of(authority, sites[0], sites, ground.stage(ground.in_force or 0, settings.sites))
        count = sum(len(proof.rows) for proof in deployed.proofs)
        self.tell(f"   {count} rows of proof again, among them a probe that was let in before and must stay out")
        self._look(identity, leaver, "after", resumed=False, expected=400, facts=after)
        self._look(identity, leaver, "after, offering the session from before", resumed=True, expected=400, facts=after)

    def _look(
        self, identity: ProbeIdentity, leaver: Leaver, when: str, *, resumed: bool, expected: int, facts: SiteFacts
    ) -> None:
        for version in facts.tls_versions:
            endpoint = facts.endpoints[0]
            what = attempt_as(facts, identity, endpoint=endpoint, tls_version=version, timeout=5)
            if resumed:
                from dataclasses import replace  # noqa: PLC0415 - one use

                what = replace(what, session=leaver.session_for(endpoint, version))
            seen = attempt(what)
            passed = seen.status == expected
            text = f"HTTP {seen.status} {seen.verify or ''}"
            self.revoked.append((f"alice {when}", text, passed))
            self.tell(f"   {'ok  ' if passed else 'FAIL'} TLS {version}  alice {when}: {text}")


def _program() -> str:
    """Return how this command was called, so that the next ones can be pasted."""
    called = sys.argv[0]
    return "counterseal" if called.endswith("__main__.py") else called
