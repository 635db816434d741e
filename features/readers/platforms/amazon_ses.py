"""Amazon SES: event publishing (by SNS, Firehose or EventBridge) and the older feedback notifications.

Fields: Amazon SES Developer Guide, "Examples of event data that Amazon SES publishes to Firehose" and "Contents of
event data that Amazon SES publishes to Amazon SNS".
"""

from features.readers.platform import Platform, Signature

_MOMENTS = ("open", "click", "delivery", "bounce", "complaint", "deliveryDelay", "subscription")
# Who of several recipients an event is about, where it names one.
_ABOUT = ("bounce/bouncedRecipients", "complaint/complainedRecipients", "deliveryDelay/delayedRecipients")
_ALONE = "CASE WHEN {{{0}/1}} IS NULL THEN {{{0}/0/emailAddress}} END"
_OPTED_OUT = "len(regexp_extract_all(coalesce({{subscription/{}/topicSubscriptionStatus}}, ''), 'OptOut'))"

AMAZON_SES = Platform(
    name="ses",
    title="Amazon SES",
    signatures=(
        Signature(("eventType", "mail/messageId")),
        Signature(("notificationType", "mail/messageId")),
    ),
    columns={
        # To leave one topic is to unsubscribe too.
        "event_type": f"""CASE WHEN {{:word}} = 'Subscription'
                AND {{subscription/newTopicPreferences/unsubscribeAll}} = 'false'
                AND ({{subscription/oldTopicPreferences/unsubscribeAll}} IS NOT DISTINCT FROM 'true'
                    OR {_OPTED_OUT.format("newTopicPreferences")} <= {_OPTED_OUT.format("oldTopicPreferences")})
            THEN 'subscribed' ELSE {{:word}} END""",
        "event_type_raw": "{:word}",
        # mail/timestamp is when the message was accepted, a notification's own is when that was sent.
        "timestamp": f"coalesce({', '.join(f'{{{name}/timestamp}}' for name in _MOMENTS)}, {{mail/timestamp}})",
        "sent_at": "{mail/timestamp}",
        "campaign_id": """coalesce({mail/tags/campaign/0}, {mail/tags/campaign_id/0}, {mail/tags/campaignId/0},
            {mail/tags/campaign-id/0}, {mail/tags/Campaign/0}, {mail/tags/ses:configuration-set/0})""",
        "message_id": "{mail/messageId}",
        # With several recipients nobody knows whose client it was.
        "recipient_id": f"""CASE WHEN {{mail/destination/1}} IS NULL THEN {{mail/destination/0}}
            ELSE coalesce(CASE WHEN {{delivery/recipients/1}} IS NULL THEN {{delivery/recipients/0}} END,
                {", ".join(_ALONE.format(path) for path in _ABOUT)}) END""",
        "url": "{click/link}",
        "ip": "coalesce({open/ipAddress}, {click/ipAddress})",
        # A complaint's is the program of the mailbox provider that passed it on.
        "user_agent": "coalesce({open/userAgent}, {click/userAgent})",
        "unsubscribe_method": """CASE {subscription/source} WHEN 'UnsubscribeHeader' THEN 'list_unsubscribe'
            ELSE lower({subscription/source}) END""",
    },
    fields={"word": "coalesce({eventType}, {notificationType})"},
    words={"Subscription": "unsubscribed", "DeliveryDelay": "deferred"},
    controls={
        "a notification that SES can reach the topic": "{:word} = 'AmazonSnsSubscriptionSucceeded'",
        "a received mail": "{:word} = 'Received'",
    },
    extra_of=("open", "click", "mail/tags"),
    ignored=frozenset(
        {
            *(*_MOMENTS, "send", "reject", "failure", "content", "receipt", "click/linkTags"),
            *(f"mail/tags/ses:{name}" for name in ("caller-identity", "from-domain", "operation", "source-ip")),
            *(f"mail/tags/ses:{name}" for name in ("outgoing-ip", "source-tls-version", "outgoing-tls-version")),
        }
    ),
    gives=frozenset({"address", "agent", "deliveries", "links", "domains"}),
    precision="ms",
    export=(
        "Give a configuration set an event destination: Firehose to S3 is the simplest, and its files can be read as"
        " they lie there, by date, without an extension, with or without a delimiter."
    ),
    lacks="ids of events; the recipient of opens and clicks where one message went to several; HTTP methods.",
    tried=True,
)
