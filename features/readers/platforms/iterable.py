"""Iterable: bodies of system webhooks (fields in `dataFields`), and data exports (flat, CSV or JSON lines).

Fields: Iterable Support Center, "System Webhooks", and API reference, "Export data to CSV" and "Export data to JSON".
"""

from features.readers.platform import Platform, Signature


def _either(name: str) -> str:
    return f"coalesce({{dataFields/{name}}}, {{{name}}})"


ITERABLE = Platform(
    name="iterable",
    title="Iterable",
    signatures=(
        Signature(("eventName", "dataFields/campaignId")),
        Signature(("campaignId", "templateId", "messageId", "createdAt")),
    ),
    columns={
        "event_type": "{:word}",
        "timestamp": _either("createdAt"),
        "campaign_id": _either("campaignId"),
        "message_id": _either("messageId"),
        "recipient_id": "coalesce({email}, {dataFields/email}, {userId}, {dataFields/userId})",
        "url": f"coalesce({_either('url')}, {_either('linkUrl')})",
        "link_id": f"coalesce({_either('hrefIndex')}, {_either('linkId')})",
        "ip": _either("ip"),
        "user_agent": _either("userAgent"),
        "unsubscribe_method": "CASE WHEN {:word} ILIKE 'hostedUnsubscribe%' THEN 'page' END",
        "platform_machine": _either("isBot"),
        "platform_machine_reason": f"""nullif(concat_ws(', ', 'isBot=' || {_either("isBot")},
            'proxySource=' || {_either("proxySource")}), '')""",
    },
    # An export has one kind of event a file and does not say which; clicks alone have a link, opens a client.
    fields={
        "word": """coalesce({eventName}, CASE
            WHEN {?hrefIndex} OR {?url} OR {?linkUrl} THEN 'emailClick'
            WHEN {?userAgent} OR {?proxySource} THEN 'emailOpen' END)""",
    },
    words={
        "emailBounce": "bounced",
        "emailComplaint": "complained",
        "emailSubscribe": "subscribed",
        "emailSendSkip": "rejected",
        "hostedUnsubscribeClick": "unsubscribed",
    },
    controls={
        "an event of another channel": "regexp_matches({:word}, '(?i)^(push|sms|in.?app|web.?push|embedded|whatsapp)')",
    },
    ignored=frozenset({"dataFields"}),
    extra_of=("dataFields",),
    gives=frozenset({"address", "agent", "links", "domains"}),
    precision="s",
    flags=("isBot", "proxySource"),
    export=(
        "Export emailSend, emailOpen, emailClick and emailUnSubscribe of the time in question (Data export, or the "
        "export API) as CSV or JSON lines and name all the files in one command; or store the bodies of system "
        "webhooks."
    ),
    lacks=(
        "Deliveries; ids of events; HTTP methods. A file of an export does not say which kind of event it holds: "
        "opens and clicks are told by their columns, for the others add a column eventName."
    ),
)
