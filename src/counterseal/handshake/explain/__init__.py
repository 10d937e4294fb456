"""What a handshake means, in plain words with the standard's section beside each: ladder, checks, verdict, cause, fix.

Pure: everything here is computed from a Trace and from certificates that are handed in. Nothing connects, and no secret
is at hand that could be shown.
"""

from __future__ import annotations
