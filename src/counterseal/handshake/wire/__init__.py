"""TLS messages read from their bytes, as values: pure, strict and bounded (RFC 8446, RFC 5246).

Knows nothing of connections, certificates' contents or nginx. Whatever the peer sent ends in a value: a message that is
cut short, too long or of an unknown kind is ``Undecoded`` or ``Unknown``, never an exception.
"""

from __future__ import annotations
