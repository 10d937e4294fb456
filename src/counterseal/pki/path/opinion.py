"""The second opinion: what the cryptography library's own verifier decides about the same question.

It follows the profile of the web PKI and stops at the first failure; revocation and certificate policies it does not
look at, nor at the names of clients. A verdict that differs is a disagreement to be shown, never hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.pki.extensions import UNREADABLE, why_unreadable
from counterseal.pki.path import catalogue
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509.verification import PolicyBuilder

    from counterseal.pki.path.explain import Explanation

_NOT_LOOKED_AT = frozenset({
    catalogue.CRL, catalogue.OCSP, catalogue.REVOCATION, catalogue.POLICIES, catalogue.SEARCH,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opinion:
    """``accepts`` is None where the question cannot be put; ``reason`` is the library's, or why it cannot.

    ``disagrees``: the verdict is another one than ours, about the checks that both make.
    """

    accepts: bool | None
    reason: str | None
    disagrees: bool


def second_opinion(
    explanation: Explanation, intermediates: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> Opinion:
    """Return what the library decides for the end entity of an explanation, of the same certificates at hand."""
    from cryptography.x509.verification import VerificationError  # noqa: PLC0415 - only where it is asked

    end_entity = explanation.best.certificates[0]
    try:
        reason = _verify(end_entity, intermediates, anchors, explanation)
    except VerificationError as error:
        reason = str(error)
    except UNREADABLE as error:
        return Opinion(None, f"it cannot be asked: {why_unreadable(error)}", disagrees=False)
    return Opinion(reason is None, reason, disagrees=(reason is None) != _ours(explanation))


def _ours(explanation: Explanation) -> bool:
    """Our own verdict, without what the library does not look at."""
    ignored = _NOT_LOOKED_AT | ({catalogue.NAME} if explanation.question.purpose is Purpose.CLIENT else set())
    return any(all(check.kind in ignored for check in path.failures) for path in explanation.paths)


def _verify(
    end_entity: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    explanation: Explanation,
) -> str | None:
    """Ask; returns None when it accepts, raises VerificationError when not and ValueError when it cannot be asked."""
    from cryptography.x509 import verification  # noqa: PLC0415 - only where it is asked

    question = explanation.question
    builder = verification.PolicyBuilder().store(verification.Store(list(anchors))).time(question.at)
    if question.depth is not None:
        builder = builder.max_chain_depth(question.depth)
    if question.purpose is Purpose.CLIENT:
        like_openssl(builder).build_client_verifier().verify(end_entity, list(intermediates))
        return None
    names = question.names or tuple(_own_names(end_entity))
    if not names:
        return "the certificate has no name by which it could be asked for"
    for name in names:
        builder.build_server_verifier(name).verify(end_entity, list(intermediates))  # type: ignore[arg-type] # other kinds are a TypeError
    return None


def like_openssl(builder: PolicyBuilder) -> PolicyBuilder:
    """Let clients pass without names and key identifiers, which OpenSSL and so nginx do not ask for."""
    from cryptography.x509.verification import Criticality, ExtensionPolicy  # noqa: PLC0415 - only where it is asked

    policy = ExtensionPolicy.webpki_defaults_ee()
    for kind in (x509.SubjectAlternativeName, x509.AuthorityKeyIdentifier):
        policy = policy.may_be_present(kind, Criticality.AGNOSTIC, None)
    return builder.extension_policies(ee_policy=policy, ca_policy=ExtensionPolicy.webpki_defaults_ca())


def _own_names(end_entity: x509.Certificate) -> list[x509.GeneralName]:
    """Return one name of the certificate itself, for a question without any: then no name can be wrong."""
    try:
        names = end_entity.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return []
    addresses = [name for name in names if isinstance(name, x509.IPAddress)]
    hosts = [x509.DNSName(name.value.replace("*", "any", 1)) for name in names if isinstance(name, x509.DNSName)]
    return [*hosts, *addresses][:1]
