"""How a host chooses its kernel, and the guard that lives on it. Pure: Commands out, facts in; running is elsewhere."""
