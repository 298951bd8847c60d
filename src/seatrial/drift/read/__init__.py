"""Reading what the drift scripts print: one module a part of a host, values out. Everything that is read is hostile text."""
