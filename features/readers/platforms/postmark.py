"""Postmark: bodies of its webhooks, and answers of its API for opens, clicks and bounces.

Fields: Postmark, "Webhooks" (open tracking, click, delivery, bounce, spam complaint, subscription change), "Messages
API" and "Bounce API" (bounce types).
"""

from features.readers.platform import Envelope, Platform, Signature

_TYPES = "Open|Click|Delivery|Bounce|SpamComplaint|SubscriptionChange|SMTPApiError"
# A bounce says in its Type what it is, a change of subscription by its reason why sending stops.
_WORD = """CASE
    WHEN {RecordType} = 'Bounce' THEN coalesce({Type}, {RecordType})
    WHEN {RecordType} = 'SubscriptionChange' THEN
        CASE WHEN {SuppressSending} = 'false' THEN 'Subscribe'
             WHEN {SuppressionReason} = 'ManualSuppression' THEN 'Unsubscribe'
             ELSE coalesce({SuppressionReason}, {RecordType}) END
    ELSE {RecordType} END"""
_EMPTY = "a page without events"

POSTMARK = Platform(
    name="postmark",
    title="Postmark",
    signatures=(Signature(("RecordType",), {"RecordType": f"^({_TYPES})$"}),),
    envelopes=(
        # Elements of these lists do not all say what they are.
        Envelope(("TotalCount", "Opens"), "Opens", {"RecordType": "'Open'"}, _EMPTY),
        Envelope(("TotalCount", "Clicks"), "Clicks", {"RecordType": "'Click'"}, _EMPTY),
        Envelope(("TotalCount", "Bounces"), "Bounces", {"RecordType": "'Bounce'"}, _EMPTY),
    ),
    columns={
        # Only bounces and complaints have one.
        "event_id": "{ID}",
        "event_type": "{:word}",
        "event_type_raw": "CASE WHEN {RecordType} = 'Bounce' THEN {:word} ELSE {RecordType} END",
        "timestamp": "coalesce({ReceivedAt}, {DeliveredAt}, {BouncedAt}, {ChangedAt})",
        "campaign_id": "coalesce({Tag}, {Metadata/campaign_id}, {Metadata/campaign}, {MessageStream})",
        "message_id": "{MessageID}",
        "recipient_id": "coalesce({Recipient}, {Email})",
        "url": "{OriginalLink}",
        "ip": "{Geo/IP}",
        "user_agent": "{UserAgent}",
        # A bounce of this type is a mail to the address of the List-Unsubscribe header.
        "unsubscribe_method": """CASE WHEN {RecordType} = 'Bounce' AND {Type} = 'Unsubscribe'
            THEN 'list_unsubscribe' END""",
    },
    fields={"word": _WORD},
    words={
        "HardBounce": "bounced",
        "SoftBounce": "bounced",
        "VirusNotification": "bounced",
        "Transient": "deferred",
        "DnsError": "deferred",
        "SpamNotification": "complained",
        "BadEmailAddress": "rejected",
        "Blocked": "rejected",
        "DMARCPolicy": "rejected",
        "ManuallyDeactivated": "rejected",
        "Unconfirmed": "rejected",
        "SMTPApiError": "failed",
        "TemplateRenderingFailed": "failed",
    },
    controls={
        "an address that the sender blocked or freed": """{RecordType} = 'SubscriptionChange'
            AND {Origin} IN ('Customer', 'Admin')""",
    },
    extra_of=("Metadata",),
    ignored=frozenset(
        {
            *("CanActivate", "Client", "Content", "Description", "Details", "DumpAvailable", "From", "Inactive"),
            *("Name", "OS", "Platform", "ReadSeconds", "ServerID", "ServerId", "Subject", "TypeCode"),
        }
    ),
    gives=frozenset({"address", "agent", "deliveries", "links", "domains"}),
    precision="us",
    source_filtering=(
        "of each link only a message's first click is posted, and only the first open unless PostFirstOpenOnly is off:"
        " where a scanner came first, the person's own click is not in the file, so an automated click does not mean"
        " that nobody clicked"
    ),
    export=(
        "Set up webhooks for deliveries, opens (with PostFirstOpenOnly off), clicks, bounces, spam complaints and"
        " subscription changes, and store every body, one a line. Answers of the API for opens and clicks can be read"
        " as well, but hold no deliveries."
    ),
    lacks=(
        "every click on a link but the first; ids of most events; the time of sending; HTTP methods; the address where"
        " its location could not be told."
    ),
    tried=True,
)
