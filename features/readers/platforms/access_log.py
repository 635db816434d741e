"""The access log of a tracking domain: lines of Apache, nginx and what writes like them, or JSON.

`access_log_line` takes a record apart, `access_log_paths` says which event a request is and whose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import duckdb

from features.readers.identifiers import drop, quote_text
from features.readers.platform import Platform, Signature
from features.readers.platforms import access_log_line as line
from features.readers.platforms import access_log_paths as paths
from features.readers.translation import Records, translate
from features.schema import EVENT_WORDS

NAME = "access_log"
_SHOWN = 4
# 404 and 410: nobody's link. But 405 and 429 refuse the request for a link that is there, and at 499 (nginx) the
# client did not wait for the answer.
_LINK_WAS_THERE = ("405", "429", "499")
# One-letter words are usual in paths: /o/…, /c/…, /u/….
_WORDS = {
    **dict.fromkeys(("o", "t", "px", "pixel", "img", "image", "view", "track"), "opened"),
    **dict.fromkeys(("c", "l", "r", "link", "go", "redirect"), "clicked"),
    **dict.fromkeys(("u", "unsub", "leave"), "unsubscribed"),
}
# A click's place in Mautic is the base64 of a serialized array that names the mail that its open names.
_MAUTIC = """
    CASE WHEN starts_with({:found_message}, 'YTo') THEN coalesce(
        nullif(regexp_extract(TRY(decode(from_base64({:found_message}))), '"stat";s:[0-9]+:"([^"]+)"', 1), ''),
        {:found_message}) ELSE {:found_message} END"""


def _spelt(event: str) -> str:
    own = [word for word, meaning in _WORDS.items() if meaning == event]
    return ", ".join(map(quote_text, (event, *EVENT_WORDS[event], *own)))


def _url(patterns: Sequence[paths.PathPattern]) -> str:
    """The group's; without a name for the link a click's path is one, the same for all whom it was sent to."""
    whose = [paths.group(name, patterns, "{:rule}", "{:groups}") for name in ("message", "recipient")]
    token = f"coalesce({', '.join(whose)})"
    shared = f"CASE WHEN length({token}) >= 6 THEN replace({{:target}}, {token}, '*') ELSE {{:target}} END"
    return f"""
        coalesce({{:found_url}}, CASE WHEN {{:found_link}} IS NULL
            AND lower({{:event}}) NOT IN ({_spelt("opened")}, {_spelt("unsubscribed")}) THEN {shared} END)"""


# A form's request comes from the page with the form; a mail program's (RFC 8058) from no page.
_LEAVING = f"""
    CASE WHEN lower({{:event}}) IN ({_spelt("unsubscribed")}) THEN CASE
        WHEN {{:method}} <> 'POST' THEN 'link' WHEN {{:referer}} IS NULL THEN 'one_click' ELSE 'page' END END"""


def reader(path_patterns: Sequence[str] = ()) -> Platform:
    """Give the reader for access logs in which these patterns say what is an event; without any, known trackers'.

    Raises InputError for a pattern that is none.
    """
    patterns = tuple(map(paths.parsed, path_patterns)) or paths.BUILT_IN
    found = {
        f"found_{name}": paths.decoded(paths.group(name, patterns, "{:rule}", "{:groups}")) for name in paths.GROUPS
    }
    refused = ", ".join(map(quote_text, _LINK_WAS_THERE))
    return Platform(
        name=NAME,
        title="Access log of a tracking domain",
        signatures=(
            Signature(("line",), {"line": line.MOMENT}),
            Signature(("log",), {"log": line.MOMENT}),
            Signature(("message",), {"message": line.MOMENT + r' "'}),
            Signature(("remote_addr", "request_uri")),
            Signature(("remote_addr", "request_url")),
            Signature(("remote_addr", "request"), {"request": "^[A-Z]+ [^ ]+ HTTP/"}),
            Signature(("remote_addr", "request_method", "uri")),
            Signature(("request/uri", "request/remote_ip")),
            Signature(("request/uri", "request/remote_addr")),
            Signature(("RequestPath", "ClientHost")),
            Signature(("RequestPath", "ClientAddr")),
        ),
        fields={
            **line.FIELDS,
            "rule": paths.matching(patterns, "{:target}", "{:method}"),
            "groups": paths.groups(patterns, "{:rule}", "{:target}"),
            **found,
            "event": paths.event(patterns, "{:rule}", "{:target}", "{:found_event}"),
        },
        damaged={"not a line of an access log": line.DAMAGED},
        controls={
            "a message of the server": line.NO_REQUEST,
            "a TLS handshake on a plain port": line.TLS,
            "an empty request": line.EMPTY_REQUEST,
            "not an HTTP request": line.NOT_HTTP,
            "another page": "{:rule} IS NULL",
            **_controls(patterns),
            "answered with an error (4xx, 5xx)": f"""regexp_matches({{:status}}, '^[45][0-9][0-9]$')
                AND {{:status}} NOT IN ({refused})""",
        },
        columns={
            "event_type": "{:event}",
            "timestamp": "{:moment}",
            "message_id": _MAUTIC,
            "recipient_id": "{:found_recipient}",
            "campaign_id": "{:found_campaign}",
            "link_id": "{:found_link}",
            "url": _url(patterns),
            "ip": "{:client}",
            "user_agent": "{:agent}",
            "http_method": "{:method}",
            "http_status": "{:status}",
            "referer": "{:referer}",
            "unsubscribe_method": _LEAVING,
        },
        words=_WORDS,
        ignored=frozenset(
            {
                *(
                    "stream",
                    "level",
                    "logger",
                    "msg",
                    "bytes_read",
                    "bytes_sent",
                    "body_bytes_sent",
                    "duration",
                    "size",
                ),
                *("resp_headers", "user_id", "request_time", "request_length", "request_id", "server_protocol"),
                *("remote_user", "remote_port", "host", "http_host", "server_name", "scheme", "connection", "tls"),
                *("Duration", "Overhead", "OriginDuration", "OriginStatus", "OriginContentSize", "RequestCount"),
                *("DownstreamContentSize", "RequestContentSize", "RetryAttempts", "RouterName", "ServiceName"),
                *("ServiceAddr", "ServiceURL", "StartLocal", "RequestAddr", "RequestHost", "RequestPort", "ClientPort"),
                *("RequestProtocol", "RequestScheme", "ClientUsername", "entryPointName", "TLSVersion", "TLSCipher"),
            }
        ),
        folds=False,
        gives=frozenset({"address", "agent", "method", "links"}),
        precision="s",
        export="""Give clicksift the log of the web server or proxy before your tracker, rotated files too, in the
