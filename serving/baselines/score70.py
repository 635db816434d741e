"""A score of points, a machine from 70 on: time since delivery and since the open, hidden link, agent, bursts.

Its 20 words of vendors and robots and its 9 of libraries are not known; our kinds of agents stand for them. Points
for HEAD requests and Accept headers are left out: event files have none. A click that is a machine's makes the open
before it one too.
"""

from __future__ import annotations

from serving.baselines.rule import OPENS_AND_CLICKS, SECOND, Rule, one_of

ROBOTS: tuple[str, ...] = (
    *("security_scanner", "crawler", "ai_crawler", "fetcher", "link_preview", "internet_scanner", "headless"),
)

RULES: tuple[Rule, ...] = (
    Rule(
        "score-70",
        "points for time, hidden link, agent and bursts; 70 is a machine",
        "stored functions of a tracker",
        "as delivered",
        OPENS_AND_CLICKS,
        f"""
        WITH agents AS (
            SELECT
                agent_id,
                CASE
                    WHEN {one_of("kind", ROBOTS)} THEN 100
                    WHEN kind = 'http_client' THEN 80
                    WHEN kind = 'image_proxy' THEN 40
                    ELSE 0
                END AS points,
                contains(text, 'googleimageproxy') OR contains(text, 'ggpht.com') AS is_gmail
            FROM rule_agents
        ),
        seen AS (
            SELECT
                e.*,
                (e.us - e.last_open_us) AS since_open_us,
                CASE WHEN e.no_agent THEN 100 ELSE coalesce(g.points, 0) END AS agent_points,
                coalesce(g.is_gmail, FALSE) AS is_gmail,
                CASE WHEN e.ip IS NOT NULL THEN count(*) OVER (
                    PARTITION BY e.campaign_id, e.ip, e.kind
                    ORDER BY e.us RANGE BETWEEN {60 * SECOND} PRECEDING AND CURRENT ROW
                ) ELSE 0 END AS burst
            FROM rule_events AS e
            LEFT JOIN agents AS g ON e.agent_id = g.agent_id
            WHERE e.kind < 2
        ),
        scored AS (
            SELECT
                event_row,
                message,
                kind,
                us,
                last_open_us,
                CASE
                    WHEN kind = 1 THEN
                        CASE
                            WHEN delay_us <= {5 * SECOND} THEN 95
                            WHEN delay_us <= {30 * SECOND} THEN 50
                            WHEN delay_us <= {120 * SECOND} THEN 20
                            ELSE 0
                        END
                        + CASE
                            WHEN since_open_us <= {15 * SECOND} THEN 60
                            WHEN since_open_us <= {45 * SECOND} THEN 35
                            ELSE 0
                        END
                        + CASE WHEN delay_us <= {60 * SECOND} AND since_open_us <= {45 * SECOND} THEN 45 ELSE 0 END
                        + CASE WHEN hidden THEN 100 ELSE 0 END
                        + agent_points
                        + CASE WHEN burst >= 3 THEN 50 ELSE 0 END
                    WHEN is_gmail AND burst < 3 THEN 0
                    ELSE
                        CASE
                            WHEN delay_us <= {10 * SECOND} THEN 95
                            WHEN delay_us <= {30 * SECOND} THEN 50
                            WHEN delay_us <= {120 * SECOND} THEN 20
                            ELSE 0
                        END
                        + CASE WHEN is_gmail THEN 5 ELSE 0 END
                END AS points,
                CASE kind
                    WHEN 0 THEN delay_us IS NOT NULL
                    ELSE coalesce(delay_us, last_open_us, address_id) IS NOT NULL OR agent_given
                END AS knows
            FROM seen
        ),
        turned AS (
            SELECT DISTINCT message, last_open_us AS us FROM scored WHERE kind = 1 AND points >= 70
        )
        SELECT
            s.event_row,
            CASE
                WHEN s.points >= 70 THEN 'score ' || s.points
                WHEN s.kind = 0 AND t.us IS NOT NULL THEN 'a machine''s click followed'
            END AS reason,
            s.knows
        FROM scored AS s
        LEFT JOIN turned AS t ON s.message = t.message AND s.us = t.us
        """,
    ),
)
