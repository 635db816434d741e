"""Small exports of every mapped platform, each with the rows that they mean."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
# 09:00:00 UTC on 2 March 2026.
EPOCH = 1772442000


@dataclass(frozen=True)
class Export:
    """Files of one platform, by name in reading order, and the rows they give; columns not named are NULL.

    `recipient_id` is an address where it is stored as its hash, and `recipient_domain` is then its domain.
    """

    name: str
    platform: str
    files: Mapping[str, str | bytes]
    rows: Sequence[Row]
    controls: Mapping[str, int] = field(default_factory=dict)


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def parquet(*records: Row) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(records)), target)
    return target.getvalue()


def avro(*records: Row) -> bytes:
    """One container with a schema of all the records' fields, each of which may be null, as Currents writes it."""
    kinds = {str: "string", int: "long", bool: "boolean", list: {"type": "array", "items": "string"}}
    samples: Row = {}
    for record in records:
        samples |= {name: value for name, value in record.items() if value is not None or name not in samples}
    fields = [
        {"name": name, "type": ["null", kinds[type(value)]] if value is not None else ["null", "string"]}
        for name, value in samples.items()
    ]
    target = io.BytesIO()
    schema = {"type": "record", "name": "Event", "namespace": "example", "fields": fields}
    fastavro.writer(target, fastavro.parse_schema(schema), list(records), codec="deflate")
    return target.getvalue()


def at(clock: str) -> str:
    return f"2026-03-02 {clock}+00"


ANN, BOB = "ann@example.com", "bob@example.org"

SPARKPOST_EVENTS: list[Row] = [
    {"message_event": {"type": "injection", "event_id": "92000000000000001", "timestamp": str(EPOCH),
                       "message_id": "0004aa01", "transmission_id": "650000000000000001", "rcpt_to": ANN,
                       "raw_rcpt_to": "Ann@example.com", "campaign_id": "spring", "sending_ip": "203.0.113.1"}},
    {"message_event": {"type": "delivery", "event_id": "92000000000000002", "timestamp": str(EPOCH + 2),
                       "message_id": "0004aa01", "transmission_id": "650000000000000001", "rcpt_to": ANN,
                       "raw_rcpt_to": ANN, "campaign_id": "spring", "ip_address": "203.0.113.9"}},
    {"track_event": {"type": "initial_open", "event_id": "92000000000000003", "timestamp": str(EPOCH + 60),
                     "message_id": "0004aa01", "transmission_id": "650000000000000001", "rcpt_to": ANN,
                     "raw_rcpt_to": ANN, "campaign_id": "spring", "ip_address": "192.0.2.10", "user_agent": FIREFOX}},
    {"track_event": {"type": "open", "event_id": "92000000000000004", "timestamp": str(EPOCH + 60),
                     "message_id": "0004aa01", "transmission_id": "650000000000000001", "rcpt_to": ANN,
                     "raw_rcpt_to": ANN, "campaign_id": "spring", "ip_address": "192.0.2.10", "user_agent": FIREFOX}},
    {"track_event": {"type": "amp_click", "event_id": "92000000000000005", "timestamp": str(EPOCH + 70),
                     "message_id": "0004aa01", "transmission_id": "650000000000000001", "rcpt_to": ANN,
                     "raw_rcpt_to": ANN, "campaign_id": "spring", "ip_address": "192.0.2.10", "user_agent": FIREFOX,
                     "target_link_name": "offer", "target_link_url": "https://example.com/offer"}},
    {"unsubscribe_event": {"type": "list_unsubscribe", "event_id": "92000000000000006", "timestamp": str(EPOCH + 80),
                           "message_id": "0004aa01", "transmission_id": "650000000000000001", "rcpt_to": ANN,
                           "raw_rcpt_to": ANN, "campaign_id": "spring"}},
]  # fmt: skip
_SPARKPOST_ALL: Row = {"campaign_id": "spring", "message_id": "0004aa01", "recipient_id": ANN,
                       "sent_at": at("09:00:00"), "delivered_at": at("09:00:02")}  # fmt: skip
_CLIENT: Row = {"ip": "192.0.2.10", "user_agent": FIREFOX}
SPARKPOST_ROWS: list[Row] = [
    {**_SPARKPOST_ALL, "event_type": "queued", "timestamp": at("09:00:00")},
    {**_SPARKPOST_ALL, "event_type": "delivered", "timestamp": at("09:00:02")},
    {**_SPARKPOST_ALL, **_CLIENT, "event_type": "opened", "timestamp": at("09:01:00"), "dup_count": 1},
    {**_SPARKPOST_ALL, **_CLIENT, "event_type": "clicked", "timestamp": at("09:01:10"),
     "url": "https://example.com/offer", "link_id": "offer"},
    {**_SPARKPOST_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20"),
     "unsubscribe_method": "list_unsubscribe"},
]  # fmt: skip

MANDRILL_EVENTS: list[Row] = [
    {"event": "send", "ts": EPOCH + 1, "_id": "aa01", "msg": {"_id": "aa01", "ts": EPOCH, "email": ANN,
                                                               "tags": ["spring"], "metadata": {"user": "7"}}},
    {"event": "delivered", "ts": EPOCH + 2, "_id": "aa01", "msg": {"_id": "aa01", "ts": EPOCH, "email": ANN,
                                                                   "tags": ["spring"]}},
    {"event": "open", "ts": EPOCH + 60, "_id": "aa01", "ip": "192.0.2.10", "user_agent": PROXY,
     "user_agent_parsed": None, "location": None,
     "msg": {"_id": "aa01", "ts": EPOCH, "email": ANN, "tags": ["spring"], "opens": [{"ts": EPOCH + 60}]}},
    {"event": "click", "ts": EPOCH + 70, "_id": "aa01", "ip": "192.0.2.10", "user_agent": FIREFOX,
     "url": "https://example.com/offer", "location": {"city": "Oslo"},
     "msg": {"_id": "aa01", "ts": EPOCH, "email": ANN, "tags": ["spring"]}},
    {"event": "hard_bounce", "ts": EPOCH + 2, "_id": "aa02", "msg": {"_id": "aa02", "ts": EPOCH, "email": BOB,
                                                                     "tags": ["spring"]}},
    {"type": "blacklist", "action": "add", "ts": EPOCH + 2, "reject": {"email": BOB}},
]  # fmt: skip
_MANDRILL_ALL: Row = {"campaign_id": "spring", "message_id": "aa01", "recipient_id": ANN,
                      "sent_at": at("09:00:00"), "delivered_at": at("09:00:02")}  # fmt: skip
MANDRILL_ROWS: list[Row] = [
    {**_MANDRILL_ALL, "event_type": "sent", "timestamp": at("09:00:01")},
    {**_MANDRILL_ALL, "event_type": "delivered", "timestamp": at("09:00:02")},
    {**_MANDRILL_ALL, "event_type": "opened", "timestamp": at("09:01:00"), "ip": "192.0.2.10", "user_agent": PROXY},
    {**_MANDRILL_ALL, **_CLIENT, "event_type": "clicked", "timestamp": at("09:01:10"),
     "url": "https://example.com/offer"},
    {"event_type": "bounced", "timestamp": at("09:00:02"), "campaign_id": "spring", "message_id": "aa02",
     "recipient_id": BOB, "sent_at": at("09:00:00")},
]  # fmt: skip
MANDRILL_CONTROLS = {"a change of the allow or deny list": 1}