combined format or as JSON. Say with --path-pattern which paths are opens, clicks and unsubscribes, and where the
message or recipient stands in them; without it the paths of listmonk, GoPhish, Mautic, Sendy and phpList (opens) are
known. Behind proxies the client is the first public address of X-Forwarded-For, where it is logged; a client can
write one of its own. Requests that were answered with an error are counted and left out, except 405, 429 and 499.""",
        lacks="""sent and delivered times (give a campaigns table), recipients' domains, the targets of links; two
requests of one second have no order but that of the lines.""",
        tried=True,
    )


def _controls(patterns: Sequence[paths.PathPattern]) -> dict[str, str]:
    return {pattern.control: f"{{:rule}} = {k}" for k, pattern in enumerate(patterns) if pattern.control}


def advice(
    con: duckdb.DuckDBPyConnection, name: str, records: Records, platform: Platform, files: Sequence[int]
) -> str:
    """Put into words what the requests of a log look like of which none is an event, and a pattern to paste.

    Empty where there are no requests.
    """
    columns = {"shape": paths.shape_of("{:target}"), "fits": "CASE WHEN {:rule} IS NOT NULL THEN 'yes' END"}
    translate(con, records, replace(platform, columns=columns, controls={}, damaged={}), files)
    found = con.execute("""
        SELECT c0, count(*) AS n, count(c1) FROM raw WHERE c0 IS NOT NULL GROUP BY c0 ORDER BY n DESC, c0""").fetchall()
    drop(con, "raw")
    if not found:
        return ""
    total, fitting = (sum(row[k] for row in found) for k in (1, 2))
    shapes = [shape for shape, _, fits in found if "<id>" in shape and not fits]
    pattern = paths.suggested(shapes[0]) if shapes else paths.EXAMPLE
    left_out = f"{fitting:,} look like one, but were answered with an error or show nobody; " if fitting else ""
    return (
        f"{name}: none of its {total:,} requests is an open, click or unsubscribe of a message; {left_out}most are for "
        f"{', '.join(f'{shape} ({n:,})' for shape, n, _ in found[:_SHOWN])}. Say which are with --path-pattern "
        f"'{pattern}'; its groups may be {', '.join(paths.GROUPS)}"
    )


ACCESS_LOG = reader()
