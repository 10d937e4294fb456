"""A handshake as a picture: one self-contained SVG or HTML file that one pastes into a ticket.

Pure: an Explanation becomes text. No script, no font and nothing else is fetched, every value from outside is escaped,
and no secret is at hand. Colours follow the reader's light or dark setting.
"""

from __future__ import annotations
