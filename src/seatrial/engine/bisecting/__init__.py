"""Searches for the first bad kernel: the loop that boots and asks, and the grounds on which it does."""
