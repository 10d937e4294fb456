"""Meet a real server with ``counterseal handshake`` as a person types it: what it says in words, and as data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from broken_setups import anchors
from command import here
from counterseal.pki.pem import encode_certificates
from prove_pki import certificate_pem, key_pem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from broken_setups import Chain

PATIENCE = ("--timeout", "60")


@dataclass(frozen=True, slots=True)
class Met:
    """What the command answered: its exit code, and what ``--json`` printed."""

    code: int
    found: dict[str, Any]

    @property
    def failures(self) -> list[dict[str, Any]]:
        """What went wrong, on the server's side and on the client's."""
        return [one for one in (self.found["server_diagnosis"], self.found["diagnosis"]) if one is not None]


def meet(directory: Path, target: str, *options: str) -> Met:
    """Call the command for people and for programs; both must say the same, with the same exit code."""
    words = ("handshake", target, *PATIENCE, *options)
    told, ran = here(directory / "no-ca", *words), here(directory / "no-ca", *words, "--json")
    assert (told.code, told.stderr) == (ran.code, ran.stderr), (told, ran)
    assert ran.stdout, ran
    met = Met(ran.code, json.loads(ran.stdout)["handshake"])
    shown = " ".join(told.stdout.split())
    for failure in met.failures:
        for label in ("happened", "cause", "fix", "verify", "directive"):
            assert failure[label] is None or " ".join(failure[label].split()) in shown, (label, told.stdout)
    return met


def coming_with(directory: Path, chain: Chain | None) -> Iterator[str]:
    """Write the client's certificate with its chain and its key into a file, and yield the options that name it."""
    if chain is None:
        return
    sent = (*chain, chain[-1]) if len(chain) > 1 and _is_root(chain) else chain  # a root at the end is left out
    path = directory / "client.pem"
    path.touch(mode=0o600)
    path.write_bytes(certificate_pem(*sent) + key_pem(chain[0]))
    yield from ("--cert", str(path))


def trusting(directory: Path, name: str) -> Iterator[str]:
    """Write the CAs that the client trusts, by their name in ``anchors``, and yield the options that name them."""
    if not anchors()[name]:
        return  # what is left is what the system trusts
    path = directory / "trusted.pem"
    path.write_bytes(encode_certificates(*anchors()[name]))
    yield from ("--trust", str(path))


def _is_root(chain: Chain) -> bool:
    last = chain[-1].certificate
    return last.subject == last.issuer
