"""Services that tell people: the way out to them, and nothing of what they are told."""
