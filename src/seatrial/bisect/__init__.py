"""Which kernel was the first bad one: what to boot next, when it is enough, and what came of it. Pure."""
