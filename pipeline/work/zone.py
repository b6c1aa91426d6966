"""The time zone in which people mean hours and days: of schedules, of quiet hours, of today."""

from __future__ import annotations

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.settings import Settings
from pipeline.errors import Invalid


def zone_of(settings: Settings) -> tzinfo:
    """As configured, else the machine's own. Raises `Invalid` for a name nobody knows."""
    from tzlocal import get_localzone

    name = settings.schedule.timezone
    try:
        return ZoneInfo(name) if name else get_localzone()
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid(
            f"There is no time zone {name!r}.", hint="Write one such as Europe/Berlin."
        ) from error
