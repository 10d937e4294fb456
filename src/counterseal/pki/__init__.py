"""Pure X.509: what a certificate says and whether it may. No file, socket, clock or randomness is touched here."""