_MAILJET: Row = {"MessageID": 1152921504606846977, "Message_GUID": "6a0c", "email": ANN, "mj_campaign_id": 8300000001,
                 "mj_contact_id": 41, "customcampaign": "spring", "Payload": ""}  # fmt: skip
MAILJET_EVENTS: list[Row] = [
    {"event": "sent", "time": EPOCH + 2, **_MAILJET, "mj_message_id": "1152921504606846977",
     "smtp_reply": "sent (250 2.0.0 OK)"},
    {"event": "open", "time": EPOCH + 60, **_MAILJET, "ip": "192.0.2.10", "geo": "NO", "agent": PROXY},
    {"event": "click", "time": EPOCH + 70, **_MAILJET, "ip": "192.0.2.10", "geo": "NO", "agent": FIREFOX,
     "url": "https://example.com/offer"},
    {"event": "open", "time": EPOCH + 71, **_MAILJET, "ip": "192.0.2.10", "geo": "NO", "agent": FIREFOX,
     "url": "https://example.com/help"},
    {"event": "unsub", "time": EPOCH + 80, **_MAILJET, "ip": "198.51.100.7", "geo": "", "agent": "List-Unsubscribe",
     "mj_list_id": 0},
    {"event": "blocked", "time": EPOCH + 2, **_MAILJET, "MessageID": 1152921504606846978, "mj_campaign_id": 0,
     "email": BOB, "error": "preblocked"},
]  # fmt: skip
_MAILJET_ALL: Row = {"campaign_id": "8300000001", "message_id": "1152921504606846977", "recipient_id": ANN,
                     "delivered_at": at("09:00:02")}  # fmt: skip
MAILJET_ROWS: list[Row] = [
    {**_MAILJET_ALL, "event_type": "delivered", "timestamp": at("09:00:02")},
    {**_MAILJET_ALL, "event_type": "opened", "timestamp": at("09:01:00"), "ip": "192.0.2.10", "user_agent": PROXY},
    {**_MAILJET_ALL, **_CLIENT, "event_type": "clicked", "timestamp": at("09:01:10"),
     "url": "https://example.com/offer"},
    {**_MAILJET_ALL, **_CLIENT, "event_type": "clicked", "timestamp": at("09:01:11"),
     "url": "https://example.com/help"},
    {**_MAILJET_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20"), "ip": "198.51.100.7",
     "unsubscribe_method": "one_click"},
    {"event_type": "rejected", "timestamp": at("09:00:02"), "campaign_id": "spring",
     "message_id": "1152921504606846978", "recipient_id": BOB},
]  # fmt: skip

