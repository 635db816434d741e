"""Salesforce Marketing Cloud: the Event Notification Service (JSON), and the tracking extract (CSV).

Fields: Salesforce Developers, "Engagement Email Events" and "Supported Notification Events" of the Event Notification
Service; Salesforce Help, "Tracking Extract" and its pages on the output of Clicks, Opens, Sent and Unsubs.
"""

from features.readers.platform import Platform, Signature

SALESFORCE = Platform(
    name="salesforce",
    title="Salesforce Marketing Cloud",
    signatures=(
        Signature(("eventCategoryType", "timestampUTC", "composite")),
        Signature(("SendID", "SubscriberKey", "EventDate", "EventType")),
        Signature(("JobID", "SubscriberKey", "EventDate", "EventType")),
    ),
    columns={
        "event_type": "{:word}",
        "event_type_raw": "coalesce({eventCategoryType}, {EventType})",
        "timestamp": "coalesce({timestampUTC}, {EventDate})",
        "campaign_id": "coalesce({composite/jobId}, {SendID}, {JobID})",
        "message_id": """coalesce({composite/jobId}, {SendID}, {JobID}) || ':' || coalesce({composite/batchId},
            {BatchID}, '0') || ':' || coalesce({composite/subscriberId}, {SubscriberID})""",
        "recipient_id": "coalesce({SubscriberKey}, {SubscriberID}, {info/subscriberKey}, {composite/subscriberId})",
        "recipient_domain": "nullif(split_part(coalesce({EmailAddress}, {info/to}, ''), '@', 2), '')",
        "url": "coalesce({info/contentLink}, {URL})",
        "link_id": "coalesce({info/jobUrlId}, {SendURLID})",
        "ip": "{info/ipAddress}",
        "user_agent": "{info/userAgent}",
        "unsubscribe_method": "CASE WHEN {:word} IN ('EmailUnsubscribe', 'Unsubscribe') THEN 'link' END",
    },
    fields={"word": "regexp_extract(coalesce({eventCategoryType}, {EventType}), '[^.]+$')"},
    words={
        "EmailSent": "sent",
        "EmailNotSent": "rejected",
        "EmailBounced": "bounced",
        "NotSent": "rejected",
        "HardBounce": "bounced",
        "SoftBounce": "bounced",
    },
    controls={
        "an event of another channel (SMS)": "regexp_matches({eventCategoryType}, '\\.Sms')",
        "a check of the callback's address": "{verificationKey} IS NOT NULL",
    },
    ignored=frozenset(
        {"composite", "info", "compositeId", "mid", "eid", "ClientID", "ListID", "URLID", "TriggeredSendExternalKey"}
    ),
    zone="Etc/GMT+6",
    date_order="month",
    gives=frozenset({"address", "agent", "links", "domains"}),
    precision="ms",
    export=(
        "Subscribe a callback to EngagementEvents of the Event Notification Service and store its bodies: only "
        "they have addresses and agents. Or run a tracking extract and name its Sent.csv, Opens.csv, Clicks.csv "
        "and Unsubs.csv in one command; its times are UTC-6 all year, and are read so."
    ),
    lacks=(
        "Ids of events; deliveries; HTTP methods. The tracking extract has neither addresses nor agents, and whole "
        "seconds; the Event Notification Service names no address of a recipient, so that the domain is known from "
        "the extract alone."
    ),
)
