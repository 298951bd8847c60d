"""The engine: the hand that moves. It looks, asks `decide`, writes the intent, performs, and writes what came of it."""
