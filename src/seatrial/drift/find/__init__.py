"""The questions of an audit: one function each, from the facts of a host to its findings."""
