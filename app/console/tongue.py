"""The console in a language: texts from the catalogue, dates and figures as they are written there.

English is the source; `texts/<language>.po` is read as it is, there is nothing to build.
"""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from io import BytesIO

from babel import Locale, dates, numbers
from babel.messages.pofile import read_po

from app import clock
from app.clock import STOCKHOLM
from app.languages import LANGUAGES, Language

SOURCE: Language = "en"
LOCALES: dict[Language, str] = {"sv": "sv_SE", "en": "en_GB"}


@cache
def _texts(language: Language) -> Mapping[str, str | tuple[str, ...]]:
    found: dict[str, str | tuple[str, ...]] = {}
    if language == SOURCE:
        return found
    po = (files(__package__) / "texts" / f"{language}.po").read_bytes()
    for message in read_po(BytesIO(po), locale=language):
        source = message.id if isinstance(message.id, str) else message.id[0]
        if source and message.string and not message.fuzzy:
            said = message.string
            found[source] = said if isinstance(said, str) else tuple(said)
    return found


class Tongue:
    def __init__(self, language: Language, now: datetime) -> None:
        self.language, self._now = language, now
        self._locale = Locale.parse(LOCALES[language])

    @staticmethod
    def languages() -> list[tuple[Language, str]]:
        """Every language, and what it calls itself."""
        names = [(one, Locale.parse(one).get_language_name() or one) for one in LANGUAGES]
        return [(one, called[:1].upper() + called[1:]) for one, called in names]

    def text(self, source: str, /, **facts: object) -> str:
        told = _texts(self.language).get(source, source)
        plain = told if isinstance(told, str) else told[0]
        return plain % facts if facts else plain

    def texts(self, one: str, many: str, number: int, /, **facts: object) -> str:
        """Of the two forms the one that fits the number, which is `%(number)s` in both."""
        told = _texts(self.language).get(one, (one, many))
        forms = told if isinstance(told, tuple) else (told, told)
        chosen = forms[0] if number == 1 else forms[1]
        return chosen % (facts | {"number": self.number(number)})

    def number(self, number: float) -> str:
        return numbers.format_decimal(number, locale=self._locale)

    def amount(self, amount: float, currency: str) -> str:
        """For showing only: nothing is reckoned with it."""
        figures = numbers.format_decimal(amount, format="#,##0.00", locale=self._locale)
        return f"{figures}\N{NO-BREAK SPACE}{currency}"

    def moment(self, instant: datetime | None) -> str:
        """Today by the clock, another day with its date."""
        if instant is None:
            return "–"
        local = instant.astimezone(STOCKHOLM)
        time = local.strftime("%H:%M:%S")
        if local.date() == clock.today(self._now):
            return time
        return f"{self.day(local.date())} {time[:5]}"

    @staticmethod
    def clock(iso: str) -> str:
        """`13:05:09` in Stockholm, of an instant as the admin API writes it."""
        return datetime.fromisoformat(iso).astimezone(STOCKHOLM).strftime("%H:%M:%S")

    def day(self, day: date) -> str:
        form = "d MMM" if day.year == clock.today(self._now).year else "d MMM y"
        return dates.format_date(day, form, locale=self._locale)

    def month(self, day: date) -> str:
        return dates.format_date(day, "MMMM y", locale=self._locale)

    def ago(self, instant: datetime | None) -> str:
        if instant is None:
            return "–"
        return dates.format_timedelta(
            instant - self._now, add_direction=True, threshold=1.1, locale=self._locale
        )

    def span(self, seconds: float | None) -> str:
        """`0.4 s`, `12 s`, `3 min`, `5 h`: how long something takes."""
        if seconds is None:
            return "–"
        if seconds < 0.1:
            return f"< {numbers.format_decimal(0.1, locale=self._locale)} s"
        if seconds < 10:
            return f"{numbers.format_decimal(round(seconds, 1), locale=self._locale)} s"
        if seconds < 120:
            return f"{seconds:.0f} s"
        if seconds < 7200:
            return f"{seconds / 60:.0f} min"
        return f"{seconds / 3600:.0f} h"
