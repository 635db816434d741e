"""The canonical event table: one row an event, the same columns whatever platform it came from.

Names follow django-anymail's tracking events and the dbt packages that analysts already have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a table: its DuckDB type, whether it may be NULL, and what it means."""

    name: str
    type: str
    nullable: bool
    description: str


EVENT_COLUMNS: tuple[Column, ...] = (
    Column("event_id", "VARCHAR", False, "the platform's id, else a hash of the row's identity"),
    Column("event_id_origin", "VARCHAR", False, "vendor or derived"),
    Column("source", "VARCHAR", False, "the reader that produced the row"),
    Column("event_type", "VARCHAR", False, "the canonical word, always in the past tense"),
    Column("event_type_raw", "VARCHAR", False, "the platform's own word"),
    Column("timestamp", "TIMESTAMPTZ", False, "when it happened, UTC, microseconds"),
    Column("ts_precision", "VARCHAR", False, "s, ms or us: how finely this row's time was given"),
    Column("sent_at", "TIMESTAMPTZ", True, "when the message was sent; NULL where nobody says"),
    Column("delivered_at", "TIMESTAMPTZ", True, "when the message was delivered; NULL where nobody says"),
    Column("campaign_id", "VARCHAR", True, "the mailing"),
    Column("message_id", "VARCHAR", True, "one email to one recipient; from campaign and recipient where missing"),
    Column("recipient_id", "VARCHAR", True, "an opaque id; addresses are hashed with the project key"),
    Column("recipient_domain", "VARCHAR", True, "the part after @, lower case"),
    Column("url", "VARCHAR", True, "the link as clicked"),
    Column("link_id", "VARCHAR", True, "position in the mail, or the platform's id"),
    Column("ip", "VARCHAR", True, "address of the client only; NULL where invalid or not given"),
    Column("user_agent", "VARCHAR", True, "of the client only; NULL where missing, however it was spelt"),
    Column("http_method", "VARCHAR", True, "GET, HEAD, POST; access logs and trackers that keep it"),
    Column("http_status", "SMALLINT", True, "answer of the tracking server"),
    Column("referer", "VARCHAR", True, "as sent by the client"),
    Column("unsubscribe_method", "VARCHAR", True, "link, one_click, list_unsubscribe, page, complaint"),
    Column("platform_machine", "BOOLEAN", True, "what the platform itself says; never a feature"),
    Column("platform_machine_reason", "VARCHAR", True, "the platform's field and value"),
    Column("is_synthetic", "BOOLEAN", False, "the platform made the event up: no request happened"),
    Column("dup_count", "INTEGER", False, "copies of this event folded into this row, 0 for none"),
    Column("raw_ref", "VARCHAR", False, "file and record number"),
    Column("extra", "VARCHAR", True, "unknown scalar fields as a JSON object"),
)

CAMPAIGN_COLUMNS: tuple[Column, ...] = (
    Column("campaign_id", "VARCHAR", False, "the mailing"),
    Column("sent_at", "TIMESTAMPTZ", True, "when the mailing was sent, UTC"),
    Column("n_links", "INTEGER", True, "tracked links: the unsubscribe link counted, the hidden one not"),
    Column("honeypot_url", "VARCHAR", True, "the hidden link that no person sees"),
    Column("unsubscribe_url", "VARCHAR", True, "the unsubscribe link"),
)

DOMAIN_COLUMNS: tuple[Column, ...] = (
    Column("recipient_domain", "VARCHAR", False, "the part after @, lower case"),
    Column("mx", "VARCHAR", True, "names of its mail exchangers, in order, a blank between; NULL where not known"),
)

LABEL_COLUMNS: tuple[Column, ...] = (
    Column("event_id", "VARCHAR", True, "of the labelled event; only where raw_ref is NULL"),
    Column("raw_ref", "VARCHAR", True, "file and record number of the labelled event, as scored files give it"),
    Column("automated", "BOOLEAN", False, "true: a machine made it; false: a person"),
    Column("actor", "VARCHAR", True, "who made it"),
    Column("source", "VARCHAR", True, "where the label comes from"),
    Column("weight", "DOUBLE", True, "how much the row counts in training; NULL is 1"),
)

