"""When trials may begin: windows of the week, freezes, time zones. Pure.

What is in: whether a moment is open for a stage, why not, and when it is again. What is not: which trial begins then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from seatrial.model.pace import Freeze, Pace, Window

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# How far ahead an opening is looked for.
_HORIZON = 400


def shut_because(pace: Pace, stage: str, now: datetime) -> str:
    """Why no trial of `stage` may begin at `now`, "" when one may."""
    for freeze in pace.freezes:
        if _counts(freeze, stage) and _frozen(freeze, now):
            return f"frozen until {freeze.until.replace('T', ' ')} ({freeze.zone}): {freeze.why}"
    mine = [window for window in pace.windows if _counts(window, stage)]
    if mine and not any(_is_open(window, now) for window in mine):
        told = ", ".join(_told(window) for window in mine)
        return f"outside of its windows: {told}"
    return ""


def opens_at(pace: Pace, stage: str, now: datetime) -> datetime | None:
    """The first moment from `now` on, in UTC, at which a trial may begin; None when there is none within 400 days."""
    if not shut_because(pace, stage, now):
        return now
    turning = sorted({moment for moment in _turns(pace, stage, now) if moment > now})
    return next((moment for moment in turning if not shut_because(pace, stage, moment)), None)


def _turns(pace: Pace, stage: str, now: datetime) -> Iterator[datetime]:
    """The moments at which something may open."""
    for freeze in pace.freezes:
        if _counts(freeze, stage):
            yield _local(datetime.fromisoformat(freeze.until), freeze.zone).astimezone(now.tzinfo)
    for window in pace.windows:
        if _counts(window, stage):
            today = now.astimezone(ZoneInfo(window.zone)).date()
            for ahead in range(_HORIZON):
                day = today + timedelta(days=ahead)
                if _DAYS[day.weekday()] in window.days:
                    begin = datetime.combine(day, time.fromisoformat(window.begin))
                    yield _local(begin, window.zone).astimezone(now.tzinfo)


def _counts(entry: Window | Freeze, stage: str) -> bool:
    return not entry.stages or stage in entry.stages


def _local(moment: datetime, zone: str) -> datetime:
    return moment.replace(tzinfo=ZoneInfo(zone))


def _frozen(freeze: Freeze, now: datetime) -> bool:
    begin, until = (
        _local(datetime.fromisoformat(moment), freeze.zone) for moment in (freeze.begin, freeze.until)
    )
    return begin <= now < until


def _is_open(window: Window, now: datetime) -> bool:
    here = now.astimezone(ZoneInfo(window.zone))
    clock = f"{here:%H:%M}"
    today, yesterday = _DAYS[here.weekday()], _DAYS[(here.weekday() - 1) % 7]
    if window.begin < window.until:
        return today in window.days and window.begin <= clock < window.until
    # Past midnight it still belongs to the day on which it began.
    return (today in window.days and clock >= window.begin) or (
        yesterday in window.days and clock < window.until
    )


def _told(window: Window) -> str:
    days = "every day" if len(window.days) == 7 else " ".join(window.days)
    return f"{days} {window.begin} to {window.until} {window.zone}"
