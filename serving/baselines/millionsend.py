"""MillionSend: Apple's and Gmail's prefetch, words in the agent, before or just after the delivery.

Gmail's and Yahoo's image proxies match no word and are people's. That it keeps one event a recipient and type in a
minute changes what is counted, not what is a machine's, and is left out; so is its proposed burst rule, whose limits
are not known.
"""

from __future__ import annotations

from serving.baselines.rule import OPENS_AND_CLICKS, SECOND, Rule, contains_any

WORDS: tuple[str, ...] = (
    "bot/", "bot;", "crawler", "spider", "scanner", "preview", "python", "curl", "wget", "java/", "okhttp",
    "go-http-client", "libwww", "headless", "barracuda", "proofpoint", "mimecast", "symantec", "messagelabs",
    "trendmicro", "ironport", "sophos", "fireeye", "zscaler", "forcepoint", "urldefense", "safelinks", "slackbot",
    "facebookexternalhit",
)  # fmt: skip
WINDOWS_S: tuple[int, ...] = (2, 5, 10)


def _sql(window_s: int) -> str:
    return f"""
    WITH agents AS (
        SELECT
            agent_id,
            CASE
                WHEN user_agent = 'Mozilla/5.0' THEN 'apple_mpp'
                WHEN contains(text, 'chrome/42.0.2311.135') AND contains(text, 'edge/12.246') THEN 'gmail_prefetch'
                WHEN {contains_any(WORDS)} THEN 'scanner'
            END AS verdict
        FROM rule_agents
    )
    SELECT
        e.event_row,
        CASE
            WHEN g.verdict IS NOT NULL THEN g.verdict
            WHEN e.no_agent THEN 'scanner'
            WHEN e.delay_us < 0 THEN 'before_delivery'
            WHEN e.delay_us < {window_s * SECOND} THEN 'timing'
        END AS reason,
        e.agent_given OR e.delay_us IS NOT NULL AS knows
    FROM rule_events AS e
    LEFT JOIN agents AS g ON e.agent_id = g.agent_id
    """


RULES: tuple[Rule, ...] = tuple(
    Rule(
        f"millionsend-{window_s}",
        f"prefetches, words in the agent, within {window_s} s",
        "MillionSend",
        f"time limit {window_s} s",
        OPENS_AND_CLICKS,
        _sql(window_s),
    )
    for window_s in WINDOWS_S
)
