"""When a campaign will be through: told from the days on which people wrote, never from the clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from math import ceil, sqrt
from statistics import fmean, stdev
from typing import Any

ACTIVE_DAYS = 7  # the last days with texts, whose pace is taken to go on
SURE = 1.645  # standard errors on either side: nine of ten


def by_day(times: Iterable[str]) -> dict[str, int]:
    """How many fall on each UTC day, in order, days without any between them too."""
    counts = Counter(at[:10] for at in times)
    first, last = (date.fromisoformat(end(counts)) for end in (min, max)) if counts else (date.min, date.min)
    days = [(first + timedelta(n)).isoformat() for n in range((last - first).days + 1)] if counts else []
    return {day: counts[day] for day in days}


def forecast(days: dict[str, int], left: int) -> dict[str, Any] | None:
    """The day on which `left` more will be done at the pace of the last active days, with a range of nine in ten.

    Days without texts between them count: who rests on Sundays goes on resting. `latest` is null where the pace is too uneven
    to say. None where nothing is left, or where nothing was done yet.
    """
    if left <= 0 or not any(days.values()):
        return None
    last_days = sorted(day for day, number in days.items() if number)[-ACTIVE_DAYS:]
    first, last = date.fromisoformat(last_days[0]), date.fromisoformat(last_days[-1])
    counts = [days.get((first + timedelta(n)).isoformat(), 0) for n in range((last - first).days + 1)]
    rate = fmean(counts)
    error = SURE * stdev(counts) / sqrt(len(counts)) if len(counts) > 1 else rate
    return {
        "left": left,
        "a_day": round(rate, 2),
        "finish": _after(last, left / rate),
        "earliest": _after(last, left / (rate + error)),
        "latest": _after(last, left / (rate - error)) if rate > error else None,
    }


def _after(last: date, days: float) -> str | None:
    """So many days later; None beyond a century."""
    return (last + timedelta(ceil(days))).isoformat() if days < 36500 else None
