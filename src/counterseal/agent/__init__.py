"""What runs on a machine that has no CA: it asks one over EST for a certificate, and keeps that renewed.

Here is decided whom such a machine trusts, what it sends, and how its files change. It knows no store, no CA key and no
policy: those are the service's. RFC 7030, the client's side.
"""
