"""Samples in, Verdicts out: is the candidate worse than the good kernel under the same load, looked at any time."""
