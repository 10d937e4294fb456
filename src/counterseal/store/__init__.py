"""What was issued: certificates, revocations, CRLs and the log of every use of a CA key, in one database.

This room decides what is durable when, and answers questions by index. It must not know X.509: it is handed DER, names
and times, and never parses or signs. ``open_store`` in ``counterseal.store.sqlite`` is the way in; ``docs/store.md``
explains the schema.
"""
