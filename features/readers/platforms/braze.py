"""Braze Currents: Avro or Parquet files in object storage, one kind of event a file.

Fields: Braze documentation, "Message Engagement Events" (event glossary of Currents).
"""

from features.readers.platform import Platform, Signature

_KINDS = "Send|Delivery|Open|Click|Unsubscribe|Bounce|SoftBounce|MarkAsSpam"

BRAZE = Platform(
    name="braze",
    title="Braze Currents",
    signatures=(Signature(("id", "time", "user_id", "dispatch_id")),),
    columns={
        "event_id": "{id}",
        "event_type": "{:word}",
        "timestamp": "{time}",
        "campaign_id": "coalesce({campaign_id}, {canvas_id})",
        # A dispatch may go to many people.
        "message_id": "{dispatch_id} || ':' || {user_id}",
        "recipient_id": "coalesce({email_address}, {external_user_id}, {user_id})",
        "url": "{url}",
        "link_id": "coalesce({link_id}, {link_alias})",
        "user_agent": "{user_agent}",
        "platform_machine": "coalesce({is_suspected_bot_click}, {machine_open})",
        # The reason is given even where the account has not switched the flag on.
        "platform_machine_reason": """nullif(concat_ws(', ', 'machine_open=' || {machine_open},
            'is_suspected_bot_click=' || {is_suspected_bot_click},
            'suspected_bot_click_reason=' || nullif({suspected_bot_click_reason}, '[]')), '')""",
    },
    # The kind of event is in the file's path; where that was lost, columns tell that only one kind has. A table with
    # the columns of several kinds tells by their values.
    fields={
        "whole": """regexp_replace(
            regexp_extract({:path}, 'users[._](messages|canvas|campaigns|behaviors)[._][A-Za-z_.]+'),
            '([.](avro|parquet|jsonl?|csv|txt|gz))+$', '')""",
        # Nearest the end: Open/p.avro, Click-0001.parquet.
        "short": rf"regexp_extract({{:path}}, '^(?:.*[/\\=])?({_KINDS})([/\\].*|[^/\\A-Za-z][^/\\]*)?$', 1)",
        "given": "coalesce({event_type}, {event_name}, nullif({:whole}, ''), nullif({:short}, ''))",
        "has_click": "{?is_suspected_bot_click} OR {?link_alias} OR {?link_id} OR {?url}",
        "has_open": "{?machine_open}",
        "has_bounce": "{?bounce_reason}",
        "word": """coalesce(regexp_extract(nullif({:given}, ''), '[^._]+$'), CASE
            WHEN {:has_click} AND NOT {:has_open} AND NOT {:has_bounce} THEN 'Click'
            WHEN {:has_open} AND NOT {:has_click} AND NOT {:has_bounce} THEN 'Open'
            WHEN {:has_bounce} AND NOT {:has_click} AND NOT {:has_open} THEN 'Bounce'
            WHEN coalesce({url}, {link_id}, {link_alias}) IS NOT NULL THEN 'Click'
            WHEN {machine_open} IS NOT NULL THEN 'Open'
            WHEN {bounce_reason} IS NOT NULL THEN 'Bounce' END)""",
    },
    words={"SoftBounce": "bounced", "MarkAsSpam": "complained", "Retry": "deferred", "Deferral": "deferred"},
    controls={
        "an event of another channel": """regexp_matches({:given}, '(?i)users[._]')
            AND NOT regexp_matches({:given}, '(?i)messages[._]email[._]')""",
    },
    ignored=frozenset({"ip_pool", "sending_ip", "timezone", "app_group_id"}),
    gives=frozenset({"agent", "deliveries", "links", "domains"}),
    precision="s",
    flags=("machine_open", "is_suspected_bot_click", "suspected_bot_click_reason"),
    export=(
        "Let Currents write to object storage and copy the folders users.messages.email.Send, .Delivery, .Open, "
        ".Click and .Unsubscribe with their names: they say what the events are. Name the folder above them. Avro "
        "needs one more package: pip install 'clicksift[avro]'."
    ),
    lacks=(
        "The client's address (sending_ip is the sender's); HTTP methods. The kind of event is in the path of the "
        "file and not inside it: moved elsewhere, only clicks, opens and bounces are told by their columns."
    ),
)
