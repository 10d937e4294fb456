"""Where a chain to be verified comes from: the content of a file of any form, or the server that sends it.

The end entity is put first, which is how a chain is sent (RFC 8446 4.4.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.bundles.pkcs12_reader import open_pkcs12
from counterseal.errors import InputError, NotFoundError
from counterseal.pki.extensions import extension_in, read_extensions
from counterseal.pki.reading import certificates_in, load_certificate
from counterseal.pki.recognise import Piece, recognise
from counterseal.pki.shape import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from counterseal.handshake.examine import Watched
    from counterseal.handshake.trace.dial import Dial


@dataclass(frozen=True, slots=True)
class FoundChain:
    """The certificates in the order in which they were found; ``moved``: but for the end entity, which stood later."""

    certificates: tuple[x509.Certificate, ...]
    moved: bool = False


def chain_in(content: bytes, *, source: str, password: Callable[[], bytes | None]) -> FoundChain:
    """Return the chain in a file of any form; raises InputError ``certificate.none``, KeyAccessError."""
    pieces = recognise(content)
    if any(piece.kind is Kind.PKCS12 for piece in pieces):
        return _end_entity_first(_in_pkcs12(pieces, password))
    return _end_entity_first(certificates_in(content, source=source))


def chain_of_server(what: Dial) -> FoundChain:
    """Return the chain that a server sends, in its order; raises NotFoundError ``server.no_chain``."""
    from counterseal.handshake.examine import watch  # noqa: PLC0415 - a file needs no connection

    watched = watch(what)
    if not watched.story.server_chain:
        raise _no_chain(what, watched)
    return FoundChain(tuple(_load(content, str(what.endpoint)) for content in watched.story.server_chain))


def _no_chain(what: Dial, watched: Watched) -> NotFoundError:
    """Say what ``handshake`` would say of a connection in which no certificate came."""
    from counterseal.handshake.explain.diagnosis import diagnose  # noqa: PLC0415 - only where it failed
    from counterseal.handshake.explain.situation import Situation  # noqa: PLC0415 - same
    from counterseal.handshake.trace.dial import Ending  # noqa: PLC0415 - same

    found = diagnose(Situation(watched.trace, watched.story, watched.seen))
    happened, fix = (found.happened, found.fix) if found else ("the handshake showed none", "ask another port")
    if watched.trace.ending is Ending.UNRESOLVED:
        fix = f"check the name; there is no file {what.endpoint.host} either"
    return NotFoundError(
        "server.no_chain",
        f"no certificate came from {what.endpoint}: {happened}",
        hint=f"{fix}; message by message: counterseal handshake {what.endpoint}",
    )


def _in_pkcs12(pieces: Sequence[Piece], password: Callable[[], bytes | None]) -> tuple[x509.Certificate, ...]:
    content = next(piece.content for piece in pieces if piece.kind is Kind.PKCS12)
    given = password()
    found = open_pkcs12(content, None if given is None else given.decode("utf-8", "surrogateescape")).certificates
    if not found:
        raise InputError("certificate.none", "no certificate in the PKCS#12 file")
    return tuple(one.certificate for one in found)


def _end_entity_first(certificates: tuple[x509.Certificate, ...]) -> FoundChain:
    """Move the end entity to the front where a CA stands there and one that is none comes later."""
    if not _is_ca(certificates[0]):
        return FoundChain(certificates)
    end_entity = next((one for one in certificates if not _is_ca(one)), certificates[0])
    rest = tuple(one for one in certificates if one is not end_entity)
    return FoundChain((end_entity, *rest), moved=end_entity is not certificates[0])


def _is_ca(certificate: x509.Certificate) -> bool:
    constraints = extension_in(read_extensions(certificate)[0], x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _load(content: bytes, source: str) -> x509.Certificate:
    return load_certificate(next(iter(recognise(content))), source=source)
