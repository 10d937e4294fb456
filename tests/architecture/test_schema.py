"""Two branches that both take the next number would make a store that nobody can open."""

from __future__ import annotations

from counterseal.store.migrations import migrations


def test_every_step_of_the_schema_has_a_number_of_its_own() -> None:
    """Numbered from one, without a gap."""
    numbers = [step.version for step in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
