"""User-agent strings of a world: browsers by version and date, mail clients, libraries, crawlers.

Release dates are the vendors' published calendars, approximated by a straight line (Chrome and Firefox) or by
Apple's yearly autumn release. Templates are written from the vendors' documented forms.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from training.visits import NOTHING, Int

LAGS = 61  # versions behind the newest that the book holds

_CHROME_90 = datetime(2021, 4, 14, tzinfo=UTC)
_CHROME_DAYS = 32.05  # 145 came out in February 2026
_FIREFOX_88 = datetime(2021, 4, 19, tzinfo=UTC)
_FIREFOX_DAYS = 29.3  # 147 came out in January 2026
_SAFARI_14_1 = datetime(2021, 4, 26, tzinfo=UTC)
_SAFARI_DAYS = 365.25 / 7  # seven releases a year, x.0 in September
_WINDOWS = "Windows NT 10.0; Win64; x64"
_MAC = "Macintosh; Intel Mac OS X 10_15_7"
_KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE = "iPhone; CPU iPhone OS {i} like Mac OS X"
_APPLE_KIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

# Name -> (engine that dates it, template). {full}: Chrome's long or reduced form, {v}: major version,
# {s}: Safari as 17.5, {i}: iOS as 17_5.
BROWSERS: dict[str, tuple[str, str]] = {
    "windows chrome": ("chrome", f"Mozilla/5.0 ({_WINDOWS}) {_KIT} Chrome/{{full}} Safari/537.36"),
    "windows edge": ("chrome", f"Mozilla/5.0 ({_WINDOWS}) {_KIT} Chrome/{{full}} Safari/537.36 Edg/{{edge}}"),
    "windows firefox": ("firefox", f"Mozilla/5.0 ({_WINDOWS}; rv:{{rv}}.0) Gecko/20100101 Firefox/{{v}}.0"),
    "windows opera": (
        "chrome",
        f"Mozilla/5.0 ({_WINDOWS}) {_KIT} Chrome/{{full}} Safari/537.36 OPR/{{opera}}.0.0.0",
    ),
    "mac chrome": ("chrome", f"Mozilla/5.0 ({_MAC}) {_KIT} Chrome/{{full}} Safari/537.36"),
    "mac safari": ("safari", f"Mozilla/5.0 ({_MAC}) {_APPLE_KIT} Version/{{s}} Safari/605.1.15"),
    "mac firefox": (
        "firefox",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{rv}.0) Gecko/20100101 Firefox/{v}.0",
    ),
    "linux chrome": ("chrome", f"Mozilla/5.0 (X11; Linux x86_64) {_KIT} Chrome/{{full}} Safari/537.36"),
    "linux firefox": (
        "firefox",
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:{rv}.0) Gecko/20100101 Firefox/{v}.0",
    ),
    "chromebook": (
        "chrome",
        f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_KIT} Chrome/{{full}} Safari/537.36",
    ),
    "windows 7 chrome": (
        "chrome 109",
        f"Mozilla/5.0 (Windows NT 6.1; Win64; x64) {_KIT} Chrome/{{full}} Safari/537.36",
    ),
    "iphone safari": (
        "safari",
        f"Mozilla/5.0 ({_IPHONE}) {_APPLE_KIT} Version/{{s}} Mobile/15E148 Safari/604.1",
    ),
    "iphone chrome": (
        "chrome",
        f"Mozilla/5.0 ({_IPHONE}) {_APPLE_KIT} CriOS/{{crios}} Mobile/15E148 Safari/604.1",
    ),
    "iphone webview": (
        "safari",
        f"Mozilla/5.0 ({_IPHONE}) {_APPLE_KIT} Mobile/15E148",
    ),
    "iphone instagram": (
        "safari",
        f"Mozilla/5.0 ({_IPHONE}) {_APPLE_KIT} Mobile/15E148 Instagram 3{{v}}.0.7.32"
        " (iPhone14,5; iOS {i}; en_US; en; scale=3.00; 1170x2532)",
    ),
    "ipad safari": (
        "safari",
        f"Mozilla/5.0 (iPad; CPU OS {{i}} like Mac OS X) {_APPLE_KIT} Version/{{s}} Mobile/15E148 Safari/604.1",
    ),
    "android chrome": (
        "chrome",
        f"Mozilla/5.0 (Linux; Android {{android}}) {_KIT} Chrome/{{full}} Mobile Safari/537.36",
    ),
    "samsung": (
        "chrome",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/{samsung}.0"
        " Chrome/{old}.0.0.0 Mobile Safari/537.36",
    ),
    "android webview": (
        "chrome",
        f"Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014; wv) {_KIT} Version/4.0"
        " Chrome/{long} Mobile Safari/537.36",
    ),
    "android firefox": ("firefox", "Mozilla/5.0 (Android 13; Mobile; rv:{rv}.0) Gecko/{v}.0 Firefox/{v}.0"),
}
DESKTOPS: Mapping[str, float] = {
    "windows chrome": 40, "windows edge": 18, "windows firefox": 6, "windows opera": 2, "mac chrome": 10,
    "mac safari": 10, "mac firefox": 1.5, "linux chrome": 2, "linux firefox": 1.5, "chromebook": 1.5,
    "windows 7 chrome": 0.7,
}  # fmt: skip
OFFICE_DESKTOPS: Mapping[str, float] = {
    "windows chrome": 40, "windows edge": 35, "windows firefox": 5, "mac chrome": 8, "mac safari": 5,
    "linux chrome": 1,
}  # fmt: skip
PHONES: Mapping[str, float] = {
    "iphone safari": 42, "iphone chrome": 6, "ipad safari": 3, "android chrome": 34, "samsung": 8,
    "android firefox": 1,
}  # fmt: skip
WEBVIEWS: Mapping[str, float] = {"iphone webview": 45, "iphone instagram": 3, "android webview": 52}

# What reads mail outside a browser; Apple's program on the phone shows the agent of "iphone webview".
MAIL_CLIENTS: dict[str, tuple[str, ...]] = {
    "outlook": (
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.16327; Pro)",
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.14326; Pro)",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Trident/7.0; .NET4.0C; .NET4.0E;"
        " Microsoft Outlook 16.0.17328; ms-office; MSOffice 16)",
    ),
    "mac mail": (f"Mozilla/5.0 ({_MAC}) {_APPLE_KIT}",),
    "thunderbird": (
        f"Mozilla/5.0 ({_WINDOWS}; rv:115.0) Gecko/20100101 Thunderbird/115.10.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Thunderbird/102.15.1",
    ),
    "android mail": (
        "Dalvik/2.1.0 (Linux; U; Android 12; SM-G970U Build/SP1A.210812.016)",
        "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 7 Build/AP1A.240505.004)",
    ),
}
GMAIL_PROXY = (
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Mozilla/5.0 (via ggpht.com GoogleImageProxy)",
)
YAHOO_PROXY = ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",)
GMAIL_PREFETCH = (
    f"Mozilla/5.0 ({_WINDOWS}) {_KIT} Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0",
)  # a person's session in the background, not a reading (SparkPost)
APPLE_PREFETCH = ("Mozilla/5.0",)
LIBRARIES = (
    "python-requests/2.28.2", "python-requests/2.32.3", "Python/3.9 aiohttp/3.8.1", "python-httpx/0.27.0",
    "AHC/2.1", "okhttp/4.10.0", "Java/17.0.2", "Apache-HttpClient/4.5.13 (Java/11.0.20)", "curl/7.81.0",
    "curl/8.4.0", "Wget/1.21.2", "Go-http-client/1.1", "Go-http-client/2.0", "axios/1.6.2",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "libwww-perl/6.67", "Ruby", "lua-resty-http/0.10 (Lua) ngx_lua/10019", "Guzzle/7", "Java/1.8.0_265",
)  # fmt: skip
ODD = (
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1)", "Mozilla/4.0 (compatible;)",
    "Barracuda Sentinel (EE)", "SCMGUARD", "cortex/1.0",
    f"Mozilla/5.0 (Windows NT 6.1; Win64; x64) {_KIT} Chrome/49.0.2623.112 Safari/537.36",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_6) {_KIT} Chrome/61.0.3163.100 Safari/537.36",
    f"Mozilla/5.0 (X11; Linux x86_64) {_KIT} HeadlessChrome/{{v}}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; rv:52.0) Gecko/20100101 Firefox/52.0", "Mozilla/5.0",
)  # fmt: skip
CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "W3C-checklink/4.5 [4.160] libwww-perl/5.823",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.0; +https://openai.com/gptbot)",
)
ONE_CLICK = (
    "Google-Smtp-Out",
    "YahooMailOneClick",
    "Mozilla/5.0 (compatible; OneClickUnsubscribe)",
    "Mozilla/5.0",
    "Google-HTTP-Java-Client/1.42.3 (gzip)",
    "Apache-HttpClient/4.5.14 (Java/17.0.9)",
    "Go-http-client/2.0",
    "Microsoft Exchange/15.20 (Windows NT 10.0; Win64; x64)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36",
)


class AgentBook:
    """The agents of one world, as codes; `browsers[name][lag]` is one so many versions behind."""

    def __init__(self, newest: datetime) -> None:
        self._texts: list[str] = []
        self._codes: dict[str, int] = {}
        self.newest_chrome = major("chrome", newest)
        self.browsers = {
            name: np.array([self.code(_browser(template, engine, newest, lag)) for lag in range(LAGS)])
            for name, (engine, template) in BROWSERS.items()
        }

    def code(self, text: str) -> int:
        """Give the code of one string."""
        if text not in self._codes:
            self._codes[text] = len(self._texts)
            self._texts.append(text)
        return self._codes[text]

    def codes(self, texts: tuple[str, ...]) -> Int:
        """Give the codes of several strings; {v} is filled with the newest Chrome."""
        return np.array([self.code(t.replace("{v}", str(self.newest_chrome))) for t in texts])

    def pick(self, rng: Generator, weights: Mapping[str, float], lag: Int) -> Int:
        """Draw a browser by weight for each lag, and give its code at that lag."""
        return self.at(self.kinds(rng, weights, len(lag)), lag)

    def kinds(self, rng: Generator, weights: Mapping[str, float], n: int) -> Int:
        """Draw n browsers by weight and give their positions in BROWSERS, for people who keep theirs."""
        names = list(BROWSERS)
        p = np.array(list(weights.values()), float)
        return np.array([names.index(k) for k in weights])[rng.choice(len(p), n, p=p / p.sum())]

    def at(self, kind: Int, lag: Int) -> Int:
        """Give the codes of browsers of these kinds and lags."""
        return np.stack(list(self.browsers.values()))[kind, np.clip(lag, 0, LAGS - 1)]

    def text(self, codes: Int) -> pa.Array:
        """Give the strings of these codes; NULL for NOTHING."""
        return pa.array([*self._texts, None], pa.string()).take(
            pa.array(np.where(codes == NOTHING, len(self._texts), codes))
        )


def major(engine: str, when: datetime) -> int:
    """Give the newest major version of Chrome or Firefox at a date."""
    if engine == "firefox":
        return 88 + int((when - _FIREFOX_88) / timedelta(days=_FIREFOX_DAYS))
    return 90 + int((when - _CHROME_90) / timedelta(days=_CHROME_DAYS))


def chrome_date(version: int) -> datetime:
    """Give the date a Chrome version came out, within a week or two."""
    return _CHROME_90 + timedelta(days=_CHROME_DAYS * (version - 90))


def safari(when: datetime) -> tuple[int, int]:
    """Give the newest Safari at a date as (major, minor): 15 in autumn 2021 to 18 in 2024, then 26."""
    year = when.year if when.timetuple().tm_yday >= 259 else when.year - 1
    if when < datetime(2021, 9, 16, tzinfo=UTC):
        return 14, 1
    days = (when - datetime(year, 9, 16, tzinfo=UTC)).days
    return (year - 2006 if year < 2025 else year - 1999), min(6, int(days / _SAFARI_DAYS))


def _browser(template: str, engine: str, newest: datetime, lag: int) -> str:
    days = {"firefox": _FIREFOX_DAYS, "safari": _SAFARI_DAYS}.get(engine, _CHROME_DAYS)
    when = newest - timedelta(days=days * lag)
    chrome = max(60, major("chrome", newest) - lag)
    if engine == "chrome 109":  # the last one for Windows 7
        chrome = min(chrome, 109)
    firefox = max(60, major("firefox", newest) - lag) if engine == "firefox" else chrome
    apple, minor = safari(when)
    number = int(np.interp(chrome, (60, 90, 110, 145), (3112, 4430, 5481, 7632)))
    build = f"{chrome}.0.{number}.{40 + chrome * 37 % 150}"
    full = f"{chrome}.0.0.0" if chrome >= 107 else build  # the reduced form came with 107
    system = f"{min(apple, 18)}_{minor}" if apple < 26 else "18_6"  # frozen from 26 on
    return template.format(
        v=firefox, full=full, long=build, edge=f"{chrome}.0.0.0" if chrome >= 110 else f"{build[:-2]}9",
        crios=build,
        rv=109 if 110 <= firefox < 120 else firefox, opera=chrome - 14, s=f"{apple}.{minor}", i=system,
        android="10; K" if chrome >= 110 else ("10; SM-G973F", "11; Pixel 5", "12; SM-A525F")[chrome % 3],
        samsung=max(10, 14 + (chrome - 90) * 15 // 55), old=chrome - chrome % 4,
    )  # fmt: skip
