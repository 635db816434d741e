"""User agents of the mail world, of people and of neither."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import ua_parse

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IOS = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT}"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) {IOS}"

MAIL_WORLD = [  # agent, kind, vendor
    ("Mozilla/5.0", "apple_mpp", "apple"),
    (
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "image_proxy",
        "google",
    ),
    ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "image_proxy", "yahoo"),
    (f"{WINDOWS} Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0", "gmail_prefetch", "google"),
    ("Barracuda Sentinel (EE)", "security_scanner", "barracuda"),
    ("SCMGUARD", "security_scanner", "scmguard"),
    ("lua-resty-http/0.10 (Lua) ngx_lua/10019", "security_scanner", None),
    (f"{WINDOWS} Chrome/112.0.0.0 Safari/537.36 (scanner.ducks.party)", "security_scanner", None),
    ("Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)", "internet_scanner", "censys"),
    ("python-requests/2.32.3", "http_client", None),
    ("Python/3.9 aiohttp/3.8.1", "http_client", None),
    ("Java/1.8.0_265", "http_client", None),
    ("Ruby", "http_client", None),
    ("W3C-checklink/4.5 [4.160] libwww-perl/5.823", "http_client", None),
    (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/120.0.0.0 Safari/537.36", "headless", None),
    ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "link_preview", "slack"),
    ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", "link_preview", "microsoft"),
    ("WhatsApp/2.23.20.0 A", "link_preview", "whatsapp"),
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "link_preview", "meta"),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) "
        "Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "link_preview",
        "apple",  # iMessage, from the reader's own device
    ),
    (
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "link_preview",
        "linkedin",
    ),
    ("TelegramBot (like TwitterBot)", "link_preview", "telegram"),
    ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "crawler", "microsoft"),
    ("SomeBot/1.0", "crawler", None),
    ("Mozilla/5.0 (compatible; thing; +http://example.com)", "crawler", None),
    (
        f"Mozilla/5.0 {WEBKIT[:-1]}; compatible; GPTBot/1.0; +https://openai.com/gptbot)",
        "ai_crawler",
        "openai",
    ),
    ("HubSpot Connect", "fetcher", "hubspot"),
    ("Amazon CloudFront", "proxy", "amazon"),
    ("Microsoft Exchange/15.20 (Windows NT 10.0; Win64; x64)", "mail_server", "microsoft"),
    # people whom lists call bots
    (
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.16327; Pro)",
        "mail_client",
        "microsoft",
    ),
    ("Mozilla/4.0 (compatible; ms-office; MSOffice 16)", "mail_client", "microsoft"),
    ("Dalvik/2.1.0 (Linux; U; Android 12; SM-G970U Build/SP1A.210812.016)", "mail_client", "google"),
    ("iOS/16.5.1 (20F75) dataaccessd/1.0", "mail_client", "apple"),
    (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {IOS}", "mail_client", "apple"),
    (
        f"Mozilla/5.0 (Linux; Android 13; CUBOT X70) {WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36",
        "browser",
        None,
    ),
    (
        f"Mozilla/5.0 (Linux; Android 9; CUBOT_X19) {WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36",
        "browser",
        None,
    ),
    (f"{IPHONE} Mobile/15E148 [LinkedInApp]/9.29.2621", "browser", None),
    ("", "other", None),
    ("nothing known", "other", None),
]


@pytest.mark.parametrize(("agent", "kind", "vendor"), MAIL_WORLD, ids=[row[0][:40] for row in MAIL_WORLD])
def test_the_mail_world(agent, kind, vendor):
    found = ua_parse.parse_agent(agent)
    assert (found.kind, found.vendor) == (kind, vendor)


PEOPLE = [  # agent, family, os, device, engine, version, legacy
    (f"{WINDOWS} Chrome/127.0.0.0 Safari/537.36", "chrome", "windows", "desktop", "chromium", 127, False),
    (
        f"{WINDOWS} Chrome/127.0.0.0 Safari/537.36 Edg/127.0.0.0",
        "edge",
        "windows",
        "desktop",
        "chromium",
        127,
        False,
    ),
    (
        f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36 OPR/106.0.0.0",
        "opera",
        "windows",
        "desktop",
        "chromium",
        120,
        False,
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
        *("firefox", "windows", "desktop", "firefox", 128, False),
    ),
    (
        "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
        "ie",
        "windows",
        "desktop",
        None,
        None,
        True,
    ),
    (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "safari", "ios", "mobile", "safari", 17, False),
    (
        f"{IPHONE} CriOS/128.0.6613.98 Mobile/15E148 Safari/604.1",
        "chrome",
        "ios",
        "mobile",
        "chromium",
        128,
        False,
    ),
    (
        f"{IPHONE} FxiOS/128.0 Mobile/15E148 Safari/605.1.15",
        "firefox",
        "ios",
        "mobile",
        "firefox",
        128,
        False,
    ),
    (f"{IPHONE} Mobile/15E148", "ios_webview", "ios", "mobile", None, None, False),
    (
        f"Mozilla/5.0 (iPad; CPU OS 11_4 like Mac OS X) {IOS} Version/11.0 Mobile/15F79 Safari/604.1",
        *("safari", "ios", "tablet", "safari", 11, True),
    ),
    (
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {IOS} Version/18.0 Safari/605.1.15",
        *("safari", "macos", "desktop", "safari", 18, False),
    ),
    (
        f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/122.0.0.0 Mobile Safari/537.36",
        *("chrome", "android", "mobile", "chromium", 122, False),
    ),
    (
        f"Mozilla/5.0 (Linux; Android 13; SM-A536B; wv) {WEBKIT} Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36",
        *("android_webview", "android", "mobile", "chromium", 120, False),
    ),
    (
        f"Mozilla/5.0 (Linux; Android 5.1; SM-T560) {WEBKIT} Chrome/95.0.0.0 Safari/537.36",
        *("chrome", "android", "tablet", "chromium", 95, True),
    ),
    (
        f"Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-A536B) {WEBKIT} SamsungBrowser/23.0 "
        "Chrome/115.0.0.0 Mobile Safari/537.36",
        *("samsung", "android", "mobile", "chromium", 115, False),
    ),
    (
        f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/120.0.0.0 Safari/537.36",
        *("chrome", "chromeos", "desktop", "chromium", 120, False),
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 Thunderbird/115.10.1",
        *("thunderbird", "windows", "desktop", None, None, False),
    ),
]


@pytest.mark.parametrize("row", PEOPLE, ids=[f"{row[1]} on {row[2]}" for row in PEOPLE])
def test_the_agents_of_people(row):
    found = ua_parse.parse_agent(row[0])
    names = (found.family, found.os, found.device, found.engine, found.engine_version, found.legacy_os)
    assert names == row[1:]
    assert not found.impossible


IMPOSSIBLE = [
    f"{WINDOWS} Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {IOS} Version/15.1 Safari/605.1.15",
    f"{IPHONE} Chrome/120.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0 Chrome/120.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:60.0) Gecko/20100101 Firefox/128.0",
    f"Mozilla/5.0 (Windows NT 10.0; Android 13) {WEBKIT} Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0.0.0",
    f"{WINDOWS} Safari/537.36 Edg/127.0.0.0",
]
ODD_BUT_REAL = [
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/533.20 (KHTML, like Gecko) Version/5.0.4 Safari/533.20",
    "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
    "Mozilla/5.0 (Windows; U; Windows NT 5.1; en-US; rv:1.9.2) Gecko/20100115 Firefox/3.6",
    f"Mozilla/5.0 (Windows Phone 10.0; Android 6.0; Lumia) {WEBKIT} Chrome/52 Mobile Safari/537.36 Edge/15",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0)",
]


@pytest.mark.parametrize("agent", IMPOSSIBLE)
def test_mixes_that_no_browser_sends_are_impossible(agent):
    assert ua_parse.parse_agent(agent).impossible


@pytest.mark.parametrize("agent", ODD_BUT_REAL)
def test_odd_agents_of_real_browsers_are_not_impossible(agent):
    assert not ua_parse.parse_agent(agent).impossible


def test_an_image_proxy_names_no_browser_in_use():
    agent = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    found = ua_parse.parse_agent(agent)
    assert (found.family, found.os, found.engine, found.engine_version) == ("gmail", "other", None, None)
    assert not found.legacy_os


@given(st.lists(st.text(), max_size=4))
def test_any_text_is_accepted(agents):
    found = ua_parse.parse_agents(agents)
    assert found.schema == ua_parse.SCHEMA
    assert found["user_agent"].to_pylist() == agents
    for name, allowed in (
        ("kind", ua_parse.KINDS),
        ("family", ua_parse.FAMILIES),
        ("os", ua_parse.OS_FAMILIES),
        ("device", ua_parse.DEVICES),
        ("engine", (*ua_parse.ENGINES, None)),
    ):
        assert set(found[name].to_pylist()) <= set(allowed)


TOKENS = [
    "Mozilla/5.0",
    "(",
    ")",
    "Chrome/",
    "9",
    "Version/",
    "Safari/",
    "rv:",
    "iPhone;",
    "bot",
    "Firefox/",
    " ",
    "\0",
]


@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join))
def test_any_heap_of_agent_words_is_accepted(agent):
    assert ua_parse.parse_agent(agent).kind in ua_parse.KINDS


@pytest.mark.parametrize(
    "piece", ["a", "mozilla/5.0 ", "(", "version/1", "bot", "1.", " mobile/", "\ud800", "chrome/1 "]
)
def test_a_very_long_agent_takes_no_longer_than_its_beginning(piece):
    ua_parse.parse_agent("warm-up")
    before = time.perf_counter()
    ua_parse.parse_agents([piece * (100_000 // len(piece))])
    assert time.perf_counter() - before < 0.5
