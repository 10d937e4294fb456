"""The catalogue lists every rule with a description and the codes of its findings."""

from __future__ import annotations

from counterseal.pki.lint.catalogue import catalogue


def test_every_rule_is_described_with_its_codes() -> None:
    """Names are unique; a description is a sentence; a rule without a code could never be looked up."""
    rules = catalogue()
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(rule.holds.endswith(".") and rule.codes for rule in rules)
    assert {rule.judges for rule in rules} == {"certificate", "signed certificate", "crl", "csr"}


def test_no_code_means_two_things() -> None:
    """Two rules about one kind of thing do not share a code, those about keys aside."""
    for judges in ("certificate", "crl", "csr"):
        codes = [code for rule in catalogue() if judges in rule.judges for code in rule.codes]
        assert sorted(set(codes)) == sorted(codes)
