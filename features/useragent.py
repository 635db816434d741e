"""With what: the client's user agent, its age against the newest in use, and whether the message saw it before."""

from __future__ import annotations

from features.facts import LOOK_BACK
from features.feature import Capability, Feature, Stage

# The trailing window of the newest version: the 168 hours before the event's hour, and that hour.
VERSION_HOURS = 168
FEWEST_RECIPIENTS = 50

STAGES: tuple[Stage, ...] = (
    Stage(
        "agent_visits",
        f"""
        SELECT
            event_row,
            max(CASE WHEN kind = 0 THEN us END) OVER earlier AS last_open_us,
            max(CASE WHEN kind > 0 THEN us END) OVER earlier AS last_click_us
        FROM facts
        WHERE agent_id IS NOT NULL
        WINDOW earlier AS (PARTITION BY msg, agent_id ORDER BY us RANGE BETWEEN {LOOK_BACK} PRECEDING AND 1 PRECEDING)
        """,
    ),
    # A recipient counts once a version in the trailing window: +1 at the hour of a sighting, -1 when it has gone
    # out of the window unless it was seen again before.
    Stage(
        "version_sightings",
        """
        SELECT
            engine_code,
            engine_version,
            utc_hour,
            lead(utc_hour) OVER (PARTITION BY engine_code, engine_version, rcpt ORDER BY utc_hour NULLS LAST) AS again
        FROM (
            SELECT DISTINCT g.engine_code, g.engine_version, f.rcpt, f.utc_hour
            FROM facts AS f
            JOIN agents AS g ON f.agent_id = g.agent_id
            WHERE g.engine_version IS NOT NULL AND f.rcpt IS NOT NULL
        ) AS seen
        """,
    ),
    Stage(
        "version_changes",
        f"""
        SELECT engine_code, engine_version, utc_hour, sum(change) AS change
        FROM (
            SELECT engine_code, engine_version, utc_hour, 1 AS change FROM version_sightings
            UNION ALL
            SELECT
                engine_code,
                engine_version,
                least(coalesce(again, utc_hour + {VERSION_HOURS + 1}), utc_hour + {VERSION_HOURS + 1}) AS utc_hour,
                -1 AS change
            FROM version_sightings
            UNION ALL
            SELECT h.engine_code, v.engine_version, h.utc_hour, 0 AS change
            FROM (
                SELECT DISTINCT g.engine_code, f.utc_hour
                FROM facts AS f
                JOIN agents AS g ON f.agent_id = g.agent_id
                WHERE g.engine_version IS NOT NULL
            ) AS h
            JOIN (SELECT DISTINCT engine_code, engine_version FROM version_sightings) AS v
                ON h.engine_code = v.engine_code
        ) AS changes
        GROUP BY engine_code, engine_version, utc_hour
        """,
    ),
    Stage(
        "version_recipients",
        """
        SELECT
            engine_code,
            engine_version,
            utc_hour,
            sum(change) OVER (PARTITION BY engine_code, engine_version ORDER BY utc_hour NULLS LAST) AS recipients
        FROM version_changes
        """,
    ),
    Stage(
        "newest_versions",
        f"""
        SELECT engine_code, utc_hour, max(engine_version) AS newest_version
        FROM (
            SELECT
                engine_code,
                engine_version,
                utc_hour,
                sum(recipients) OVER (PARTITION BY engine_code, utc_hour) AS all_recipients,
                sum(recipients) OVER (
                    PARTITION BY engine_code, utc_hour ORDER BY engine_version DESC NULLS LAST
                ) AS this_or_newer
            FROM version_recipients
        ) AS counted
        WHERE all_recipients >= {FEWEST_RECIPIENTS} AND this_or_newer * 100 >= all_recipients
        GROUP BY engine_code, utc_hour
        """,
    ),
)

_AGENT: frozenset[Capability] = frozenset({"agent"})
_ITSELF = "the event itself"


def _flag(name: str, column: str, description: str) -> Feature:
    return Feature(name, "user agent", f"CAST(g.{column} AS INTEGER)", "flag", description, _ITSELF, _AGENT)


FEATURES: tuple[Feature, ...] = (
    Feature(
        "agent_kind",
        "user agent",
        "g.kind_code",
        "code",
        "What sends such an agent: a browser, mail client, image proxy, prefetch, link preview, HTTP library,"
        " scanner, crawler; NULL without an agent.",
        _ITSELF,
        _AGENT,
    ),
    Feature(
        "browser",
        "user agent",
        "g.family_code",
        "code",
        "Browser or mail client family; NULL without an agent.",
        _ITSELF,
        _AGENT,
    ),
    Feature("os", "user agent", "g.os_code", "code", "Operating system; NULL without an agent.", _ITSELF, _AGENT),
    Feature(
        "device",
        "user agent",
        "g.device_code",
        "code",
        "Desktop, mobile, tablet or other; NULL without an agent.",
        _ITSELF,
        _AGENT,
    ),
    Feature(
        "agent_missing",
        "user agent",
        "CASE WHEN g.agent_id IS NULL THEN 1 ELSE 0 END",
        "flag",
        "1 where this row has no agent though the file gives them.",
        _ITSELF,
        _AGENT,
    ),
    _flag("agent_impossible", "impossible", "1 for a mix that no real browser sends; NULL without an agent."),
    _flag("os_legacy", "legacy_os", "1 for an operating system long out of support; NULL without an agent."),
    Feature(
        "version_lag",
        "user agent",
        "CASE WHEN n.newest_version - g.engine_version > 60 THEN 60"
        " WHEN n.newest_version - g.engine_version < -5 THEN -5"
        " ELSE n.newest_version - g.engine_version END",
        "versions",
        "Major versions behind the newest in use (99th percentile over the recipients of the trailing 168 hours);"
        f" NULL below {FEWEST_RECIPIENTS} recipients or where the agent names no version.",
        f"the {VERSION_HOURS} hours before the event's hour, and that hour",
        _AGENT,
    ),
    Feature(
        "since_agent_open_s",
        "user agent",
        "(f.us - w.last_open_us) / 1000000.0",
        "s",
        "Seconds since the message was opened with the same agent; NULL where it was not.",
        "7 days back",
        _AGENT,
    ),
    Feature(
        "since_agent_click_s",
        "user agent",
        "(f.us - w.last_click_us) / 1000000.0",
        "s",
        "Seconds since a link of the message was clicked with the same agent; NULL where none was.",
        "7 days back",
        _AGENT,
    ),
)
