"""What the journal tells people: lines as they happen, and a report afterwards. Pure."""