ITERABLE_EVENTS: list[Row] = [
    {"eventName": "emailSend", "email": ANN, "userId": "u7",
     "dataFields": {"campaignId": 5501, "templateId": 77, "messageId": "ab01",
                    "createdAt": "2026-03-02 09:00:00 +00:00"}},
    {"eventName": "emailOpen", "email": ANN, "userId": "u7",
     "dataFields": {"campaignId": 5501, "templateId": 77, "messageId": "ab01",
                    "createdAt": "2026-03-02 09:01:00 +00:00",
                    "ip": "192.0.2.10", "userAgent": PROXY, "userAgentDevice": "Gmail", "proxySource": "Gmail"}},
    {"eventName": "emailClick", "email": ANN, "userId": "u7",
     "dataFields": {"campaignId": 5501, "templateId": 77, "messageId": "ab01",
                    "createdAt": "2026-03-02 11:01:10 +02:00",
                    "ip": "192.0.2.10", "userAgent": FIREFOX, "url": "https://example.com/offer", "hrefIndex": 2,
                    "isBot": True}},
    {"eventName": "hostedUnsubscribeClick", "email": ANN, "userId": "u7",
     "dataFields": {"campaignId": 5501, "messageId": "ab01", "createdAt": "2026-03-02 09:01:20 +00:00"}},
    {"eventName": "pushOpen", "email": ANN, "userId": "u7",
     "dataFields": {"campaignId": 5502, "messageId": "ab09", "createdAt": "2026-03-02 09:01:20 +00:00"}},
]  # fmt: skip
_ITERABLE_ALL: Row = {"campaign_id": "5501", "message_id": "ab01", "recipient_id": ANN, "sent_at": at("09:00:00")}
ITERABLE_ROWS: list[Row] = [
    {**_ITERABLE_ALL, "event_type": "sent", "timestamp": at("09:00:00")},
    {**_ITERABLE_ALL, "event_type": "opened", "timestamp": at("09:01:00"), "ip": "192.0.2.10", "user_agent": PROXY,
     "platform_machine_reason": "proxySource=Gmail"},
    {**_ITERABLE_ALL, **_CLIENT, "event_type": "clicked", "timestamp": at("09:01:10"),
     "url": "https://example.com/offer", "link_id": "2", "platform_machine": True,
     "platform_machine_reason": "isBot=true"},
    {**_ITERABLE_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20"), "unsubscribe_method": "page"},
]  # fmt: skip
ITERABLE_FILES = {
    "emailSend.csv": "createdAt,email,eventName,campaignId,templateId,messageId\n"
    f"2026-03-02 09:00:00 +00:00,{ANN},emailSend,5501,77,ab01\n",
    "emailOpen.csv": "createdAt,email,campaignId,templateId,messageId,ip,userAgent,userAgentDevice,proxySource\n"
    f'2026-03-02 09:01:00 +00:00,{ANN},5501,77,ab01,192.0.2.10,"{PROXY}",Gmail,Gmail\n'
    f"2026-03-02 09:01:05 +00:00,{ANN},5501,77,ab01,,,,\n",
    "emailClick.jsonl": lines(
        {"createdAt": "2026-03-02 09:01:10 +00:00", "email": ANN, "campaignId": 5501, "templateId": 77,
         "messageId": "ab01", "ip": "192.0.2.10", "userAgent": FIREFOX, "url": "https://example.com/offer",
         "hrefIndex": 2, "isBot": False},
    ),
}  # fmt: skip
ITERABLE_FILE_ROWS: list[Row] = [
    *ITERABLE_ROWS[:2],
    {**_ITERABLE_ALL, "event_type": "opened", "timestamp": at("09:01:05")},
    {**ITERABLE_ROWS[2], "platform_machine": False, "platform_machine_reason": "isBot=false"},
]

_ENS: Row = {"compositeId": "1.2.3.4", "mid": 10, "eid": 11,
             "composite": {"jobId": "1201", "batchId": "5", "listId": "9", "subscriberId": "4007"}}  # fmt: skip
SALESFORCE_EVENTS: list[Row] = [
    {"eventCategoryType": "TransactionalSendEvents.EmailSent", "timestampUTC": EPOCH * 1000, **_ENS,
     "info": {"to": ANN}},
    {"eventCategoryType": "EngagementEvents.EmailOpen", "timestampUTC": EPOCH * 1000 + 60_250, **_ENS,
     "info": {"ipAddress": "192.0.2.10", "userAgent": PROXY, "location": {}}},
    {"eventCategoryType": "EngagementEvents.EmailClick", "timestampUTC": EPOCH * 1000 + 70_001, **_ENS,
     "info": {"ipAddress": "192.0.2.10", "userAgent": FIREFOX, "jobUrlId": "3",
              "contentLink": "https://example.com/offer", "impressionRegion": ""}},
    {"eventCategoryType": "EngagementEvents.EmailUnsubscribe", "timestampUTC": EPOCH * 1000 + 80_000, **_ENS,
     "info": {}},
    {"eventCategoryType": "TransactionalSendEvents.SmsSent", "timestampUTC": EPOCH * 1000, **_ENS, "info": {}},
]  # fmt: skip
_ENS_ALL: Row = {"campaign_id": "1201", "message_id": "1201:5:4007", "recipient_id": "4007",
                 "sent_at": at("09:00:00")}  # fmt: skip
SALESFORCE_ROWS: list[Row] = [
    {**_ENS_ALL, "event_type": "sent", "timestamp": at("09:00:00"), "recipient_domain": "example.com"},
    {**_ENS_ALL, "event_type": "opened", "timestamp": at("09:01:00.25"), "ip": "192.0.2.10", "user_agent": PROXY},
    {**_ENS_ALL, **_CLIENT, "event_type": "clicked", "timestamp": at("09:01:10.001"),
     "url": "https://example.com/offer", "link_id": "3"},
    {**_ENS_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20"), "unsubscribe_method": "link"},
]  # fmt: skip
_SFMC_HEAD = "ClientID,SendID,SubscriberKey,EmailAddress,SubscriberID,ListID,EventDate,EventType"
SALESFORCE_FILES = {
    "Sent.csv": f"{_SFMC_HEAD},BatchID,TriggeredSendExternalKey\n"
    f"10,1201,K-7,{ANN},4007,9,3/2/2026 3:00:00 AM,Sent,5,\n",
    "Opens.csv": f"{_SFMC_HEAD},BatchID,TriggeredSendExternalKey\n"
    f"10,1201,K-7,{ANN},4007,9,3/2/2026 3:01:00 AM,Open,5,\n",
    "Clicks.csv": f"{_SFMC_HEAD},SendURLID,URLID,URL,Alias,BatchID,TriggeredSendExternalKey\n"
    f"10,1201,K-7,{ANN},4007,9,7/2/2026 3:01:10 PM,Click,31,32,https://example.com/offer,Offer,5,\n",
}
_SFMC_ALL: Row = {"campaign_id": "1201", "message_id": "1201:5:4007", "recipient_id": "K-7",
                  "recipient_domain": "example.com", "sent_at": at("09:00:00")}  # fmt: skip
SALESFORCE_FILE_ROWS: list[Row] = [
    {**_SFMC_ALL, "event_type": "sent", "timestamp": at("09:00:00")},
    {**_SFMC_ALL, "event_type": "opened", "timestamp": at("09:01:00")},
    # No summer time: 15:01 in July is 21:01 UTC as well.
    {**_SFMC_ALL, "event_type": "clicked", "timestamp": "2026-07-02 21:01:10+00",
     "url": "https://example.com/offer", "link_id": "31"},
]  # fmt: skip

_RESEND: Row = {"created_at": "2026-03-02T09:00:00.100Z", "email_id": "e-01", "from": "Shop <shop@example.net>",
                "subject": "Spring", "to": [f"Ann <{ANN}>"], "tags": {"category": "spring"}}  # fmt: skip
RESEND_EVENTS: list[Row] = [
    {"type": "email.sent", "created_at": "2026-03-02T09:00:00.300Z", "data": _RESEND},
    {"type": "email.delivered", "created_at": "2026-03-02T09:00:02.823Z", "data": _RESEND},
    {"type": "email.opened", "created_at": "2026-03-02T09:01:00.990Z", "data": _RESEND},
    {"type": "email.clicked", "created_at": "2026-03-02T09:01:10.500Z",
     "data": {**_RESEND, "click": {"ipAddress": "192.0.2.10", "userAgent": FIREFOX, "link": "https://example.com/offer",
                                   "timestamp": "2026-03-02T09:01:10.257Z"}}},
    {"type": "email.delivered", "created_at": "2026-03-02T09:00:03.000Z",
     "data": {**_RESEND, "email_id": "e-02", "to": [ANN, BOB]}},
    {"type": "contact.created", "created_at": "2026-03-02T09:00:03.000Z", "data": {"id": "c-1", "email": BOB}},
]  # fmt: skip
_RESEND_ALL: Row = {"campaign_id": "spring", "message_id": "e-01", "recipient_id": ANN,
                    "sent_at": at("09:00:00.1"), "delivered_at": at("09:00:02.823")}  # fmt: skip
RESEND_ROWS: list[Row] = [
    {**_RESEND_ALL, "event_type": "sent", "timestamp": at("09:00:00.3")},
    {**_RESEND_ALL, "event_type": "delivered", "timestamp": at("09:00:02.823")},
    {**_RESEND_ALL, "event_type": "opened", "timestamp": at("09:01:00.99")},
    {**_RESEND_ALL, **_CLIENT, "event_type": "clicked", "timestamp": at("09:01:10.257"),
     "url": "https://example.com/offer"},
    {"event_type": "delivered", "timestamp": at("09:00:03"), "campaign_id": "spring", "message_id": "e-02",
     "sent_at": at("09:00:00.1"), "delivered_at": at("09:00:03")},
]  # fmt: skip

_POSTAL: Row = {"id": 7, "token": "tk01", "direction": "outgoing", "message_id": "x1@rp.example.net", "to": ANN,
                "from": "shop@example.net", "timestamp": EPOCH + 0.25, "tag": "spring"}  # fmt: skip
POSTAL_EVENTS: list[Row] = [
    {"event": "MessageSent", "timestamp": EPOCH + 900.5, "uuid": "u-1",
     "payload": {"message": _POSTAL, "status": "Sent", "timestamp": EPOCH + 2.123456, "output": "250 OK"}},
    {"event": "MessageLoaded", "timestamp": EPOCH + 60.000125, "uuid": "u-2",
     "payload": {"message": _POSTAL, "ip_address": "2001:db8::7", "user_agent": PROXY}},
    {"event": "MessageLinkClicked", "timestamp": EPOCH + 70.5, "uuid": "u-3",
     "payload": {"message": _POSTAL, "url": "https://example.com/offer", "token": "lk1", "ip_address": "192.0.2.10",
                 "user_agent": FIREFOX}},
    {"event": "MessageBounced", "timestamp": EPOCH + 90, "uuid": "u-4",
     "payload": {"original_message": {**_POSTAL, "token": "tk02", "to": BOB, "tag": None}, "bounce": {"id": 9}}},
    {"event": "DomainDNSError", "timestamp": EPOCH + 90, "uuid": "u-5", "payload": {"domain": "example.net"}},
]  # fmt: skip
_POSTAL_ALL: Row = {"campaign_id": "spring", "message_id": "tk01", "recipient_id": ANN,
                    "sent_at": at("09:00:00.25"), "delivered_at": at("09:00:02.123456")}  # fmt: skip
POSTAL_ROWS: list[Row] = [
    {**_POSTAL_ALL, "event_type": "delivered", "timestamp": at("09:00:02.123456")},
    {**_POSTAL_ALL, "event_type": "opened", "timestamp": at("09:01:00.000125"), "ip": "2001:db8::7",
     "user_agent": PROXY},
    {**_POSTAL_ALL, **_CLIENT, "event_type": "clicked", "timestamp": at("09:01:10.5"),
     "url": "https://example.com/offer"},
    {"event_type": "bounced", "timestamp": at("09:01:30"), "message_id": "tk02", "recipient_id": BOB,
     "sent_at": at("09:00:00.25")},
]  # fmt: skip

_MAILTRAP: Row = {"sending_stream": "bulk", "category": "spring", "message_id": "m-01", "email": ANN,
                  "event_id": "ev-1"}  # fmt: skip
MAILTRAP_EVENTS: list[Row] = [
    {"event": "delivery", "timestamp": EPOCH + 2, **_MAILTRAP, "custom_variables": {"user": "7"}},
    {"event": "open", "timestamp": EPOCH + 60, **_MAILTRAP, "ip": "192.0.2.10", "user_agent": PROXY},
    {"event": "click", "timestamp": EPOCH + 70, **_MAILTRAP, "ip": "192.0.2.10", "user_agent": FIREFOX,
     "url": "https://example.com/offer"},
    {"event": "click", "timestamp": EPOCH + 70, **_MAILTRAP, "ip": "192.0.2.10", "user_agent": FIREFOX,
     "url": "https://example.com/offer"},
    {"event": "unsubscribe", "timestamp": EPOCH + 80, **_MAILTRAP, "ip": "192.0.2.10", "user_agent": FIREFOX},
    {"event": "soft bounce", "timestamp": EPOCH + 2, **_MAILTRAP, "message_id": "m-02", "email": BOB},
]  # fmt: skip
_MAILTRAP_ALL: Row = {"campaign_id": "spring", "message_id": "m-01", "recipient_id": ANN,
                      "delivered_at": at("09:00:02")}  # fmt: skip
MAILTRAP_ROWS: list[Row] = [
    {**_MAILTRAP_ALL, "event_type": "delivered", "timestamp": at("09:00:02")},
    {**_MAILTRAP_ALL, "event_type": "opened", "timestamp": at("09:01:00"), "ip": "192.0.2.10", "user_agent": PROXY},
    {**_MAILTRAP_ALL, **_CLIENT, "event_type": "clicked", "timestamp": at("09:01:10"),
     "url": "https://example.com/offer", "dup_count": 1},
    {**_MAILTRAP_ALL, **_CLIENT, "event_type": "unsubscribed", "timestamp": at("09:01:20"),
     "unsubscribe_method": "link"},
    {"event_type": "bounced", "timestamp": at("09:00:02"), "campaign_id": "spring", "message_id": "m-02",
     "recipient_id": BOB},
]  # fmt: skip

_BRAZE: Row = {"user_id": "b7", "external_user_id": "K-7", "timezone": "Europe/Oslo", "dispatch_id": "d1",
               "campaign_id": "cp1", "canvas_id": None, "email_address": ANN}  # fmt: skip
BRAZE_DELIVERY: Row = {"id": "i1", "time": EPOCH + 2, **_BRAZE, "sending_ip": "203.0.113.1", "ip_pool": "main"}
BRAZE_OPENS: list[Row] = [
    {"id": "i2", "time": EPOCH + 60, **_BRAZE, "user_agent": PROXY, "machine_open": "true", "ip_pool": "main"},
    {"id": "i3", "time": EPOCH + 61, **_BRAZE, "user_agent": FIREFOX, "machine_open": None, "ip_pool": "main"},
]
BRAZE_CLICKS: list[Row] = [
    {"id": "i4", "time": EPOCH + 70, **_BRAZE, "user_agent": FIREFOX, "url": "https://example.com/offer",
     "link_id": "l1", "link_alias": "offer", "is_suspected_bot_click": None,
     "suspected_bot_click_reason": ["user_agent"]},
    {"id": "i5", "time": EPOCH + 71, **_BRAZE, "user_agent": FIREFOX, "url": "https://example.com/help",
     "link_id": None, "link_alias": "help", "is_suspected_bot_click": True,
     "suspected_bot_click_reason": ["ip_address"]},
]  # fmt: skip
_BRAZE_ALL: Row = {"campaign_id": "cp1", "message_id": "d1:b7", "recipient_id": ANN,
                   "delivered_at": at("09:00:02")}  # fmt: skip
BRAZE_ROWS: list[Row] = [
    {**_BRAZE_ALL, "event_type": "delivered", "timestamp": at("09:00:02")},
    {**_BRAZE_ALL, "event_type": "opened", "timestamp": at("09:01:00"), "user_agent": PROXY,
     "platform_machine": True, "platform_machine_reason": "machine_open=true"},
    {**_BRAZE_ALL, "event_type": "opened", "timestamp": at("09:01:01"), "user_agent": FIREFOX},
    {**_BRAZE_ALL, "event_type": "clicked", "timestamp": at("09:01:10"), "user_agent": FIREFOX,
     "url": "https://example.com/offer", "link_id": "l1",
     "platform_machine_reason": 'suspected_bot_click_reason=["user_agent"]'},
    {**_BRAZE_ALL, "event_type": "clicked", "timestamp": at("09:01:11"), "user_agent": FIREFOX,
     "url": "https://example.com/help", "link_id": "help", "platform_machine": True,
     "platform_machine_reason": 'is_suspected_bot_click=true, suspected_bot_click_reason=["ip_address"]'},
]  # fmt: skip

_HUBSPOT: Row = {"recipient": ANN, "portalId": 62515, "appId": 113, "emailCampaignId": 8706, "filteredEvent": False}
_SENT_BY: Row = {"sentBy": {"id": "s-1", "created": EPOCH * 1000}}
HUBSPOT_EVENTS: list[Row] = [
    {"id": "s-1", "created": EPOCH * 1000, "type": "SENT", **_HUBSPOT},
    {"id": "h-1", "created": EPOCH * 1000 + 2_345, "type": "DELIVERED", **_HUBSPOT, **_SENT_BY},
    {"id": "h-2", "created": EPOCH * 1000 + 60_001, "type": "OPEN", **_HUBSPOT, **_SENT_BY, "userAgent": PROXY,
     "browser": {"name": "Google"}, "location": {"country": "NO"}, "duration": 0, "filteredEvent": True},
    {"id": "h-3", "created": EPOCH * 1000 + 70_000, "type": "CLICK", **_HUBSPOT, **_SENT_BY, "userAgent": FIREFOX,
     "url": "https://example.com/offer", "referer": "https://example.com/", "linkId": 3},
    {"id": "h-3", "created": EPOCH * 1000 + 70_500, "type": "CLICK", **_HUBSPOT, **_SENT_BY, "userAgent": FIREFOX,
     "url": "https://example.com/offer"},
    {"id": "h-4", "created": EPOCH * 1000 + 80_000, "type": "STATUSCHANGE", **_HUBSPOT, **_SENT_BY,
     "portalSubscriptionStatus": "UNSUBSCRIBED", "source": "SOURCE_RECIPIENT"},
]  # fmt: skip
_HUBSPOT_ALL: Row = {"campaign_id": "8706", "message_id": "s-1", "recipient_id": ANN, "sent_at": at("09:00:00"),
                     "delivered_at": at("09:00:02.345"), "platform_machine": False,
                     "platform_machine_reason": "filteredEvent=false"}  # fmt: skip
HUBSPOT_ROWS: list[Row] = [
    {**_HUBSPOT_ALL, "event_type": "sent", "timestamp": at("09:00:00")},
    {**_HUBSPOT_ALL, "event_type": "delivered", "timestamp": at("09:00:02.345")},
    {**_HUBSPOT_ALL, "event_type": "opened", "timestamp": at("09:01:00.001"), "user_agent": PROXY,
     "platform_machine": True, "platform_machine_reason": "filteredEvent=true"},
    {**_HUBSPOT_ALL, "event_type": "clicked", "timestamp": at("09:01:10"), "user_agent": FIREFOX,
     "url": "https://example.com/offer", "link_id": "3", "referer": "https://example.com/"},
    {**_HUBSPOT_ALL, "event_type": "clicked", "timestamp": at("09:01:10.5"), "user_agent": FIREFOX,
     "url": "https://example.com/offer"},
    {**_HUBSPOT_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20")},
]  # fmt: skip


def _marketo(guid: str, kind: int, clock: str, **attributes: str | bool | int) -> Row:
    return {
        "marketoGUID": guid,
        "leadId": 4007,
        "activityDate": f"2026-03-02T{clock}Z",
        "activityTypeId": kind,
        "campaignId": 1343,
        "primaryAttributeValueId": 1428,
        "primaryAttributeValue": "Spring",
        "attributes": {name.replace("_", " "): value for name, value in attributes.items()},
    }


MARKETO_EVENTS: list[Row] = [
    _marketo("1", 6, "09:00:00", Campaign_Run_ID=29),
    _marketo("2", 7, "09:00:02", Campaign_Run_ID=29),
    _marketo("3", 10, "09:01:00", Campaign_Run_ID=29, User_Agent=PROXY, Is_Bot_Activity=False),
    _marketo("4", 11, "09:01:10", Campaign_Run_ID=29, User_Agent=FIREFOX, Link="https://example.com/offer",
             Link_ID="77", Is_Bot_Activity=True, Bot_Activity_Pattern="Match with IAB list"),
    _marketo("5", 9, "09:01:20", Campaign_Run_ID=29),
    _marketo("6", 1, "09:01:30", Webpage_URL="/"),
]  # fmt: skip
_MARKETO_ALL: Row = {"campaign_id": "1343", "message_id": "1428:29:4007", "recipient_id": "4007",
                     "sent_at": at("09:00:00"), "delivered_at": at("09:00:02")}  # fmt: skip
MARKETO_ROWS: list[Row] = [
    {**_MARKETO_ALL, "event_type": "sent", "timestamp": at("09:00:00")},
    {**_MARKETO_ALL, "event_type": "delivered", "timestamp": at("09:00:02")},
    {**_MARKETO_ALL, "event_type": "opened", "timestamp": at("09:01:00"), "user_agent": PROXY,
     "platform_machine": False, "platform_machine_reason": "Is Bot Activity=false"},
    {**_MARKETO_ALL, "event_type": "clicked", "timestamp": at("09:01:10"), "user_agent": FIREFOX,
     "url": "https://example.com/offer", "link_id": "77", "platform_machine": True,
     "platform_machine_reason": "Is Bot Activity=true, Bot Activity Pattern=Match with IAB list"},
    {**_MARKETO_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20")},
]  # fmt: skip
MARKETO_CONTROLS = {"an activity that is no email": 1}


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _marketo_csv() -> str:
    """The bulk extract: a byte order mark, and the attributes as JSON in a column."""
    head = list(MARKETO_EVENTS[0])
    cells = [[json.dumps(e[name]) if name == "attributes" else str(e[name]) for name in head] for e in MARKETO_EVENTS]
    return "\ufeff" + "".join(",".join(map(_quoted, row)) + "\n" for row in [head, *cells])


def _marketo_api() -> str:
    """The REST API: the attributes as a list of names and values, the id beside the GUID."""
    events = [
        {
            **event,
            "id": n,
            "attributes": [{"name": name, "value": value} for name, value in event["attributes"].items()],
        }
        for n, event in enumerate(MARKETO_EVENTS)
    ]
    return json.dumps({"requestId": "r1", "success": True, "result": events, "moreResult": False})


MARKETO_TABLES = {
    "activity_open_email.csv": "\ufeffactivity_date,activity_type_id,campaign_id,campaign_run_id,id,lead_id,"
    "primary_attribute_value,primary_attribute_value_id,user_agent\n"
    f'2026-03-02 09:01:00.000,10,1343,29,3,4007,Spring,1428,"{PROXY}"\n',
    "activity_click_email.csv": "\ufeffactivity_date,activity_type_id,campaign_id,campaign_run_id,id,lead_id,link,"
    "primary_attribute_value,primary_attribute_value_id,user_agent,is_bot_activity\n"
    "2026-03-02 09:01:10.000,11,1343,29,4,4007,https://example.com/offer,Spring,1428,,TRUE\n",
}
MARKETO_TABLE_ROWS: list[Row] = [
    {"event_type": "opened", "timestamp": at("09:01:00"), "campaign_id": "1343", "message_id": "1428:29:4007",
     "recipient_id": "4007", "user_agent": PROXY},
    {"event_type": "clicked", "timestamp": at("09:01:10"), "campaign_id": "1343", "message_id": "1428:29:4007",
     "recipient_id": "4007", "url": "https://example.com/offer", "platform_machine": True,
     "platform_machine_reason": "Is Bot Activity=TRUE"},
]  # fmt: skip


def _klaviyo(number: int, metric: str, clock: str, **properties: Any) -> Row:
    common = {"Campaign Name": "Spring", "$message": "msg1", "Email Domain": "example.com", "$event_id": f"{number}:x"}
    return {
        "type": "event",
        "id": f"e{number}",
        "attributes": {
            "timestamp": EPOCH,
            "datetime": f"2026-03-02T{clock}+00:00",
            "uuid": f"uu{number}",
            "event_properties": {**common, **properties},
        },
        "relationships": {"profile": {"data": {"type": "profile", "id": "P7"}},
                          "metric": {"data": {"type": "metric", "id": metric}}},
        "links": {"self": "https://example.com/api"},
    }  # fmt: skip


KLAVIYO_EVENTS: list[Row] = [
    _klaviyo(1, "M1", "09:00:02"),
    _klaviyo(2, "M2", "09:01:00", **{"Client Name": "Apple Mail", "machine_open": True}),
    _klaviyo(3, "M3", "09:01:10", **{"URL": "https://example.com/offer", "Client OS": "Linux", "Bot Click": False}),
    _klaviyo(4, "M4", "09:01:20"),
    _klaviyo(5, "M5", "09:01:30"),
]
KLAVIYO_PAGE: Row = {
    "data": KLAVIYO_EVENTS,
    "included": [
        {"type": "profile", "id": "P7", "attributes": {"email": ANN}},
        *(
            {"type": "metric", "id": f"M{n}", "attributes": {"name": name}}
            for n, name in enumerate(
                [
                    "Received Email",
                    "Opened Email",
                    "Clicked Email",
                    "Unsubscribed from Email Marketing",
                    "Placed Order",
                ],
                start=1,
            )
        ),
    ],
    "links": {"self": "https://example.com/api/events", "next": None},
}
_KLAVIYO_ALL: Row = {"campaign_id": "Spring", "message_id": "msg1:P7", "recipient_id": "P7",
                     "recipient_domain": "example.com", "delivered_at": at("09:00:02")}  # fmt: skip
KLAVIYO_ROWS: list[Row] = [
    {**_KLAVIYO_ALL, "event_type": "delivered", "timestamp": at("09:00:02")},
    {**_KLAVIYO_ALL, "event_type": "opened", "timestamp": at("09:01:00"), "platform_machine": True,
     "platform_machine_reason": "machine_open=true"},
    {**_KLAVIYO_ALL, "event_type": "clicked", "timestamp": at("09:01:10"), "url": "https://example.com/offer",
     "platform_machine": False, "platform_machine_reason": "Bot Click=false"},
    {**_KLAVIYO_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20")},
]  # fmt: skip

_CUSTOMERIO: Row = {"delivery_id": "dl1", "campaign_id": 42, "customer_id": "0200000001", "recipient": ANN,
                    "identifiers": {"id": "42", "email": ANN}}  # fmt: skip
CUSTOMERIO_EVENTS: list[Row] = [
    {"metric": "sent", "event_id": "01A", "object_type": "email", "timestamp": EPOCH, "data": _CUSTOMERIO},
    {"metric": "delivered", "event_id": "01B", "object_type": "email", "timestamp": EPOCH + 2, "data": _CUSTOMERIO},
    {"metric": "opened", "event_id": "01C", "object_type": "email", "timestamp": EPOCH + 60,
     "data": {**_CUSTOMERIO, "proxied": True, "prefetched": True}},
    {"metric": "clicked", "event_id": "01D", "object_type": "email", "timestamp": EPOCH + 70,
     "data": {**_CUSTOMERIO, "href": "https://example.com/offer", "link_id": 1, "machine": False}},
    {"metric": "opened", "event_id": "01E", "object_type": "email", "timestamp": EPOCH + 70,
     "data": {**_CUSTOMERIO, "synthetic": True}},
    {"metric": "unsubscribed", "event_id": "01F", "object_type": "email", "timestamp": EPOCH + 80,
     "data": {**_CUSTOMERIO, "campaign_id": None, "broadcast_id": 42, "delivery_id": "dl2"}},
    {"metric": "sent", "event_id": "01G", "object_type": "sms", "timestamp": EPOCH, "data": _CUSTOMERIO},
    {"metric": "unsubscribed", "event_id": "01H", "object_type": "customer", "timestamp": EPOCH,
     "data": {"customer_id": "0200000001"}},
]  # fmt: skip
_CUSTOMERIO_ALL: Row = {"campaign_id": "campaign-42", "message_id": "dl1", "recipient_id": ANN,
                        "sent_at": at("09:00:00"), "delivered_at": at("09:00:02")}  # fmt: skip
CUSTOMERIO_ROWS: list[Row] = [
    {**_CUSTOMERIO_ALL, "event_type": "sent", "timestamp": at("09:00:00")},
    {**_CUSTOMERIO_ALL, "event_type": "delivered", "timestamp": at("09:00:02")},
    {**_CUSTOMERIO_ALL, "event_type": "opened", "timestamp": at("09:01:00"), "platform_machine": True,
     "platform_machine_reason": "prefetched=true, proxied=true"},
    {**_CUSTOMERIO_ALL, "event_type": "clicked", "timestamp": at("09:01:10"), "url": "https://example.com/offer",
     "link_id": "1", "platform_machine": False, "platform_machine_reason": "machine=false"},
    {**_CUSTOMERIO_ALL, "event_type": "opened", "timestamp": at("09:01:10"), "is_synthetic": True},
    {"event_type": "unsubscribed", "timestamp": at("09:01:20"), "campaign_id": "broadcast-42", "message_id": "dl2",
     "recipient_id": ANN},
]  # fmt: skip

_BREVO: Row = {"email": ANN, "id": 9, "message-id": "<202603020900.1>", "subject": "Spring", "tags": ["spring"],
               "tag": '["spring"]', "date": "2026-03-02 01:00:00", "ts": EPOCH - 28800,
               "ts_event": EPOCH - 28800, "sending_ip": "203.0.113.1"}  # fmt: skip
BREVO_EVENTS: list[Row] = [
    {"event": "request", **_BREVO, "ts_epoch": EPOCH * 1000},
    {"event": "delivered", **_BREVO, "ts_epoch": EPOCH * 1000 + 2_000},
    {"event": "unique_opened", **_BREVO, "ts_epoch": EPOCH * 1000 + 60_125},
    {"event": "opened", **_BREVO, "ts_epoch": EPOCH * 1000 + 60_125},
    {"event": "proxy_open", **_BREVO, "ts_epoch": EPOCH * 1000 + 30_000},
    {"event": "click", **_BREVO, "ts_epoch": EPOCH * 1000 + 70_000, "link": "https://example.com/offer"},
    {"event": "unsubscribed", **_BREVO, "ts_epoch": EPOCH * 1000 + 80_000},
]
_BREVO_ALL: Row = {"campaign_id": "spring", "message_id": "202603020900.1", "recipient_id": ANN,
                   "sent_at": at("09:00:00"), "delivered_at": at("09:00:02")}  # fmt: skip
BREVO_ROWS: list[Row] = [
    {**_BREVO_ALL, "event_type": "queued", "timestamp": at("09:00:00")},
    {**_BREVO_ALL, "event_type": "delivered", "timestamp": at("09:00:02")},
    {**_BREVO_ALL, "event_type": "opened", "timestamp": at("09:01:00.125"), "dup_count": 1},
    {**_BREVO_ALL, "event_type": "opened", "timestamp": at("09:00:30"), "platform_machine": True,
     "platform_machine_reason": "event=proxy_open"},
    {**_BREVO_ALL, "event_type": "clicked", "timestamp": at("09:01:10"), "url": "https://example.com/offer"},
    {**_BREVO_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20")},
]  # fmt: skip

MAILCHIMP_ACTIVITY: list[Row] = [
    {"action": "open", "timestamp": "2026-03-02T09:01:00+00:00", "ip": "192.0.2.10"},
    {"action": "click", "timestamp": "2026-03-02T09:01:10+00:00", "ip": "192.0.2.10",
     "url": "https://example.com/offer"},
]  # fmt: skip
_MEMBER: Row = {"campaign_id": "c01", "list_id": "l01", "email_id": "0a1b", "email_address": ANN, "_links": []}
MAILCHIMP_PAGE: Row = {
    "emails": [{**_MEMBER, "activity": MAILCHIMP_ACTIVITY}, {**_MEMBER, "email_address": BOB, "activity": []}],
    "campaign_id": "c01",
    "total_items": 2,
}
# No message is named: the campaign and the recipient stand for it.
_MAILCHIMP_ALL: Row = {"campaign_id": "c01", "recipient_id": ANN, "ip": "192.0.2.10"}
MAILCHIMP_ROWS: list[Row] = [
    {**_MAILCHIMP_ALL, "event_type": "opened", "timestamp": at("09:01:00")},
    {**_MAILCHIMP_ALL, "event_type": "clicked", "timestamp": at("09:01:10"), "url": "https://example.com/offer"},
]
MAILCHIMP_TABLE = (
    "action,campaign_id,member_id,timestamp,_fivetran_synced,bounce_type,combination_id,ip,list_id,url\n"
    "open,c01,0a1b,2026-03-02 09:01:00,2026-03-03 00:00:00.1,,,192.0.2.10,l01,\n"
    "click,c01,0a1b,2026-03-02 09:01:10,2026-03-03 00:00:00.1,,,192.0.2.10,l01,https://example.com/offer\n"
    "bounce,c01,0a1c,2026-03-02 09:00:10,2026-03-03 00:00:00.1,hard,,,l01,\n"
)
MAILCHIMP_TABLE_ROWS: list[Row] = [
    *({**row, "recipient_id": "0a1b"} for row in MAILCHIMP_ROWS),
    {"event_type": "bounced", "timestamp": at("09:00:10"), "campaign_id": "c01", "recipient_id": "0a1c"},
]


def _mailersend(number: int, kind: str, clock: str, morph: Row | None) -> Row:
    email = {"id": "em1", "created_at": "2026-03-02T09:00:00.141000Z", "tags": ["spring"],
             "message": {"id": "ms1"}, "recipient": {"id": "r1", "email": ANN}}  # fmt: skip
    data = {"object": "activity", "id": f"a{number}", "type": kind, "created_at": f"2026-03-02T{clock}Z",
            "email": email, "morph": morph, "template_id": ""}  # fmt: skip
    return {"type": f"activity.{kind}", "created_at": f"2026-03-02T{clock}Z", "webhook_id": "w",
            "url": "https://example.net/hook", "data": data}  # fmt: skip


_OPEN_MORPH: Row = {"object": "open", "id": "o1", "created_at": "2026-03-02T09:01:00.018000Z", "ip": "192.0.2.10"}
MAILERSEND_EVENTS: list[Row] = [
    _mailersend(1, "sent", "09:00:00.506000", None),
    _mailersend(2, "delivered", "09:00:02.865000", None),
    _mailersend(3, "opened", "09:01:00.025000", _OPEN_MORPH),
    _mailersend(4, "opened_unique", "09:01:00.026000", _OPEN_MORPH),
    _mailersend(5, "clicked", "09:01:10.691000", {"object": "click", "id": "c1", "ip": "192.0.2.10",
                                                  "created_at": "2026-03-02T09:01:10.679001Z",
                                                  "url": "https://example.com/offer"}),
    _mailersend(6, "unsubscribed", "09:01:20.791000", {"object": "recipient_unsubscribe", "reason": "option_3"}),
]  # fmt: skip
_MAILERSEND_ALL: Row = {"campaign_id": "spring", "message_id": "em1", "recipient_id": ANN,
                        "sent_at": at("09:00:00.141"), "delivered_at": at("09:00:02.865")}  # fmt: skip
MAILERSEND_ROWS: list[Row] = [
    {**_MAILERSEND_ALL, "event_type": "sent", "timestamp": at("09:00:00.506")},
    {**_MAILERSEND_ALL, "event_type": "delivered", "timestamp": at("09:00:02.865")},
    {**_MAILERSEND_ALL, "event_type": "opened", "timestamp": at("09:01:00.018"), "ip": "192.0.2.10", "dup_count": 1},
    {**_MAILERSEND_ALL, "event_type": "clicked", "timestamp": at("09:01:10.679001"), "ip": "192.0.2.10",
     "url": "https://example.com/offer"},
    {**_MAILERSEND_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20.791"), "unsubscribe_method": "link"},
]  # fmt: skip


def _segment(number: int, event: str, clock: str, context: Row | None = None, **properties: str) -> Row:
    return {
        "type": "track",
        "event": event,
        "messageId": f"sg{number}",
        "userId": "u7",
        "timestamp": f"2026-03-02T{clock}Z",
        "sentAt": "2026-03-05T00:00:00.000Z",
        "context": {"traits": {"email": ANN}, **(context or {})},
        "properties": {"email_id": "em1", "campaign_id": "c01", "email_subject": "Spring", **properties},
    }


SEGMENT_EVENTS: list[Row] = [
    _segment(1, "Email Delivered", "09:00:02.100", {"ip": "203.0.113.1"}),
    _segment(2, "Email Opened", "09:01:00.200", {"ip": "192.0.2.10", "userAgent": PROXY}),
    _segment(3, "Email Link Clicked", "09:01:10.300", {"ip": "192.0.2.10", "user_agent": FIREFOX},
             link_url="https://example.com/offer", link_id="3"),
    _segment(4, "Unsubscribed", "09:01:20.400"),
    _segment(5, "Order Completed", "09:01:30.000", {"ip": "192.0.2.10"}),
]  # fmt: skip
_SEGMENT_ALL: Row = {"campaign_id": "c01", "message_id": "em1:u7", "recipient_id": ANN,
                     "delivered_at": at("09:00:02.1")}  # fmt: skip
SEGMENT_ROWS: list[Row] = [
    {**_SEGMENT_ALL, "event_type": "delivered", "timestamp": at("09:00:02.1")},
    {**_SEGMENT_ALL, "event_type": "opened", "timestamp": at("09:01:00.2"), "ip": "192.0.2.10", "user_agent": PROXY},
    {**_SEGMENT_ALL, **_CLIENT, "event_type": "clicked", "timestamp": at("09:01:10.3"),
     "url": "https://example.com/offer", "link_id": "3"},
    {**_SEGMENT_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20.4")},
]  # fmt: skip

_BRAZE_FOLDER = "event_type=users.messages.email"
EXPORTS: tuple[Export, ...] = (
    Export("sparkpost webhook", "sparkpost", {"a.json": json.dumps([{"msys": e} for e in SPARKPOST_EVENTS])},
           SPARKPOST_ROWS),
    Export("sparkpost with a ping", "sparkpost",
           {"a.jsonl": lines([{"msys": {}}], *([{"msys": e}] for e in SPARKPOST_EVENTS))}, SPARKPOST_ROWS,
           {"a ping": 1}),
    Export("sparkpost Events API", "sparkpost",
           {"a.json": json.dumps({"results": [e for m in SPARKPOST_EVENTS for e in m.values()], "total_count": 6,
                                  "links": {}})}, SPARKPOST_ROWS),
    Export("mandrill array", "mandrill", {"a.json": json.dumps(MANDRILL_EVENTS, indent=1)}, MANDRILL_ROWS,
           MANDRILL_CONTROLS),
    Export("mandrill form field", "mandrill", {"a.json": json.dumps({"mandrill_events": json.dumps(MANDRILL_EVENTS)})},
           MANDRILL_ROWS, MANDRILL_CONTROLS),
    Export("mandrill form bodies", "mandrill",
           {"a.txt": "".join(urlencode({"mandrill_events": json.dumps([e]), "more": "1"}) + "\n"
                             for e in MANDRILL_EVENTS)}, MANDRILL_ROWS, MANDRILL_CONTROLS),
    Export("mailjet grouped", "mailjet", {"a.jsonl": lines(*([e] for e in MAILJET_EVENTS))}, MAILJET_ROWS),
    Export("mailjet not grouped", "mailjet", {"a.jsonl": lines(*MAILJET_EVENTS)}, MAILJET_ROWS),
    Export("iterable webhook", "iterable", {"a.jsonl": lines(*ITERABLE_EVENTS)}, ITERABLE_ROWS,
           {"an event of another channel": 1}),
    Export("iterable export", "iterable", ITERABLE_FILES, ITERABLE_FILE_ROWS),
    Export("salesforce notifications", "salesforce", {"a.jsonl": lines(*([e] for e in SALESFORCE_EVENTS))},
           SALESFORCE_ROWS, {"an event of another channel (SMS)": 1}),
    Export("salesforce tracking extract", "salesforce", SALESFORCE_FILES, SALESFORCE_FILE_ROWS),
    Export("resend", "resend", {"a.jsonl": lines(*RESEND_EVENTS)}, RESEND_ROWS, {"no event of an email": 1}),
    Export("postal", "postal", {"a.jsonl": lines(*POSTAL_EVENTS)}, POSTAL_ROWS, {"no event of a message": 1}),
    Export("mailtrap", "mailtrap", {"a.json": json.dumps({"events": MAILTRAP_EVENTS})}, MAILTRAP_ROWS),
    Export("mailtrap JSON lines", "mailtrap", {"a.jsonl": lines(*MAILTRAP_EVENTS)}, MAILTRAP_ROWS),
    Export("braze by folders", "braze",
           {f"{_BRAZE_FOLDER}.Delivery/p.parquet": parquet(BRAZE_DELIVERY),
            f"{_BRAZE_FOLDER}.Open/p.parquet": parquet(*BRAZE_OPENS),
            f"{_BRAZE_FOLDER}.Click/p.parquet": parquet(*BRAZE_CLICKS)}, BRAZE_ROWS),
    Export("braze as Avro", "braze",
           {f"{_BRAZE_FOLDER}.Delivery/p.avro": avro(BRAZE_DELIVERY),
            f"{_BRAZE_FOLDER}.Open/p.avro": avro(*BRAZE_OPENS), "c.avro": avro(*BRAZE_CLICKS)}, BRAZE_ROWS),
    Export("braze without folders", "braze",
           {"a.parquet": parquet({**BRAZE_DELIVERY, "event_type": "users.messages.email.Delivery"}),
            "b.parquet": parquet(*BRAZE_OPENS), "c.parquet": parquet(*BRAZE_CLICKS)}, BRAZE_ROWS),
    Export("braze as JSON lines", "braze",
           {"a.jsonl": lines({**BRAZE_DELIVERY, "event_type": "users.messages.email.Delivery"}, *BRAZE_OPENS,
                             *BRAZE_CLICKS)}, BRAZE_ROWS),
    Export("hubspot", "hubspot", {"a.json": json.dumps({"hasMore": False, "offset": "x", "events": HUBSPOT_EVENTS})},
           HUBSPOT_ROWS),
    Export("marketo bulk extract", "marketo", {"a.csv": _marketo_csv()}, MARKETO_ROWS, MARKETO_CONTROLS),
    Export("marketo REST API", "marketo", {"a.json": _marketo_api()}, MARKETO_ROWS, MARKETO_CONTROLS),
    Export("marketo tables", "marketo", MARKETO_TABLES, MARKETO_TABLE_ROWS),
    Export("klaviyo", "klaviyo", {"a.json": json.dumps(KLAVIYO_PAGE)}, KLAVIYO_ROWS, {"an event that is no email": 1}),
    Export("customerio", "customerio", {"a.jsonl": lines(*CUSTOMERIO_EVENTS)}, CUSTOMERIO_ROWS,
           {"an event of another channel": 1, "a change of a person's data": 1}),
    Export("brevo", "brevo", {"a.jsonl": lines(*BREVO_EVENTS)}, BREVO_ROWS),
    Export("mailchimp API", "mailchimp", {"a.json": json.dumps(MAILCHIMP_PAGE)}, MAILCHIMP_ROWS,
           {"a recipient without activity": 1}),
    Export("mailchimp table", "mailchimp", {"a.csv": MAILCHIMP_TABLE}, MAILCHIMP_TABLE_ROWS),
    Export("mailersend", "mailersend", {"a.jsonl": lines(*MAILERSEND_EVENTS)}, MAILERSEND_ROWS),
    Export("segment", "segment", {"a.jsonl": lines(*SEGMENT_EVENTS)}, SEGMENT_ROWS, {"an event that is no email": 1}),
)  # fmt: skip

# One event a record, as it lies after its envelopes, with what puts them into one file again.
EVENTS: Mapping[str, Sequence[Row]] = {
    "sparkpost": [event for message in SPARKPOST_EVENTS for event in message.values()],
    "mandrill": MANDRILL_EVENTS,
    "mailjet": MAILJET_EVENTS,
    "iterable": ITERABLE_EVENTS,
    "salesforce": SALESFORCE_EVENTS,
    "resend": RESEND_EVENTS,
    "postal": POSTAL_EVENTS,
    "mailtrap": MAILTRAP_EVENTS,
    "braze": [BRAZE_DELIVERY, *BRAZE_OPENS, *BRAZE_CLICKS],
    "hubspot": HUBSPOT_EVENTS,
    "marketo": MARKETO_EVENTS,
    "klaviyo": KLAVIYO_EVENTS,
    "customerio": CUSTOMERIO_EVENTS,
    "brevo": BREVO_EVENTS,
    "mailchimp": [{**_MEMBER, **activity} for activity in MAILCHIMP_ACTIVITY],
    "mailersend": MAILERSEND_EVENTS,
    "segment": SEGMENT_EVENTS,
}
