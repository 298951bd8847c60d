"""Seatrial: a kernel is on trial until the traffic that depends on it has been carried by it and measured."""

__version__ = "0.1.0"