CONVERSION_COLUMNS: tuple[Column, ...] = (
    Column("event_type", "VARCHAR", True, "what was done, in the file's own word; NULL is a conversion"),
    Column("timestamp", "TIMESTAMPTZ", False, "when it was done, UTC, microseconds"),
    Column("campaign_id", "VARCHAR", True, "the mailing"),
    Column("message_id", "VARCHAR", True, "the email that led to it"),
    Column("recipient_id", "VARCHAR", True, "who did it; addresses are hashed with the project key"),
    Column("ip", "VARCHAR", True, "address of the client; NULL where invalid or not given"),
    Column("user_agent", "VARCHAR", True, "of the client"),
)


def event_row(alias: str, file: str = "file_no", record: str = "record") -> str:
    """SQL of the number that stands for a row of `alias`: its file's number and its record's in one.

    The same on DuckDB and Spark; a file may have 2**40 records.
    """
    return f"CAST({alias}.{file} AS BIGINT) * {2**40} + {alias}.{record}"


# The events that a model judges.
ENGAGEMENT: tuple[str, ...] = ("opened", "clicked", "unsubscribed")

# Canonical word -> the words read as it, after lower-casing and folding spaces, dots and dashes to "_".
EVENT_WORDS: Mapping[str, tuple[str, ...]] = {
    "queued": ("queued", "processed", "accepted", "injection", "queue"),
    "sent": (
        "sent",
        "send",
        "email_sent",
        "emailsend",
        "sends",
        "email_send",
        "send_email",
        "sent_email",
        "request",
        "requests",
    ),
    "delivered": (
        "delivered",
        "delivery",
        "deliver",
        "email_delivered",
        "received_email",
        "deliveries",
        "email_delivery",
        "delivered_email",
    ),
    "opened": (
        "opened",
        "open",
        "email_opened",
        "email_open",
        "emailopen",
        "opens",
        "opened_email",
        "open_email",
        "email_opens",
    ),
    "clicked": (
        "clicked",
        "click",
        "email_clicked",
        "email_click",
        "emailclick",
        "clicked_link",
        "link_clicked",
        "email_link_clicked",
        "clicked_email",
        "clicks",
        "click_email",
        "email_clicks",
        "link_click",
        "click_link",
        "email_link_click",
    ),
    "unsubscribed": (
        "unsubscribed",
        "unsubscribe",
        "unsub",
        "group_unsubscribe",
        "list_unsubscribe",
        "link_unsubscribe",
        "emailunsubscribe",
        "opt_out",
        "opted_out",
        "unsubscribes",
        "email_unsubscribed",
        "email_unsubscribe",
        "unsubscribed_email",
        "unsubscribe_email",
    ),
    "subscribed": ("subscribed", "subscribe", "group_resubscribe", "resubscribe"),
    "complained": (
        "complained",
        "complaint",
        "spamreport",
        "spam_complaint",
        "spamcomplaint",
        "spam",
        "email_marked_as_spam",
        "marked_as_spam",
        "mark_as_spam",
        "complaints",
        "complain",
        "spam_report",
        "email_complained",
        "email_complaint",
    ),
    "bounced": (
        "bounced",
        "bounce",
        "hard_bounce",
        "soft_bounce",
        "email_bounced",
        "bounces",
        "email_bounce",
        "bounced_email",
        "hard_bounced",
        "soft_bounced",
    ),
    "deferred": ("deferred", "delay", "deliverydelay", "delayed", "deferral", "delivery_delayed"),
    "rejected": ("rejected", "reject", "dropped", "policy_rejection", "rendering_failure"),
    "failed": ("failed", "error", "error_sending_email"),
}
UNKNOWN_EVENT = "unknown"

