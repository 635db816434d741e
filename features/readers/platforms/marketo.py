"""Marketo Engage: activities from the bulk extract (CSV), the REST API (JSON), or a connector's tables.

Fields: Adobe Experience League, "Activities" and "Bulk Activity Extract" (Marketo developer guide); connector: the
Marketo dbt package's source tables.
"""

from features.readers.platform import Envelope, Platform, Signature

_TYPES = {
    "6": "sent",
    "7": "delivered",
    "8": "bounced",
    "9": "unsubscribed",
    "10": "opened",
    "11": "clicked",
    "27": "bounced",
}


def _attribute(name: str, column: str) -> str:
    """Give the attribute, from an object of names and values, a list of pairs, or a column of its own."""
    pairs = "CAST(TRY(json_extract({attributes}, '$[*]')) AS JSON[])"
    pair = f"list_filter({pairs}, lambda pair: json_extract_string(pair, '$.name') = '{name}')[1]"
    return f"coalesce({{attributes/{name}}}, json_extract_string({pair}, '$.value'), {{{column}}})"


_ASSET = "coalesce({primaryAttributeValueId}, {primary_attribute_value_id})"
_LEAD = "coalesce({leadId}, {lead_id})"
_BOT = _attribute("Is Bot Activity", "is_bot_activity")

MARKETO = Platform(
    name="marketo",
    title="Marketo Engage",
    signatures=(
        Signature(("leadId", "activityDate", "activityTypeId")),
        Signature(("lead_id", "activity_date", "activity_type_id")),
        Signature(("lead_id", "activity_timestamp", "activity_type_id")),
    ),
    envelopes=(Envelope(("requestId", "success", "result"), "result", empty="a page without events"),),
    columns={
        "event_id": "coalesce({marketoGUID}, {activity_id}, {id})",
        "event_type": "{:kind}",
        "timestamp": "coalesce({activityDate}, {activity_date}, {activity_timestamp})",
        "campaign_id": f"coalesce({{campaignId}}, {{campaign_id}}, {_ASSET})",
        # One mail is one run of a campaign that sends one asset to one lead.
        "message_id": f"""{_ASSET} || ':' || coalesce({_attribute("Campaign Run ID", "campaign_run_id")}, '')
            || ':' || {_LEAD}""",
        "recipient_id": _LEAD,
        "url": f"coalesce({_attribute('Link', 'link')}, {{link_url}})",
        "link_id": _attribute("Link ID", "link_id"),
        "user_agent": _attribute("User Agent", "user_agent"),
        "platform_machine": _BOT,
        "platform_machine_reason": f"""nullif(concat_ws(', ', 'Is Bot Activity=' || {_BOT},
            'Bot Activity Pattern=' || {_attribute("Bot Activity Pattern", "bot_activity_pattern")}), '')""",
    },
    fields={"kind": "coalesce({activityTypeId}, {activity_type_id})"},
    words=_TYPES,
    controls={
        "an activity that is no email": f"{{:kind}} NOT IN ({', '.join(map(repr, _TYPES))})",
    },
    ignored=frozenset(
        {
            *("attributes", "device", "platform", "is_mobile_device", "choice_number", "step_id", "email_template_id"),
            *("primaryAttributeValue", "primary_attribute_value", "primary_attribute_name", "marketo_guid"),
        }
    ),
    zone="UTC",
    gives=frozenset({"agent", "deliveries", "links"}),
    precision="s",
    source_filtering=(
        "activities that the instance's bot filter drops never reach an export; set it to log them instead"
    ),
    flags=("Is Bot Activity", "Bot Activity Pattern"),
    export=(
        "Create a bulk activity extract of the types 6, 7, 9, 10 and 11 and download its CSV file; the pages of "
        "the REST API, and a connector's tables with one kind of activity each, are read as well."
    ),
    lacks=(
        "The client's address; the recipient's domain (leads are numbers: join it in as a column recipient_domain "
        "and map it); HTTP methods; agents of many clicks."
    ),
    tried=True,
)
