"""The acts of ``quickstart``, each by the same use cases that the commands call."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from counterseal.authority.create import RootPlan, create
from counterseal.authority.credential import credential_of
from counterseal.authority.deployment import deploy_sites
from counterseal.authority.issue import issue
from counterseal.authority.order import order_client
from counterseal.authority.proof import facts_of
from counterseal.authority.publish import publish
from counterseal.authority.revoke import revoke
from counterseal.bundles.password import generate_password
from counterseal.bundles.pem import pem_files
from counterseal.bundles.pkcs12 import Strength, encode
from counterseal.cli.dry_run import unseen, unseen_files
from counterseal.cli.proofs import summary, table
from counterseal.cli.quickstart_ending import Ending, Ends, ends_of
from counterseal.compose.ground import open_ground
from counterseal.compose.home import new_home, open_authority, settings_of
from counterseal.config.toml_text import toml_string
from counterseal.errors import NginxError, NotFoundError
from counterseal.files import make_directory, write_file, write_fileset
from counterseal.fileset import SECRET
from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import ProbeIdentity
from counterseal.handshake.plan import attempt_as
from counterseal.handshake.proof_json import proof_to_json
from counterseal.handshake.sessions import remember_session
from counterseal.keystore.software import generate_key
from counterseal.pki.crl import RevocationReason
from counterseal.pki.keys import P256
from counterseal.pki.pem import encode_private_key
from counterseal.pki.subject import parse_subject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.authority.deployment import Deployed
    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.files import Preview
    from counterseal.handshake.prove import Proof
    from counterseal.handshake.site import Leaver, SiteFacts

SITE = """\
# Made by counterseal quickstart.
[sites.demo]
server_names = ["localhost"]
listen = ["127.0.0.1:{port}"]
client_certificates = "{mode}"
root = {root}
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
        self.ends = Ends({}, {})
        self.missing: NginxError | None = None
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

    def files(self) -> list[Preview]:
        """Return the files for the person who is at it; what is in the home besides, ``acts`` says."""
        own = unseen_files(self.handout, "alice", with_chain=True, with_pkcs12=True)
        return [unseen(self.place / "passphrase", size=None), *own]

    def refuse_place(self) -> None:
        """Raise InputError ``nginx.layout`` where nginx cannot run from this directory, before anything is in it."""
        with suppress(NginxError):  # there is none that can be used, which ``play`` tells
            self._ground()

    def play(self) -> bool:
        """Play every act; returns whether everything was as expected."""
        began = time.monotonic()
        with self._create() as authority:
            identity = self._client(authority)
            if self._lacks_nginx():
                revoke(authority, "alice", RevocationReason.KEY_COMPROMISE)
                lists = publish(authority).signed
                self.tell(f"3. alice is revoked; new revocation lists: {', '.join(crl.issuer for crl in lists)}")
            else:
                self._serve(authority)
                self._lock_out(authority, identity)
            self.ends = ends_of(authority)
        self.tell(f"all of it took {time.monotonic() - began:.1f} s")
        return self.passed

    @property
    def passed(self) -> bool:
        """Whether nginx was there, and everything was as expected."""
        looks = all(passed for *_, passed in self.revoked)
        return self.missing is None and looks and all(proof.passed for proof in self.proofs)

    def stop(self) -> None:
        """Stop the nginx of this directory, if it runs."""
        if self.missing is not None:
            return
        try:
            open_ground(self.home, settings_of(self.home)).place.nginx.stop(within=10)
        except (NotFoundError, NginxError):
            return

    def summary(self, *, running: bool) -> str:
        """Say what was made, where, until when, and what to try next."""
        return Ending(self.place, self.port, self.ends, self.password, running, self.missing).text()

    def document(self) -> dict[str, Any]:
        """Return the outcome as data."""
        return {
            "home": str(self.home),
            "port": self.port,
            "passed": self.passed,
            "missing": None if self.missing is None else self.missing.message,
            "proofs": [proof_to_json(proof) for proof in self.proofs],
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
        credential = credential_of(issued, key)
        self.password = generate_password(os.urandom)
        packed = encode(credential, self.password, strength=Strength.MODERN)
        make_directory(self.handout, mode=0o700)
        write_fileset(self.handout, pem_files(credential, pkcs12=packed))
        self.tell(f"2. a client certificate is issued and packed: {self.handout}/alice.p12")
        return ProbeIdentity("alice", issued.chain_pem, encode_private_key(key))

    def _lacks_nginx(self) -> bool:
        """Look for an nginx that can be used, and remember what is wrong with it."""
        try:
            self._ground()
        except NginxError as error:
            self.missing = error
        return self.missing is not None

    def _ground(self) -> Ground:
        return open_ground(self.home, settings_of(self.home))

    def _serve(self, authority: Authority) -> None:
        self.tell(f"3. a server certificate is issued; https://localhost:{self.port}/ serves everybody (one-way TLS)")
        self.tell(f"   {summary(self._deploy(authority, 'none').proofs[0])}")
        self.tell("4. mutual TLS: the same site lets in whom its client CA has issued a certificate, and nobody else")
        self.tell(table(self._deploy(authority, "required").proofs))

    def _deploy(self, authority: Authority, mode: str) -> Deployed:
        pages = self.place / "pages"
        make_directory(pages)
        write_file(pages / "index.html", PAGE, mode=0o644)
        content = SITE.format(port=self.port, mode=mode, root=toml_string(str(pages)))
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
        self.tell(f"5. alice is revoked; nginx refuses her, proved {took:.1f} s after the command")
        after = facts_of(authority, sites[0], sites, ground.stage(ground.in_force or 0, settings.sites))
        self.tell(f"   {summary(deployed.proofs[0])}: with a probe that was let in before")
        self._look(identity, leaver, "after", resumed=False, expected=400, facts=after)
        self._look(identity, leaver, "after, offering the session from before", resumed=True, expected=400, facts=after)

    def _look(
        self, identity: ProbeIdentity, leaver: Leaver, when: str, *, resumed: bool, expected: int, facts: SiteFacts
    ) -> None:
        for version in facts.tls_versions:
            endpoint = facts.endpoints[0]
            what = attempt_as(facts, identity, endpoint=endpoint, tls_version=version, timeout=5)
            if resumed:
                what = replace(what, session=leaver.session_for(endpoint, version))
            seen = attempt(what)
            passed = seen.status == expected
            text = f"HTTP {seen.status} {seen.verify or ''}"
            self.revoked.append((f"alice {when}", text, passed))
            self.tell(f"   {'ok  ' if passed else 'FAIL'} TLS {version}  alice {when}: {text}")
