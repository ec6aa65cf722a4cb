"""When a campaign will be through: told from the days on which people wrote, never from the clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from math import ceil, sqrt
from statistics import fmean, stdev
from typing import Any

ACTIVE_DAYS = 7  # the last days with texts, whose pace is taken to go on
# Student's t that nineteen of twenty do not exceed, by degrees of freedom (1 to 6); either side so: nine of ten.
SURE = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943)
CENTURY = 36500  # days
PAUSE = 366  # days; further apart than this somebody's clock was wrong


def by_day(times: Iterable[str]) -> dict[str, int]:
    """How many fall on each UTC day, in order, days without any between them too, but for pauses of more than a year."""
    counts = Counter(at[:10] for at in times)
    found: dict[str, int] = {}
    last: date | None = None
    for day in map(date.fromisoformat, sorted(counts)):
        if last is not None and (day - last).days <= PAUSE:
            found.update(((last + timedelta(n)).isoformat(), 0) for n in range(1, (day - last).days))
        found[day.isoformat()] = counts[day.isoformat()]
        last = day
    return found


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
    earliest, latest = _range(left, rate, stdev(counts), len(counts)) if len(counts) > 1 else (left / (2 * rate), None)
    return {
        "left": left,
        "a_day": round(rate, 2),
        "finish": _after(last, left / rate),
        "earliest": _after(last, earliest),
        "latest": None if latest is None else _after(last, latest),
    }


def _range(left: int, rate: float, sd: float, days: int) -> tuple[float, float | None]:
    """Between how many days `left` more take, nine times in ten; None where the pace is too uneven to say.

    What comes in x days is off by t sd sqrt(x + x^2/n): by the chance of those days, and by how well n days tell the pace.
    """
    off = (_t(days - 1) * sd) ** 2
    square, middle = rate**2 - off / days, 2 * left * rate + off
    root = sqrt(max(0.0, middle**2 - 4 * square * left**2))
    return 2 * left**2 / (middle + root), (middle + root) / (2 * square) if square > 0 else None


def _t(freedom: int) -> float:
    """The quantile of Student's t, beyond the table by its expansion about the normal one (Fisher and Cornish 1960)."""
    if freedom <= len(SURE):
        return SURE[freedom - 1]
    z = 1.6449
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def _after(last: date, days: float) -> str | None:
    """So many days later; None beyond a century, and beyond what a calendar holds."""
    if days >= CENTURY or last.year > date.max.year - 101:
        return None
    return (last + timedelta(ceil(days))).isoformat()
