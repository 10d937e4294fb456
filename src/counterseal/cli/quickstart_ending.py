"""How ``quickstart`` ends: what was made, where, until when, and the next three commands."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.parts import ROOT
from counterseal.cli.program import program
from counterseal.errors import shell_line
from counterseal.moments import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from counterseal.authority.parts import Authority
    from counterseal.errors import NginxError

SITE, CLIENT = "demo", "alice"


@dataclass(frozen=True, slots=True)
class Ends:
    """Until when everything lives: the CAs by their names, the root first, and the certificates by theirs."""

    cas: Mapping[str, datetime]
    certificates: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Ending:
    """What is said at the end; ``missing`` is why nothing was served, ``running`` whether nginx goes on."""

    place: Path
    port: int
    ends: Ends
    password: str = field(repr=False)
    running: bool
    missing: NginxError | None

    @property
    def home(self) -> Path:
        """Where the CA is."""
        return self.place / "home"

    def text(self) -> str:
        """Return it for people."""
        return "\n".join(["", "made:", *self._made(), *self._outcome(), *self._following()])

    def _made(self) -> Iterator[str]:
        handout = self.place / "handout"
        issuing = ", ".join(
            f"{name} until {end:%Y-%m-%d}" for name, end in sorted(self.ends.cas.items()) if name != ROOT
        )
        yield f"  CA, store and configuration  {self.home}"
        yield f"  the CA keys' passphrase      {self.place / 'passphrase'}"
        yield f"  root certificate             {handout / 'ca.pem'}, for browsers"
        yield f"                               until {self.ends.cas[ROOT]:%Y-%m-%d}"
        yield f"  issuing CAs                  {issuing}"
        if SITE in self.ends.certificates:
            yield f"  server certificate           {self.home / 'nginx/current/sites' / f'{SITE}.chain.pem'}"
            yield f"                               until {self.ends.certificates[SITE]:%Y-%m-%d}"
        yield f"  alice's certificate          {handout / f'{CLIENT}.p12'}, password {self.password}"
        yield f"                               until {self.ends.certificates[CLIENT]:%Y-%m-%d}, and revoked by now"
        yield "the next quickstart removes all of it, what you add too: make a CA that is to stay by counterseal init"

    def _outcome(self) -> Iterator[str]:
        if self.missing is None:
            yield f"nginx {'serves' if self.running else 'served'} https://localhost:{self.port}/"
            return
        yield f"missing, so that nothing was served or proved: {self.missing.message}"
        if self.missing.hint:
            yield f"hint: {self.missing.hint}, then run this again"

    def _following(self) -> Iterator[str]:
        called, passphrase = _program(), shell_line(self.place / "passphrase")
        yield "for what follows, in this shell:"
        yield f"  export COUNTERSEAL_HOME={shell_line(self.home)} COUNTERSEAL_PASSPHRASE_FILE={passphrase}"
        yield "the next three commands to try:"
        yield f"  {called} client bob --group ops --out {shell_line(self.place / 'handout')}"
        yield f"  {called} list"
        if self.missing is not None:
            yield f"  {called} ca show"
        elif self.running:
            yield f"  {called} prove"
            yield f"with bob.p12 and ca.pem in a browser, https://localhost:{self.port}/ opens"
            yield f"nginx goes on until: {called} nginx stop"
        else:
            yield f"  {called} nginx deploy"
            yield f"the third starts nginx again, until: {called} nginx stop"


def ends_of(authority: Authority) -> Ends:
    """Return until when everything lives that the quickstart has made."""
    cas = {
        record.name: x509.load_der_x509_certificate(record.certificate).not_valid_after_utc
        for record in authority.store.cas()
    }
    served, client = authority.store.by_name(f"site:{SITE}"), authority.store.by_name(CLIENT)
    found = {SITE: served, CLIENT: client}
    return Ends(cas, {name: moment(records[0].not_after) for name, records in found.items() if records})


def _program() -> str:
    """Return how this command is called, so that the next ones can be pasted; short in the checkout that has it."""
    words = program()
    if words == [shutil.which("counterseal")]:
        return "counterseal"
    beside = len(words) == 1 and Path(words[0]).parents[2:3] == (Path.cwd(),)
    return os.path.relpath(words[0]) if beside else shell_line(*words)
