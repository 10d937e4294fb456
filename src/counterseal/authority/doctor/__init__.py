"""Whether all is well with a CA: each question answered by a line, and whatever is not well with what mends it."""
