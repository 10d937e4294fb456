"""Where private keys live. Above this room a CA key is a Signer and nothing more."""
