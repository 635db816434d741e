"""When: seconds from delivery, from the message's other events and between its clicks.

All windows are RANGE frames over microseconds: events of one instant are equals, so that the order in which a file
lists them, which is not information, cannot change a value.
"""

from __future__ import annotations

from features.facts import LOOK_AHEAD, LOOK_BACK, SECOND
from features.feature import Feature, Stage

_MESSAGE = "PARTITION BY msg ORDER BY us RANGE BETWEEN"
_CLICK_US = "CASE WHEN kind > 0 THEN us END"
_OPEN_US = "CASE WHEN kind = 0 THEN us END"

STAGES: tuple[Stage, ...] = (
    Stage(
        "message_times",
        f"""
        SELECT
            event_row,
            max(us) OVER earlier AS prev_us,
            min(us) OVER later AS next_us,
            min(us) OVER so_far AS first_us,
            max({_CLICK_US}) OVER earlier AS prev_click_us,
            min({_CLICK_US}) OVER later AS next_click_us,
            min({_CLICK_US}) OVER so_far AS first_click_us,
            min({_OPEN_US}) OVER so_far AS first_open_us,
            max({_OPEN_US}) OVER so_far AS last_open_us,
            min({_OPEN_US}) OVER later AS next_open_us,
            min({_CLICK_US}) OVER minute AS minute_first_us,
            max({_CLICK_US}) OVER minute AS minute_last_us,
            count({_CLICK_US}) OVER minute AS minute_clicks,
            corr(link_position, CAST(us AS DOUBLE)) OVER minute AS mail_order
        FROM facts
        WINDOW
            earlier AS ({_MESSAGE} {LOOK_BACK} PRECEDING AND 1 PRECEDING),
            later AS ({_MESSAGE} 1 FOLLOWING AND {LOOK_AHEAD} FOLLOWING),
            so_far AS ({_MESSAGE} {LOOK_BACK} PRECEDING AND CURRENT ROW),
            minute AS ({_MESSAGE} {60 * SECOND} PRECEDING AND {60 * SECOND} FOLLOWING)
        """,
    ),
    Stage(
        "link_times",
        f"""
        SELECT
            event_row,
            max(us) OVER earlier AS prev_us,
            min(us) OVER later AS next_us,
            count(*) OVER just_before AS hits_5s,
            max(CASE WHEN method = 1 THEN 1 ELSE 0 END) OVER before AS head_before,
            min(net) OVER around AS low_net,
            max(net) OVER around AS high_net,
            min(CASE WHEN network_rank = 2 THEN net END) OVER around AS low_machine_net,
            max(CASE WHEN network_rank = 2 THEN net END) OVER around AS high_machine_net,
            min(CASE WHEN network_rank = 0 THEN net END) OVER around AS low_people_net,
            max(CASE WHEN network_rank = 0 THEN net END) OVER around AS high_people_net,
            min(net) OVER before AS low_net_before,
            max(net) OVER before AS high_net_before,
            min(agent_id) OVER around AS low_agent,
            max(agent_id) OVER around AS high_agent
        FROM facts
        WHERE kind = 1 AND link IS NOT NULL
        WINDOW
            earlier AS (PARTITION BY msg, link ORDER BY us RANGE BETWEEN {LOOK_BACK} PRECEDING AND 1 PRECEDING),
            later AS (PARTITION BY msg, link ORDER BY us RANGE BETWEEN 1 FOLLOWING AND {LOOK_AHEAD} FOLLOWING),
            just_before AS (
                PARTITION BY msg, link ORDER BY us RANGE BETWEEN {5 * SECOND} PRECEDING AND CURRENT ROW
            ),
            before AS (PARTITION BY msg, link ORDER BY us RANGE BETWEEN {60 * SECOND} PRECEDING AND CURRENT ROW),
            around AS (
                PARTITION BY msg, link ORDER BY us
                RANGE BETWEEN {60 * SECOND} PRECEDING AND {60 * SECOND} FOLLOWING
            )
        """,
    ),
)


def _seconds(later: str, earlier: str) -> str:
    return f"({later} - {earlier}) / {SECOND}.0"


