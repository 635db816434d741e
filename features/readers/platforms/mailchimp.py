"""Mailchimp Marketing: answers of the email activity report, or a connector's table of it.

Fields: Mailchimp Marketing API reference, "Email Activity" (reports); connector: the Mailchimp dbt package's source
table campaign_recipient_activity.
"""

from features.readers.platform import Envelope, Platform, Signature

MAILCHIMP = Platform(
    name="mailchimp",
    title="Mailchimp Marketing",
    signatures=(
        Signature(("action", "timestamp", "campaign_id", "list_id", "member_id")),
        Signature(("action", "timestamp", "campaign_id", "list_id", "email_id")),
    ),
    envelopes=(
        Envelope(("emails", "total_items"), "emails", empty="a page without recipients"),
        Envelope(
            ("campaign_id", "email_id", "activity"),
            "activity",
            {name: f"{{{name}}}" for name in ("campaign_id", "list_id", "email_id", "email_address")},
            empty="a recipient without activity",
        ),
    ),
    columns={
        "event_type": "{action}",
        "timestamp": "{timestamp}",
        "campaign_id": "{campaign_id}",
        "recipient_id": "coalesce({email_address}, {member_id}, {email_id})",
        "url": "{url}",
        "ip": "{ip}",
    },
    ignored=frozenset({"list_id", "combination_id", "bounce_type", "type", "title", "_fivetran_synced"}),
    zone="UTC",
    gives=frozenset({"address", "links", "domains"}),
    precision="s",
    export=(
        "Fetch /reports/CAMPAIGN/email-activity page by page and save every answer as it is, or export the table "
        "campaign_recipient_activity of a connector. The CSV reports of the web interface hold totals and no "
        "events. Give the times of sending with --campaigns."
    ),
    lacks=(
        "The client's agent; ids of messages and events; deliveries; unsubscribes; HTTP methods. A connector's "
        "table has hashes of recipients and no domains."
    ),
    tried=True,
)
