"""Score path validation on the 9,780 cases of x509-limbo, beside the cryptography library's own verifier in one run.

usage: python scripts/limbo.py [FILE]     FILE is limbo.json or limbo.json.xz; default: the one in tests/limbo

Nothing is set aside for us: every case is asked. The library cannot be asked about CRLs, key usages and a server
without a name; those count as skipped. Exit code 1 when a difference is not among those that docs/limbo.md explains.
"""

from __future__ import annotations

import json
import lzma
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509

from counterseal.pki.path.explain import explain
from counterseal.pki.path.opinion import Opinion, second_opinion
from counterseal.pki.path.revocation_list import RevocationList
from counterseal.pki.profile import Purpose
from counterseal.pki.reading import crls_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "tests" / "limbo" / "limbo.json.xz"
PAGE = ROOT / "docs" / "limbo.md"
PEDANTIC = frozenset({
    "name-constraint-dn", "pedantic-public-suffix-wildcard", "pedantic-rfc5280", "pedantic-webpki-eku",
    "rfc5280-incompatible-with-webpki",
})  # fmt: skip
"""LIMBO_UNSUPPORTED_FEATURES in tests/x509/verification/test_limbo.py of pyca/cryptography."""
AT = datetime(2026, 6, 1, tzinfo=UTC)
"""For the cases that name no moment."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One case: what is expected, and what both answered; the library's is None where it was not asked."""

    name: str
    contradicted: bool
    """Whether another case expects the opposite, so that one of the two must differ."""
    pedantic: bool
    """Whether it asks for what the cryptography library's own run of the collection leaves out."""
    expected: bool
    ours: bool
    library: bool | None
    reasons: tuple[str, ...]


def read_cases(path: Path = DEFAULT) -> list[dict[str, Any]]:
    """Return the cases of a file."""
    content = path.read_bytes()
    document: dict[str, Any] = json.loads(lzma.decompress(content) if path.suffix == ".xz" else content)
    cases: list[dict[str, Any]] = document["testcases"]
    return cases


def score(cases: Iterable[dict[str, Any]], *, ask_library: bool = False) -> Iterator[Scored]:
    """Answer every case; a certificate that cannot be loaded is one that is refused."""
    with warnings.catch_warnings(action="ignore"):  # the cases are full of what the library warns about
        for case in cases:
            yield _score(case, ask_library=ask_library)


def _score(case: dict[str, Any], *, ask_library: bool) -> Scored:
    expected = case["expected_result"] == "SUCCESS"
    try:
        end_entity, *others = map(_certificate, [case["peer_certificate"], *case["untrusted_intermediates"]])
        anchors = [_certificate(pem) for pem in case["trusted_certs"]]
    except ValueError as error:
        return Scored(
            case["id"],
            bool(case["conflicts_with"]),
            not PEDANTIC.isdisjoint(case["features"]),
            expected,
            ours=False,
            library=False if ask_library else None,
            reasons=(str(error),),
        )
    names = [case["expected_peer_name"]] if case["expected_peer_name"] else case["expected_peer_names"]
    told = explain(
        end_entity,
        others,
        anchors,
        purpose=Purpose(case["validation_kind"].lower()),
        at=datetime.fromisoformat(case["validation_time"]) if case["validation_time"] else AT,
        names=[_name(**name) for name in names],
        crls=[RevocationList(der) for pem in case["crls"] for der in crls_in(pem.encode(), source=case["id"])] or None,
        depth=case["max_chain_depth"],
    )
    askable = (
        ask_library
        and not case["crls"]
        and not case["key_usage"]
        and bool(names or told.question.purpose is Purpose.CLIENT)
    )
    opinion = second_opinion(told, others, anchors) if askable else Opinion(None, None, disagrees=False)
    # a name that the library cannot even take is a refusal
    accepts = opinion.accepts if opinion.accepts is not None or not askable else False
    reasons = tuple(f"{check.kind.code} {check.position}: {check.message}" for check in told.best.failures)
    pedantic = not PEDANTIC.isdisjoint(case["features"])
    return Scored(case["id"], bool(case["conflicts_with"]), pedantic, expected, told.valid, accepts, reasons)


def _name(kind: str, value: str) -> x509.GeneralName:
    if kind == "IP":
        return x509.IPAddress(ip_address(value))
    return x509.DNSName(value) if kind == "DNS" else x509.RFC822Name(value)


def _certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def explained() -> set[str]:
    """Return the cases whose difference the page explains."""
    lines = PAGE.read_text().splitlines()
    return {line.split("`")[1] for line in lines if line.startswith("| `") and "::" in line}


def without_contradictions(one: Scored) -> tuple[bool, bool | None]:
    """Return what is expected and answered; None where the case that expects the opposite was answered as expected."""
    return one.expected, None if one.contradicted and one.ours != one.expected else one.ours


def without_pedantic(one: Scored) -> tuple[bool, bool | None]:
    """Return what is expected and answered; None for what the library's own run leaves out."""
    return one.expected, None if one.pedantic else one.ours


def row(who: str, scored: Iterable[tuple[bool, bool | None]]) -> str:
    """Return a line of the table from pairs of what is expected and what was answered."""
    counts = Counter(
        "skipped"
        if answer is None
        else "as expected"
        if answer == expected
        else "false accept"
        if answer
        else "false reject"
        for expected, answer in scored
    )
    kinds = ("as expected", "false accept", "false reject", "skipped")
    return f"| {who} | {' | '.join(str(counts[kind]) for kind in kinds)} |"


def main() -> int:
    """Print the table and every difference."""
    path = Path(sys.argv[1]) if sys.argv[1:] else DEFAULT
    scored = list(score(read_cases(path), ask_library=True))
    print("| validator | as expected | false accept | false reject | skipped |\n|---|---|---|---|---|")
    print(row("counterseal", ((one.expected, one.ours) for one in scored)))
    print(row("counterseal, contradictions set aside", map(without_contradictions, scored)))
    print(row("counterseal, without what the library's own run leaves out", map(without_pedantic, scored)))
    print(row("cryptography's verifier", ((one.expected, one.library) for one in scored)))
    known = explained()
    different = [one for one in scored if one.ours != one.expected]
    for one in different:
        kind = "false accept" if one.ours else "false reject"
        note = "" if one.name in known else "  NOT EXPLAINED in docs/limbo.md"
        alone = "  the library refuses" if one.ours and one.library is False else ""
        print(f"{kind}: {one.name}{alone}{note} {'; '.join(one.reasons)}")
    return int(any(one.name not in known for one in different))


if __name__ == "__main__":
    sys.exit(main())
