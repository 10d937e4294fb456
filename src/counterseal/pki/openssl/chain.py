"""The one chain that OpenSSL builds: trusted issuers first, and up to the depth (build_chain in x509_vfy.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.pki.openssl.codes import Error
from counterseal.pki.openssl.relation import is_current, is_self_signed, likely_issued

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from counterseal.pki.path.candidate import Candidate


@dataclass(slots=True)
class Chain:
    """The certificates found, end entity first; from ``untrusted`` on they come from the store."""

    members: list[Candidate]
    untrusted: int = 1
    trusted: bool = False
    limit: int = 0
    """How many certificates there may be; one more may have been found."""

    @property
    def top(self) -> Candidate:
        """The last certificate."""
        return self.members[-1]


def build_chain(
    end_entity: Candidate, sent: Sequence[Candidate], store: Sequence[Candidate], *, depth: int, at: datetime
) -> Chain:
    """Return the chain; an issuer from the store is preferred to one that was sent, also where it leads nowhere."""
    chain = Chain([end_entity], limit=depth + 1)
    left = [one for one in sent if one is not end_entity]
    while True:
        issuer = None if len(chain.members) > chain.limit else _best(chain.top, store, at)
        if issuer is not None and _take_trusted(chain, issuer):
            left = []  # after the first certificate of the store, what was sent is not looked at
            chain.trusted = is_self_signed(chain.top)
            if chain.trusted:
                return chain
        elif not _take_sent(chain, left, at):
            return chain


def build_errors(chain: Chain) -> Iterator[tuple[Error, int]]:
    """Yield what the end of building reports, with the depth: nothing where the chain ends in a trusted root."""
    if chain.trusted:
        return
    count = len(chain.members)
    if count > chain.limit:
        yield Error.CERT_CHAIN_TOO_LONG, count - 1
    if is_self_signed(chain.top):
        alone = Error.DEPTH_ZERO_SELF_SIGNED_CERT if count == 1 else Error.SELF_SIGNED_CERT_IN_CHAIN
        yield alone, count - 1
    else:
        partly = Error.UNABLE_TO_GET_ISSUER_CERT if chain.untrusted < count else Error.UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        yield partly, count - 1


def _take_trusted(chain: Chain, issuer: Candidate) -> bool:
    """Add an issuer from the store; a self-signed certificate is replaced by its equal there, and by nothing else."""
    if is_self_signed(chain.top):
        if chain.top.certificate != issuer.certificate:
            return False
        chain.members[-1] = issuer
        chain.untrusted = min(chain.untrusted, len(chain.members) - 1)
        return True
    chain.members.append(issuer)
    return True


def _take_sent(chain: Chain, left: list[Candidate], at: datetime) -> bool:
    if is_self_signed(chain.top) or len(chain.members) > chain.limit:
        return False
    issuer = _best(chain.top, left, at)
    if issuer is None:
        return False
    left.remove(issuer)
    chain.members.append(issuer)
    chain.untrusted += 1
    return True


def _best(subject: Candidate, candidates: Sequence[Candidate], at: datetime) -> Candidate | None:
    """Return the first issuer that is valid now, else the one that is valid longest (X509_STORE_CTX_get1_issuer)."""
    likely = [one for one in candidates if likely_issued(subject, one)]
    current = next((one for one in likely if is_current(one, at)), None)
    return current or max(likely, key=lambda one: one.certificate.not_valid_after_utc, default=None)
