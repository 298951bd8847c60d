"""The verbs. A verb is one call into a room below; what is here is words in, words out, and exit codes."""
