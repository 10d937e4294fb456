"""Every rule of the linter is a danger that a deploy meets: by a row of the proof, by the linter, or it says why not.

The page about the proof has the same table.
"""

from __future__ import annotations

import re
from itertools import chain

from architecture.source_tree import ROOT
from broken_sites import BROKEN_SITES
from counterseal.nginx.lint.catalogue import RULES
from unseen_dangers import UNSEEN

CODES = {rule.code for rule in RULES}
PAGE = (ROOT / "docs" / "proof.md").read_text()
AT_BACKENDS = {
    "backend-good": {"up-name-mismatch", "up-sni-off", "up-verify-depth-default"},
    "backend-sees-certificate": {"up-client-cert-without-chain"},
}
"""As ``tests/integration/test_backends.py`` breaks them."""
BY_NGINX = {"tls-key-mismatch", "file-malformed", "file-missing"}
TOLD = {
    "mtls-cache-read-by-open-server",
    "mtls-crl-large",
    "mtls-many-client-cas",
    "mtls-same-backend-via-open-server",
    "mtls-same-ca-for-server-and-client",
    "mtls-shared-origin-pull-ca",
    "mtls-streams-survive-revocation",
    "mtls-verify-errors-invisible",
    "tls-must-staple-off",
    "file-unreadable",
    "ignore-unknown-code",
    "ignore-unused",
    "ignore-without-reason",
}


def seen_by() -> dict[str, set[str]]:
    """Return the rules by what sees what they warn of: a kind of row, the linter, nginx itself, or nobody who stops."""
    found: dict[str, set[str]] = {"linter": {danger.code for danger in UNSEEN}, "nginx -t": BY_NGINX, "told": TOLD}
    for broken in BROKEN_SITES:
        if (code := broken.name.partition(", ")[0]) in CODES:
            found.setdefault(broken.row.value, set()).add(code)
    for row, codes in AT_BACKENDS.items():
        found.setdefault(row, set()).update(codes)
    return found


def test_no_danger_is_seen_by_nothing() -> None:
    """Nor is one in two minds: what is only told stops nothing, and nothing else that is here may."""
    found = seen_by()
    assert set(chain(*found.values())) == CODES
    assert not TOLD & set(chain(*(codes for by, codes in found.items() if by != "told")))


def test_the_page_says_what_sees_which() -> None:
    """In the table at its end."""
    table = PAGE.partition("## What sees which danger")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `?([a-z-]+(?: -t)?)\b[^|]* \| (`.*) \|$", table, re.MULTILINE)
    assert {by: set(re.findall(r"`([a-z-]+)`", codes)) for by, codes in rows} == seen_by()
