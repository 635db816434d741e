"""GoPhish: a campaign's events as its page saves them (CSV) or its API gives them (JSON), and its results.

Fields: GoPhish, "API Documentation" (campaigns, timeline, results), and the words of events in its source, `models`.
"""

from features.readers.platform import Envelope, Platform, Signature

_WORDS = "Campaign Created|Email Sent|Error Sending Email|Email Opened|Clicked Link|Submitted Data|Email Reported"
# What was typed into a form lies beside these, and is never looked at.
_INSIDE = "TRY(json_extract_string({details}, ['/browser/address', '/browser/user-agent']))"
# The page puts a quote before what a spreadsheet would take for a formula.
_EMAIL = "regexp_replace({email}, '^''([=+@\\t\\r-])', '\\1')"
COUNTED_TWICE = "GoPhish events and results were read together: what both tell counts twice; leave the results out"

GOPHISH = Platform(
    name="gophish",
    title="GoPhish events",
    signatures=(Signature(("email", "time", "message", "details"), {"message": f"^({_WORDS}|Proxied request)$"}),),
    envelopes=(Envelope(("id", "name", "timeline"), "timeline", {"campaign_id": "{id}"}, "a campaign without events"),),
    # No ids of messages: a campaign sends one mail to an address.
    columns={
        "event_type": "{message}",
        "timestamp": "{time}",
        "campaign_id": "{campaign_id}",
        "recipient_id": _EMAIL,
        "ip": "{:inside}[1]",
        "user_agent": "{:inside}[2]",
    },
    fields={"inside": _INSIDE},
    controls={"the start of a campaign": "{message} = 'Campaign Created'"},
    gives=frozenset({"address", "agent", "domains"}),
    precision="ns",
    export=(
        "On the page of a campaign choose Export CSV, Raw Events; or save what the API gives for /api/campaigns/ID."
        " A folder of such files is read as one."
    ),
    lacks=(
        "links (a campaign has one page); deliveries; unsubscribes; HTTP methods: a HEAD request makes no event and"
        " stands only in the server's log. Forms that were filled in and mails that were reported are kept with"
        " GoPhish's own words and not judged; what was typed into a form is never read."
    ),
    tried=True,
)

GOPHISH_RESULTS = Platform(
    name="gophish_results",
    title="GoPhish results",
    signatures=(Signature(("id", "status", "ip", "send_date", "reported", "modified_date", "email")),),
    columns={
        "event_type": "{status}",
        "timestamp": "{modified_date}",
        "sent_at": "{send_date}",
        "message_id": "{id}",
        "recipient_id": _EMAIL,
        "ip": "{ip}",
    },
    controls={
        "a mail that is not sent yet": "{status} IN ('Queued', 'Scheduled', 'Sending', 'Retrying', 'Unknown')",
    },
    ignored=frozenset({"latitude", "longitude", "first_name", "last_name", "position"}),
    gives=frozenset({"address", "domains"}),
    precision="ns",
    source_filtering=(
        "of each recipient only the last status is kept, so an open before a click is not in the file. Read the events"
        " of the campaign instead, and never both: what happened last would count twice"
    ),
    export="On the page of a campaign choose Export CSV, Results. Raw Events say far more.",
    lacks="user agents; links; every event of a recipient but the last; HTTP methods.",
    tried=True,
)
