"""What certificates are ordered for: DNS names, wildcards and IP addresses (RFC 8555 7.1.3, RFC 8738)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki.names import check_name, dns_name, ip_address
from counterseal.pki.subject import common_name
from counterseal.protocols.acme.problems import Problem, Subproblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.pki.csr import CSR
    from counterseal.protocols.acme.payloads import RawIdentifier

Kind = Literal["dns", "ip"]
WILDCARD = "*."


class Identifier(NamedTuple):
    """A DNS name, which may be a wildcard, or an IP address, in its one form."""

    kind: Kind
    value: str

    @property
    def wildcard(self) -> bool:
        """Whether it stands for every name one label below."""
        return self.value.startswith(WILDCARD)

    @property
    def base(self) -> str:
        """The value without ``*.``: what is validated (RFC 8555 7.1.4)."""
        return self.value.removeprefix(WILDCARD)

    def document(self) -> dict[str, str]:
        """Return it as JSON has it."""
        return {"type": self.kind, "value": self.value}

    def general_name(self) -> x509.GeneralName:
        """Return it as a certificate has it."""
        return dns_name(self.value) if self.kind == "dns" else ip_address(self.value)

    @classmethod
    def of(cls, name: x509.GeneralName) -> Identifier:
        """Return the identifier of a name in a CSR; raises InputError for names of other kinds."""
        checked = check_name(name)
        if isinstance(checked, x509.DNSName):
            return cls("dns", checked.value)
        if isinstance(checked, x509.IPAddress):
            return cls("ip", str(checked.value))
        raise InputError("csr.name_kind", f"a name that is neither DNS nor IP: {checked.value}")


def read_identifiers(raw: Sequence[RawIdentifier]) -> tuple[Identifier, ...]:
    """Return the identifiers, each once; raises Problem with a subproblem for each that cannot be."""
    found: dict[Identifier, None] = {}
    faults: list[Subproblem] = []
    for one in raw:
        try:
            found[_read(one)] = None
        except Problem as problem:
            faults.append(Subproblem(problem.kind, problem.detail, {"type": one.type, "value": one.value}))
    if faults:
        raise combined(faults)
    return tuple(found)


def combined(faults: Sequence[Subproblem]) -> Problem:
    """Return one problem for several; its type is theirs when they agree."""
    kinds = {fault.kind for fault in faults}
    kind = kinds.pop() if len(kinds) == 1 else "compound"
    detail = faults[0].detail if len(faults) == 1 else f"{len(faults)} identifiers cannot be certified"
    return Problem(kind, detail, subproblems=tuple(faults))


def requested_by(csr: CSR) -> frozenset[Identifier]:
    """Return all identifiers that a CSR asks for: its names, and its CN (RFC 8555 7.4). Raises Problem ``badCSR``."""
    try:
        found = {Identifier.of(name) for name in csr.names}
    except InputError as error:
        raise Problem("badCSR", error.message) from None
    common = common_identifier(csr.subject)
    return frozenset(found | {common} if common else found)


def common_identifier(subject: x509.Name) -> Identifier | None:
    """Return the identifier that a CN spells, in its one form, None without a CN; raises Problem ``badCSR``."""
    common = common_name(subject)
    if not common:
        return None
    for kind in ("ip", "dns"):
        try:
            return _read_value(kind, common)
        except InputError:
            continue
    raise Problem("badCSR", f"the common name is neither a DNS name nor an IP address: {common!r:.80}")


def _read(raw: RawIdentifier) -> Identifier:
    if raw.type not in {"dns", "ip"}:
        raise Problem("unsupportedIdentifier", f"not a type of identifier here: {raw.type!r:.40}")
    if not raw.value.isascii():
        raise Problem("malformed", "an international name is written as A-labels (RFC 8555 7.1.4)")
    try:
        return _read_value("dns" if raw.type == "dns" else "ip", raw.value)
    except InputError as error:
        raise Problem("rejectedIdentifier", error.message) from None


def _read_value(kind: str, text: str) -> Identifier:
    if kind == "ip":
        return Identifier("ip", str(ip_address(text).value))
    return Identifier("dns", dns_name(text).value)
