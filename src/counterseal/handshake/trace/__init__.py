"""A real handshake made or accepted, every message of it kept as it went by.

At the edge: sockets, clocks and OpenSSL live here. What a message says is for ``wire``, what it means for ``explain``.
"""

from __future__ import annotations
