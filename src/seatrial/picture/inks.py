"""The inks of a picture, on light paper and on dark.

Colour is never the only sign: good is a broken line and candidate a whole one, outcomes are written, marks have letters.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class Ink(enum.StrEnum):
    """What is drawn with which ink."""

    PAPER = "paper"
    TEXT = "text"
    SOFT = "soft"
    GRID = "grid"
    GOOD = "good"
    CANDIDATE = "candidate"
    EFFECT = "effect"
    EVENT = "event"
    FAIL = "fail"
    PASS = "pass"
    UNKNOWN = "unknown"


class Theme(enum.StrEnum):
    """The paper: light, dark, or what the reader prefers (a PNG cannot ask, and is light then)."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


LIGHT: Mapping[Ink, str] = {
    Ink.PAPER: "#ffffff",
    Ink.TEXT: "#1c2128",
    Ink.SOFT: "#57606a",
    Ink.GRID: "#dfe3e8",
    Ink.GOOD: "#0b62b8",
    Ink.CANDIDATE: "#b8400b",
    Ink.EFFECT: "#6a3fa8",
    Ink.EVENT: "#3d4752",
    Ink.FAIL: "#b3201a",
    Ink.PASS: "#1a7033",
    Ink.UNKNOWN: "#7d5700",
}
DARK: Mapping[Ink, str] = {
    Ink.PAPER: "#14181d",
    Ink.TEXT: "#e8ebef",
    Ink.SOFT: "#a3adb8",
    Ink.GRID: "#2c333b",
    Ink.GOOD: "#6cb2f5",
    Ink.CANDIDATE: "#ff9a5c",
    Ink.EFFECT: "#c3a1f5",
    Ink.EVENT: "#c3cbd4",
    Ink.FAIL: "#ff8078",
    Ink.PASS: "#63c97f",
    Ink.UNKNOWN: "#e0b44c",
}