FEATURES: tuple[Feature, ...] = (
    Feature(
        "since_delivery_s",
        "timing",
        _seconds("f.us", "f.delivered_us"),
        "s",
        "Seconds since the message was delivered, negative before; NULL where that is not known or over 7 days ago.",
        "delivery within 7 days before and 1 hour after",
        frozenset({"deliveries"}),
    ),
    Feature(
        "since_sent_s",
        "timing",
        _seconds("f.us", "f.sent_us"),
        "s",
        "Seconds since the message was sent; NULL where the sending time is not known or over 7 days ago.",
        "sending within 7 days before and 1 hour after",
    ),
    Feature(
        "since_arrival_s",
        "timing",
        _seconds("f.us", "coalesce(f.delivered_us, f.sent_us)"),
        "s",
        "Seconds since delivery, or since sending where no delivery is known; NULL where neither is.",
        "delivery or sending within 7 days before and 1 hour after",
    ),
    Feature(
        "since_first_event_s",
        "timing",
        _seconds("f.us", "m.first_us"),
        "s",
        "Seconds since the first event of the message, 0 for the first itself.",
        "7 days back",
    ),
    Feature(
        "first_event_delay_s",
        "timing",
        _seconds("m.first_us", "coalesce(f.delivered_us, f.sent_us)"),
        "s",
        "Seconds from the message's arrival to its first event; NULL where the arrival is not known.",
        "7 days back",
    ),
    Feature(
        "first_click_delay_s",
        "timing",
        _seconds("m.first_click_us", "coalesce(f.delivered_us, f.sent_us)"),
        "s",
        "Seconds from the message's arrival to its first click so far; NULL where there is none.",
        "7 days back",
    ),
    Feature(
        "since_first_open_s",
        "timing",
        _seconds("f.us", "m.first_open_us"),
        "s",
        "Seconds since the message was first opened; NULL where it was not opened before.",
        "7 days back",
    ),
    Feature(
        "since_last_open_s",
        "timing",
        _seconds("f.us", "m.last_open_us"),
        "s",
        "Seconds since the message was last opened, this event included; NULL where it was not opened before.",
        "7 days back",
    ),
    Feature(
        "until_next_open_s",
        "timing",
        _seconds("m.next_open_us", "f.us"),
        "s",
        "Seconds until the message is next opened; NULL where that does not happen within the hour.",
        "1 hour ahead",
    ),
    Feature(
        "since_previous_s",
        "timing",
        _seconds("f.us", "m.prev_us"),
        "s",
        "Seconds since the message's previous event at an earlier instant; NULL for the first.",
        "7 days back",
    ),
    Feature(
        "until_next_s",
        "timing",
        _seconds("m.next_us", "f.us"),
        "s",
        "Seconds until the message's next event at a later instant; NULL where none follows within the hour.",
        "1 hour ahead",
    ),
    Feature(
        "since_previous_click_s",
        "timing",
        _seconds("f.us", "m.prev_click_us"),
        "s",
        "Seconds since the message's previous click at an earlier instant; NULL for the first.",
        "7 days back",
    ),
    Feature(
        "until_next_click_s",
        "timing",
        _seconds("m.next_click_us", "f.us"),
        "s",
        "Seconds until the message's next click at a later instant; NULL where none follows within the hour.",
        "1 hour ahead",
    ),
    Feature(
        "click_pace_s",
        "timing",
        f"CASE WHEN m.minute_clicks > 1 THEN (m.minute_last_us - m.minute_first_us) / {SECOND}.0"
        " / (m.minute_clicks - 1) END",
        "s",
        "Mean seconds between the message's clicks within a minute of this event; NULL below two clicks.",
        "1 minute back and ahead",
    ),
    Feature(
        "since_same_link_s",
        "timing",
        _seconds("f.us", "l.prev_us"),
        "s",
        "Seconds since the same link of the message was last clicked at an earlier instant; NULL for the first.",
        "7 days back",
        frozenset({"links"}),
    ),
    Feature(
        "until_same_link_s",
        "timing",
        _seconds("l.next_us", "f.us"),
        "s",
        "Seconds until the same link of the message is clicked again; NULL where that is not within the hour.",
        "1 hour ahead",
        frozenset({"links"}),
    ),
    Feature(
        "mail_order",
        "timing",
        # One link or one instant has no order: NaN on DuckDB, NULL on Spark. Sums over rows of one instant come in
        # any order, hence the rounding.
        "CASE WHEN isnan(m.mail_order) THEN NULL ELSE round(m.mail_order, 6) END",
        "ratio",
        "Correlation of time and link position over the clicks within a minute, 1 when links are clicked in the mail's"
        " order; NULL where links carry no position or fewer than two were clicked.",
        "1 minute back and ahead",
        frozenset({"links"}),
    ),
)
