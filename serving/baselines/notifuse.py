"""Notifuse: words in the agent, or the first seven seconds; of unsubscribes the agent alone."""

from __future__ import annotations

from serving.baselines.rule import ALL_EVENTS, SECOND, Rule, contains_any

WORDS: tuple[str, ...] = (
    "bot", "crawler", "spider", "scanner", "linkcheck", "security", "headlesschrome", "phantomjs", "selenium",
    "safelinks", "proofpoint", "mimecast", "atp", "barracuda", "forcepoint", "cisco ironport", "symantec", "mcafee",
    "trend micro", "sophos", "fireeye", "emailsecurity", "urldefense", "linkprotect", "urlscan", "urlfilter",
    "emailprotection", "antivirus", "malware", "threatdetection", "securityscanner", "python-requests", "curl", "wget",
    "java", "go-http-client", "postman",
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    Rule(
        "notifuse",
        "words in the agent, no agent, within 7 s",
        "Notifuse",
        "as delivered",
        ALL_EVENTS,
        f"""
        WITH agents AS (
            SELECT agent_id, {contains_any(WORDS)} AS has_word FROM rule_agents
        )
        SELECT
            e.event_row,
            CASE
                WHEN e.no_agent THEN 'no agent'
                WHEN g.has_word THEN 'word in the agent'
                WHEN e.kind < 2 AND e.delay_us < {7 * SECOND} THEN 'within 7 s'
            END AS reason,
            e.agent_given OR (e.kind < 2 AND e.delay_us IS NOT NULL) AS knows
        FROM rule_events AS e
        LEFT JOIN agents AS g ON e.agent_id = g.agent_id
        """,
    ),
)
