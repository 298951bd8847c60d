"""The twelve nouns as frozen values. No clock, no I/O, nothing that decides."""
