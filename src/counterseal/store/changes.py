"""The numbers of the changes to a CA's revocations, by which a new list is made from the one before.

The row of the CA is written with every change, so that two changes never overlap: whoever reads a number finds all
changes up to it.
"""

from __future__ import annotations

from counterseal.store.session import Session


class Changes(Session):
    """Numbered changes; the CA is one that certificates name, so it is there."""

    def revocation_changes(self, issuer: str) -> tuple[int, int]:
        """Return the number of the last change, and of the last that took an entry away or replaced one."""
        row = self.rows("select changes, removals from ca where name = ?", (issuer,))[0]
        return int(row[0]), int(row[1])

    def next_change(self, issuer: str, *, removes: bool = False) -> int:
        """Take the number of a change that the transaction around this makes."""
        removal = ", removals = changes + 1" if removes else ""
        statement = f"update ca set changes = changes + 1{removal} where name = ? returning changes"  # noqa: S608 - constants only
        return int(self.rows(statement, (issuer,))[0][0])
