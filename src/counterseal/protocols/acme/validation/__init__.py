"""Whether a client controls a name: the three challenges (RFC 8555 8.3, 8.4, RFC 8737), and CAA (RFC 8659).

Everything here talks to addresses that a stranger has chosen, so each is asked of ``reach`` first, is used exactly as
it was checked, and gets a bounded time and a bounded number of octets. What it answers is never shown to anybody.
"""
