"""What the store says of its CAs, as metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from authority_fixtures import NOW, small_ca
from counterseal.authority.publish import publish
from counterseal.authority.readiness import read_cas
from counterseal.authority.revoke_ca import revoke_ca
from counterseal.pki.crl import RevocationReason
from counterseal.protocols.metrics import Stored

if TYPE_CHECKING:
    from pathlib import Path

LISTS = (
    "counterseal_crl_number",
    "counterseal_crl_age_seconds",
    "counterseal_crl_seconds_left",
    "counterseal_crl_entries",
)


@pytest.mark.parametrize(("years", "listed"), [(0, {"root", "servers"}), (6, {"root"})], ids=["revoked", "ended"])
def test_no_list_is_told_of_a_ca_that_admits_nobody(tmp_path: Path, years: int, listed: set[str]) -> None:
    """Once its key is destroyed the list ends, and an alert about that could not be mended by anybody."""
    with small_ca(tmp_path) as authority:
        revoke_ca(authority, "clients", RevocationReason.KEY_COMPROMISE)
        publish(authority)
        stored = Stored(NOW + timedelta(days=366 * years), read_cas(authority), (), (), None)
    samples = [sample for metric in stored.collect() for sample in metric.samples]
    for name in LISTS:
        assert {one.labels["ca"] for one in samples if one.name == name} == listed
    states = {one.labels["ca"]: one.labels["state"] for one in samples if one.name == "counterseal_ca_seconds_left"}
    assert states == {"root": "active", "servers": "active", "clients": "revoked"}
