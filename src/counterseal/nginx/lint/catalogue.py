"""Every rule there is, in one tuple; each package of rules lists its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint import file, identity, ignored, mtls, stream, tls, upstream

if TYPE_CHECKING:
    from counterseal.nginx.lint.rule import Rule

RULES: tuple[Rule, ...] = (
    *mtls.RULES,
    *identity.RULES,
    *tls.RULES,
    *upstream.RULES,
    *stream.RULES,
    *file.RULES,
    *ignored.RULES,
)