# Canonical column -> names found in warehouses and exports, compared in lower case with "_" for spaces and dots.
# Among them OpenTelemetry's (client.address, user_agent.original, http.request.method, url.full; http.client_ip and
# http.url of its older versions), Segment's flattened ones (context_ip), and those of connectors and their dbt packages
# (occurred_at, activity_timestamp, member_id, recipient_email_address).
COLUMN_ALIASES: Mapping[str, tuple[str, ...]] = {
    "event_id": ("eventid", "id", "uuid", "_id", "sg_event_id", "activity_id"),
    "event_type": (
        "event",
        "type",
        "action",
        "event_name",
        "eventtype",
        "activity",
        "activity_type",
        "action_type",
        "metric_name",
    ),
    "timestamp": (
        "ts",
        "time",
        "occurred_at",
        "created_at",
        "event_time",
        "event_timestamp",
        "datetime",
        "date",
        "event_at",
        "activity_timestamp",
        "activity_date",
        "created_timestamp",
        "time_unix_nano",
    ),
    "sent_at": ("send_time", "sent_time", "sent", "date_sent", "sent_timestamp"),
    "delivered_at": ("delivery_time", "delivered_time", "delivered_timestamp"),
    "campaign_id": (
        "campaign",
        "campaignid",
        "mailing_id",
        "mailing",
        "newsletter_id",
        "email_campaign_id",
        "campaign_name",
    ),
    "message_id": ("messageid", "msg_id", "delivery_id", "send_id", "email_id", "email_send_id"),
    "recipient_id": (
        "recipient",
        "email",
        "email_address",
        "contact_id",
        "subscriber_id",
        "lead_id",
        "person_id",
        "user_id",
        "rcpt_to",
        "recipient_email",
        "recipient_email_address",
        "member_id",
        "user_email",
        "to_email",
        "recipient_address",
        "to",
    ),
    "recipient_domain": ("domain", "email_domain"),
    "url": ("click_url", "link", "link_url", "href", "target_url", "clicked_url", "url_full", "http_url"),
    "link_id": ("link_position", "url_offset", "href_index", "link_index"),
    "ip": (
        "client_ip",
        "ip_address",
        "ipaddress",
        "remote_addr",
        "client_address",
        "context_ip",
        "remote_ip",
        "http_client_ip",
    ),
    "user_agent": (
        "useragent",
        "ua",
        "agent",
        "http_user_agent",
        "user_agent_original",
        "context_useragent",
        "context_user_agent",
    ),
    "http_method": ("method", "request_method", "http_request_method"),
    "http_status": ("status", "status_code", "http_response_status_code", "http_status_code"),
    "referer": ("referrer", "http_referer", "http_request_header_referer"),
    "unsubscribe_method": (),
    "platform_machine": ("is_bot", "is_bot_activity", "bot", "machine_open", "sg_machine_open"),
    "platform_machine_reason": (),
}
LABEL_ALIASES: Mapping[str, tuple[str, ...]] = {
    "event_id": ("eventid", "id"),
    "raw_ref": (),
    "automated": ("is_automated", "machine", "is_bot", "bot", "label"),
    "actor": (),
    "source": (),
    "weight": ("sample_weight",),
}
DOMAIN_ALIASES: Mapping[str, tuple[str, ...]] = {
    "recipient_domain": ("domain", "email_domain"),
    "mx": ("mx_record", "mx_records", "mx_host", "mx_hosts", "mail_exchanger", "exchange"),
}
CAMPAIGN_ALIASES: Mapping[str, tuple[str, ...]] = {
    "campaign_id": ("campaign", "campaignid", "id"),
    "sent_at": ("send_time", "sent", "sent_time"),
    "n_links": ("links", "link_count"),
    "honeypot_url": ("honeypot", "hidden_url"),
    "unsubscribe_url": ("unsubscribe", "unsub_url"),
}
