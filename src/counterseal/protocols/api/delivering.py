"""From what was asked for to what is handed over: issued once, remembered with its key, packed."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from counterseal.authority.credential import credential_of, issued_before
from counterseal.authority.issue import prepare, rehearse
from counterseal.authority.record_json import certificate_to_json
from counterseal.bundles.export import ExportFormat, export
from counterseal.bundles.password import check_password, generate_password
from counterseal.bundles.pkcs12 import FAST_ROUNDS, Strength
from counterseal.keystore.pkcs8 import open_key
from counterseal.pki.pem import encode_private_key
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import organizational_units, show_subject
from counterseal.protocols.api.escalation import refuse_escalation
from counterseal.protocols.api.once import Attempt
from counterseal.protocols.api.operation import Reply
from counterseal.protocols.api.wishes import Kept, Remark
from counterseal.service.issuing import issue

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from counterseal.authority.parts import Authority
    from counterseal.authority.signing import Issued, Prepared
    from counterseal.bundles.credential import Credential
    from counterseal.pki.policy import Asked
    from counterseal.protocols.api.operation import Call
    from counterseal.protocols.api.wishes import Packing
    from counterseal.store.records import CertificateRecord

    Decide = Callable[[Authority], Asked]


async def answered(call: Call) -> Kept | None:
    """Return what a repetition of this request was answered before; None where it is new or has no key."""
    attempt = Attempt.of(call)
    return None if attempt is None else await attempt.answered(call.parts.service)


async def issue_once(
    call: Call,
    decide: Decide,
    *,
    name: str,
    issuer: str | None,
    key: PrivateKeyTypes | None = None,
    password: str | None = None,
    together: Callable[[Authority], object] | None = None,
) -> tuple[Kept, Issued | None]:
    """Issue, or return what another request with the same key has issued meanwhile; stored durably either way.

    ``together`` is done with the recording, or not at all.
    """
    access, attempt = call.parts.service.access, Attempt.of(call)

    def begin(authority: Authority) -> Prepared:
        prepared = prepare(authority, decide(authority), name=name, issuer=issuer)
        _refuse_more(call, prepared.preview)
        if attempt is not None:
            attempt.begin(authority)
        return prepared

    def last(authority: Authority, issued: Issued) -> None:
        if together is not None:
            together(authority)
        if attempt is not None:
            attempt.complete(authority, _kept(issued, key, password))

    try:
        writes = attempt is not None or together is not None
        issued = await issue(access, begin, acting=call.acting, last=last, joins=together is None, undone=writes)
    except Exception as error:
        if attempt is None:
            raise
        if getattr(error, "code", None) == "idempotency.under_way":
            found = await attempt.answered(call.parts.service)
            if found is not None:
                return found, None
        await access.write(attempt.give_up)
        raise
    return _kept(issued, key, password), issued


async def rehearse_only(call: Call, decide: Decide, *, name: str, issuer: str | None) -> Reply:
    """Answer what would be issued; raises what policy and lint do."""

    def work(authority: Authority) -> Issued:
        acting = call.acting(authority)
        return rehearse(acting, decide(acting), name=name, issuer=issuer)

    issued = await call.parts.service.access.read(work)
    _refuse_more(call, issued.certificate)
    content = {"certificate": certificate_to_json(issued.record), "remarks": _remarks(issued)}
    return Reply(content, status=200)


async def rehearse_bundle(
    call: Call,
    decide: Decide,
    packing: Packing,
    *,
    name: str,
    issuer: str | None,
    key: PrivateKeyTypes,
    password: str | None,
) -> None:
    """Pack what would be issued, so that nothing is issued that cannot be handed over; raises what policy and pack do.

    With the fewest rounds, because what is packed here is thrown away.
    """
    access = call.parts.service.access
    issued = await access.read(lambda authority: rehearse(authority, decide(authority), name=name, issuer=issuer))
    credential = credential_of(issued, key)
    await access.sign(lambda: pack(credential, packing, password, rounds=FAST_ROUNDS))


async def deliver_chain(call: Call, kept: Kept, issued: Issued | None) -> Reply:
    """Answer with the certificate and its chain; what was ``issued`` is looked up where it is not at hand."""
    issued = issued or await _issued(call, kept)
    content = {
        "certificate": certificate_to_json(issued.record),
        "chain": issued.chain_pem.decode(),
        "remarks": kept.remarks,
    }
    return Reply(content, headers=_location(issued.record))


async def deliver_bundle(call: Call, kept: Kept, issued: Issued | None, packing: Packing) -> Reply:
    """Answer with the files for the holder, packed in a thread: a password costs time on purpose."""
    issued = issued or await _issued(call, kept)
    key = None if kept.private_key is None else open_key(kept.private_key, None, source="the new key")
    credential = credential_of(issued, key)
    files = await call.parts.service.access.sign(lambda: pack(credential, packing, kept.password))
    content = {
        "certificate": certificate_to_json(issued.record),
        "files": files,
        "password": kept.password,
        "remarks": kept.remarks,
    }
    return Reply(content, headers=_location(issued.record))


def pack(
    credential: Credential, packing: Packing, password: str | None, *, rounds: int | None = None
) -> list[dict[str, str]]:
    """Return the files of a format, their contents in base64."""
    strength = Strength.COMPATIBLE if packing.compatible else None
    files = export(
        credential, ExportFormat(packing.format), password=password, strength=strength, rounds=rounds or packing.rounds
    )
    return [{"name": str(file.path), "content": b64encode(file.content).decode()} for file in files]


def choose_password(call: Call, packing: Packing) -> str | None:
    """Return the password asked for, checked, or a new one where the format needs one."""
    if packing.password is not None:
        return check_password(packing.password)
    needed = ExportFormat(packing.format).needs_password
    return generate_password(call.parts.service.random_bytes) if needed else None


def _kept(issued: Issued, key: PrivateKeyTypes | None, password: str | None) -> Kept:
    encoded = None if key is None else encode_private_key(key)
    return Kept(issued.record.issuer, show_serial(issued.record.serial_number), encoded, password, _remarks(issued))


def _remarks(issued: Issued) -> list[Remark]:
    return [Remark(one.code, one.message, one.hint) for one in issued.remarks]


def _refuse_more(call: Call, certificate: x509.Certificate) -> None:
    """Raise RefusedError where the certificate would be granted more than the caller has."""
    groups = organizational_units(certificate.subject)
    group = groups[0] if groups else None
    refuse_escalation(call, show_subject(certificate.subject), group, certificate.serial_number)


async def _issued(call: Call, kept: Kept) -> Issued:
    """Return what an earlier request was answered, from the inventory."""

    def read(authority: Authority) -> Issued:
        record = authority.store.certificate(int(kept.serial_number, 16), issuer=kept.issuer)
        return issued_before(authority, record)

    return await call.parts.service.access.read(read)


def _location(record: CertificateRecord) -> dict[str, str]:
    return {"Location": f"/v1/certificates/{show_serial(record.serial_number)}"}
