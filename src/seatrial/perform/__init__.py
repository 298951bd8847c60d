"""What changes the world: one function an act, each of which may be repeated, and the looking around before it."""
