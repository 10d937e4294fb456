"""What ACME keeps (RFC 8555): accounts, orders, authorizations, used nonces, and how often something was done.

Functions on an open store, imported by whoever speaks ACME. Like the rest of this room it knows rows and no protocol:
which change of state is possible is decided above, and a change here names the state that it starts from.
"""
