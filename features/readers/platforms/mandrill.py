"""Mailchimp Transactional (Mandrill): its webhook's events, as an array or still in the form field that carried them.

Fields: Mailchimp Developer, "Transactional: Webhooks"; Mandrill help, "Message Event Webhook Format".
"""

from features.readers.platform import Envelope, Platform, Signature

MANDRILL = Platform(
    name="mandrill",
    title="Mailchimp Transactional (Mandrill)",
    signatures=(Signature(("event", "ts", "_id", "msg")),),
    envelopes=(Envelope(("mandrill_events",), "mandrill_events", empty="a request without events"),),
    columns={
        "event_type": "{event}",
        "timestamp": "{ts}",
        "sent_at": "{msg/ts}",
        "campaign_id": """coalesce({msg/metadata/campaign_id}, {msg/metadata/campaign}, {msg/tags/0}, {msg/template},
            {msg/subaccount})""",
        # The platform's _id is the message's; an event has none.
        "message_id": "coalesce({_id}, {msg/_id})",
        "recipient_id": "{msg/email}",
        "url": "{url}",
        "ip": "{ip}",
        "user_agent": "{user_agent}",
        "unsubscribe_method": "CASE WHEN {event} = 'unsub' THEN 'link' END",
    },
    words={"deferral": "deferred"},
    controls={
        "a change of the allow or deny list": "{event} IS NULL AND {action} IS NOT NULL",
        "incoming mail": "{event} = 'inbound'",
    },
    ignored=frozenset({"location", "user_agent_parsed", "type", "entry"}),
    gives=frozenset({"address", "agent", "deliveries", "links", "domains"}),
    precision="s",
    export=(
        "Add a webhook for sent, delivered, opened, clicked and the unsubscribes, and store the form field "
        "mandrill_events of every request, or whole bodies as they came, one a line or one a file."
    ),
    lacks=(
        "Ids of events, so that only wholly identical records are known to be copies; HTTP methods; positions of "
        "links. The delivered event is to be switched on."
    ),
    tried=True,
)
