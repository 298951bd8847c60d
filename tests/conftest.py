"""What all tests share: a slow machine makes those of hypothesis slow, never red."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", parent=settings(), deadline=None)
settings.load_profile("patient")
