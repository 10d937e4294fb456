"""Certificate policies along the path, for a relying party that accepts any (RFC 5280 6.1.3 (d)-(f), RFC 9618).

Only whether some policy holds along the whole path is decided, and only a CA can demand it (requireExplicitPolicy);
so a set of policies per level stands for the tree, which RFC 9618 shows to be enough and which cannot grow large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki import der, der_reader
from counterseal.pki.path import catalogue
from counterseal.pki.path.check import failed, lapsed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.pki.path.build import Path
    from counterseal.pki.path.candidate import Candidate
    from counterseal.pki.path.check import Check
    from counterseal.pki.path.question import Question

_ANY_POLICY = "2.5.29.32.0"
_POLICY_MAPPINGS = "2.5.29.33"


@dataclass(slots=True)
class _State:
    """What RFC 5280 6.1.2 sets up: counters in certificates still to come, and the policies that hold so far."""

    explicit: int
    mapping: int
    any_policy: int
    valid: set[str]


def policies(path: Path, question: Question) -> Iterator[Check]:
    """Where a CA requires a policy, one holds along the whole path; its demand is critical (RFC 5280 4.2.1.11)."""
    for position, member in path.authorities:
        demand = member.extension(x509.PolicyConstraints)
        if demand is not None and not demand.critical:
            text = "policyConstraints must be critical"
            yield lapsed(catalogue.POLICIES, position, text, question, section="RFC 5280 4.2.1.11")
    if not any(_restricts(member) for member in path.members):
        return
    state = _walk(path)
    if state is None:
        yield failed(catalogue.POLICIES, None, "policyMappings cannot be read")
    elif state.explicit == 0 and not state.valid:
        yield failed(catalogue.POLICIES, None, "a policy is required along the path, and no policy holds on all of it")
    else:
        held = ", ".join(sorted(state.valid)).replace(_ANY_POLICY, "any policy") or "none, and none is required"
        yield passed(catalogue.POLICIES, None, f"policies that hold: {held}")


def _restricts(member: Candidate) -> bool:
    return (
        member.extension(x509.PolicyConstraints) is not None
        or member.extension(x509.InhibitAnyPolicy) is not None
        or member.unrecognized(_POLICY_MAPPINGS) is not None
    )


def _walk(path: Path) -> _State | None:
    """Process the certificates below the anchor from the top (RFC 5280 6.1.3 to 6.1.5)."""
    below = path.members[:-1] if path.anchored else path.members
    count = len(below) + 1
    state = _State(explicit=count, mapping=count, any_policy=count, valid={_ANY_POLICY})
    if path.anchored and len(path.members) > 1:
        _tighten(state, path.members[-1])
    for position in range(len(below) - 1, -1, -1):
        member = below[position]
        _intersect(state, member, may_be_any=state.any_policy > 0 or (position > 0 and member.self_issued))
        if position == 0:
            _count_down(state)
            _close(state, member)
        elif not _map(state, member):
            return None
        else:
            if not member.self_issued:
                _count_down(state)
            _tighten(state, member)
    return state


def _intersect(state: _State, member: Candidate, *, may_be_any: bool) -> None:
    """6.1.3 (d), (e): what holds above and is asserted here; anyPolicy on either side admits the other's."""
    stated = {
        information.policy_identifier.dotted_string for information in member.value(x509.CertificatePolicies) or ()
    }
    if _ANY_POLICY in stated and may_be_any:
        state.valid |= stated & state.valid  # anyPolicy keeps what holds
        return
    stated.discard(_ANY_POLICY)
    state.valid = stated if _ANY_POLICY in state.valid else stated & state.valid


def _map(state: _State, member: Candidate) -> bool:
    """6.1.4 (a), (b): rename the policies that hold as the CA maps them, or drop them where mapping is inhibited."""
    value = member.unrecognized(_POLICY_MAPPINGS)
    if value is None:
        return True
    try:
        mappings = _read_mappings(value)
    except InputError:
        return False
    if any(_ANY_POLICY in pair for pair in mappings):
        return False
    renamed = {subject for issuer, subject in mappings if issuer in state.valid or _ANY_POLICY in state.valid}
    state.valid -= {issuer for issuer, _ in mappings}
    if state.mapping > 0:
        state.valid |= renamed
    return True


def _count_down(state: _State) -> None:
    """6.1.4 (h), 6.1.5 (a)."""
    state.explicit, state.mapping = max(state.explicit - 1, 0), max(state.mapping - 1, 0)
    state.any_policy = max(state.any_policy - 1, 0)


def _tighten(state: _State, member: Candidate) -> None:
    """6.1.4 (i), (j)."""
    demand = member.value(x509.PolicyConstraints)
    if demand is not None and demand.require_explicit_policy is not None:
        state.explicit = min(state.explicit, demand.require_explicit_policy)
    if demand is not None and demand.inhibit_policy_mapping is not None:
        state.mapping = min(state.mapping, demand.inhibit_policy_mapping)
    inhibited = member.value(x509.InhibitAnyPolicy)
    if inhibited is not None:
        state.any_policy = min(state.any_policy, inhibited.skip_certs)


def _close(state: _State, member: Candidate) -> None:
    """6.1.5 (b)."""
    demand = member.value(x509.PolicyConstraints)
    if demand is not None and demand.require_explicit_policy == 0:
        state.explicit = 0


def _read_mappings(value: bytes) -> list[tuple[str, str]]:
    pairs = []
    for mapping in der_reader.read(value).expect(der.SEQUENCE).children():
        issuer, subject, *rest = mapping.expect(der.SEQUENCE).children() or der_reader.refuse(
            "no mapping", mapping.first
        )
        if rest:
            der_reader.refuse("no mapping", mapping.first)
        pairs.append((der_reader.as_object_identifier(issuer), der_reader.as_object_identifier(subject)))
    return pairs
