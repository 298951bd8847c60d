"""The journal: every Event, appended and never changed, and the leases that keep two controllers apart."""
