"""The bank holidays of England and Wales, of any year, with those that are announced for once."""

from datetime import date
from typing import Final

import holidays

_HOLIDAYS: Final = holidays.country_holidays("GB", subdiv="ENG")


def is_bank_holiday(day: date) -> bool:
    return day in _HOLIDAYS
