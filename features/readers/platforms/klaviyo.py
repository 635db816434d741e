"""Klaviyo: pages of the Events API.

Fields: Klaviyo Developers, "Events API overview" and "Get Events"; Klaviyo Help Center, "Email event properties".
"""

from features.readers.platform import Envelope, Platform, Signature

_PROPERTY = "{{attributes/event_properties/{0}}}"
_BOT, _MACHINE = _PROPERTY.format("Bot Click"), _PROPERTY.format("machine_open")
# An event names its metric by an id; the names stand beside the events, among other things.
_METRICS = """CAST(list_filter(CAST(TRY(json_extract({included}, '$[*]')) AS JSON[]),
    lambda part: json_extract_string(part, '$.type') = 'metric') AS JSON)"""
_NAMED = """json_extract_string(list_filter(CAST(TRY(json_extract({included}, '$[*]')) AS JSON[]),
    lambda part: json_extract_string(part, '$.id') = {relationships/metric/data/id})[1], '$.attributes.name')"""

KLAVIYO = Platform(
    name="klaviyo",
    title="Klaviyo",
    signatures=(Signature(("id", "attributes/event_properties", "relationships")),),
    envelopes=(Envelope(("data", "links"), "data", {"included": _METRICS}, empty="a page without events"),),
    columns={
        "event_id": "coalesce({attributes/uuid}, {id})",
        "event_type": "{:metric}",
        "timestamp": "coalesce({attributes/datetime}, {attributes/timestamp})",
        "campaign_id": f"coalesce({_PROPERTY.format('Campaign Name')}, {_PROPERTY.format('$flow')})",
        # $message is the mail that everybody gets.
        "message_id": f"{_PROPERTY.format('$message')} || ':' || {{relationships/profile/data/id}}",
        "recipient_id": "{relationships/profile/data/id}",
        "recipient_domain": _PROPERTY.format("Email Domain"),
        "url": _PROPERTY.format("URL"),
        "platform_machine": f"coalesce({_BOT}, {_MACHINE})",
        "platform_machine_reason": f"""nullif(concat_ws(', ', 'Bot Click=' || {_BOT},
            'machine_open=' || {_MACHINE}), '')""",
    },
    # Without the names, only what clicks and opens alone have tells them.
    fields={
        "metric": f"""coalesce({_NAMED}, CASE
            WHEN {_BOT} IS NOT NULL OR {_PROPERTY.format("URL")} IS NOT NULL THEN 'Clicked Email'
            WHEN {_MACHINE} IS NOT NULL THEN 'Opened Email' END)""",
    },
    words={
        "Received Email": "delivered",
        "Opened Email": "opened",
        "Clicked Email": "clicked",
        "Bounced Email": "bounced",
        "Dropped Email": "rejected",
        "Marked Email as Spam": "complained",
        "Unsubscribed from Email Marketing": "unsubscribed",
        "Unsubscribed from List": "unsubscribed",
        "Subscribed to Email Marketing": "subscribed",
        "Subscribed to List": "subscribed",
    },
    controls={"an event that is no email": "NOT regexp_matches({:metric}, '(?i)email|subscribed')"},
    ignored=frozenset({"type", "links", "included", "attributes", "relationships"}),
    extra_of=("attributes/event_properties",),
    gives=frozenset({"deliveries", "links", "domains"}),
    precision="s",
    flags=("Bot Click", "machine_open"),
    export=(
        "Fetch /api/events with include=metric for the metrics Received Email, Opened Email, Clicked Email and "
        "Unsubscribed from Email Marketing, and save every page as it is, one a line or one a file. Without "
        "include=metric events do not say what they are."
    ),
    lacks=(
        "The client's address; its agent (only a parsed name of the client); the time of sending; HTTP methods; "
        "positions of links."
    ),
)
