"""HubSpot: pages of the Email Events API.

Fields: HubSpot developer documentation, "Email Events API Overview" (Email analytics).
"""

from features.readers.platform import Envelope, Platform, Signature

HUBSPOT = Platform(
    name="hubspot",
    title="HubSpot",
    signatures=(Signature(("id", "created", "type", "recipient", "portalId")),),
    envelopes=(Envelope(("hasMore", "offset", "events"), "events", empty="a page without events"),),
    columns={
        "event_id": "{id} || ':' || {created}",
        "event_type": """CASE WHEN {type} = 'STATUSCHANGE'
            THEN CASE coalesce({portalSubscriptionStatus}, {subscriptions/0/status})
                WHEN 'UNSUBSCRIBED' THEN 'unsubscribed' WHEN 'SUBSCRIBED' THEN 'subscribed' ELSE {type} END
            ELSE {type} END""",
        "event_type_raw": "{type}",
        "timestamp": "{created}",
        "sent_at": "{sentBy/created}",
        "campaign_id": "{emailCampaignId}",
        # The message is the event of its sending, which names itself.
        "message_id": "coalesce({sentBy/id}, {id})",
        "recipient_id": "{recipient}",
        "url": "{url}",
        "link_id": "{linkId}",
        "user_agent": "{userAgent}",
        "referer": "{referer}",
        "platform_machine": "{filteredEvent}",
    },
    ignored=frozenset({"browser", "location", "hmid", "emailCampaignGroupId", "sentBy", "causedBy", "obsoletedBy"}),
    gives=frozenset({"agent", "deliveries", "links", "domains"}),
    precision="ms",
    source_filtering=(
        "events that the account's own filters catch (addresses and bots named in its settings) are left out where "
        "the request said excludeFilteredEvents"
    ),
    flags=("filteredEvent",),
    export=(
        "Fetch /email/public/v1/events page by page, without excludeFilteredEvents, and save every answer as it "
        "is, one a line or one a file."
    ),
    lacks=(
        "The client's address, which is no longer given; HTTP methods. filteredEvent tells what the account's own "
        "filter caught, not what HubSpot found."
    ),
)
