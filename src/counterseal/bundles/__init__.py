"""Pure: one certificate as the files that people and programs load. No file, socket, clock or randomness is touched."""
