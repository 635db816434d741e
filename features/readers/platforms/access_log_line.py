"""One record of an access log -> the parts of a request, as SQL over the record (`platform` says what templates are).

Lines: Apache HTTP Server, "Log Files" (common, combined, vhost_combined) and "mod_log_config" (how `%r` is escaped);
nginx, "Module ngx_http_log_module". JSON: nginx's variables under their own names, Caddy, "log" (format json), and
Traefik, "Logs & Access Logs".
"""

from __future__ import annotations

from collections.abc import Mapping

from features.readers.identifiers import quote_text

_IPV4 = r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV6 = rf"(?:(?:[0-9a-f]{{1,4}}:){{7}}[0-9a-f]{{1,4}}|[0-9a-f:]*::(?:[0-9a-f:]*:)?(?:{_IPV4}|[0-9a-f:]*))(?:%[\w.-]+)?"
_ADDRESS = rf"(?:{_IPV4}(?::\d+)?|{_IPV6}|\[{_IPV6}\](?::\d+)?)"
# Who forwarded: nobody, or a list with an address in it; what else is in it may be anything.
_LIST = rf"(?i)^(?:-|unknown|(?:[\w.:\[\]%-]+, *)*{_ADDRESS}(?:, *[\w.:\[\]%-]+)*)$"
# Nobody's on the internet (RFC 6890): a proxy's own network, the machine itself, a provider's shared space.
_PRIVATE = (
    r"(?i)^\[?(?:(?:::ffff:)?(?:0|10|127|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01])"
    r"|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.|::1?(?:[%\]]|$)|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)"
)
# A virtual host's port in front of the client: a client's own port is another one.
_VIRTUAL_HOST = r"^\S+:(?:80|443|8080|8443) (\S+ \S+ \S.*?)\pZ*$"
MOMENT = (
    r"\[(?:\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?: [+-]\d{4})?"
    r"|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\S*)\]"
)
# Apache writes a quote as \" and a backslash as \\: while a line is cut at its quotes these stand for them.
_QUOTE, _BACKSLASH = "chr(1)", "chr(2)"
_REQUEST = "^[A-Z][A-Z_-]+ [^ ]"
_TLS = r"^(?:\\x16\\x03|\\u0016|" + "\x16)"


def _first_public(text: str) -> str:
    """The first address of a list that is of the internet; entries that are no addresses are passed over."""
    is_public = (
        f"regexp_matches(a, {quote_text(f'(?i)^{_ADDRESS}$')}) AND NOT regexp_matches(a, {quote_text(_PRIVATE)})"
    )
    return f"""list_filter(string_split_regex({text}, '[\\s,"]+'), lambda a: {is_public})[1]"""


def _last_address(text: str) -> str:
    is_address = f"regexp_matches(a, {quote_text(f'(?i)^{_ADDRESS}$')})"
    return f"""list_filter(string_split_regex({text}, '[\\s,"]+'), lambda a: {is_address})[-1]"""


def _decoded(part: str) -> str:
    r"""Text with \x22 (nginx) and \" (Apache) put back; as it stands where the bytes are no UTF-8."""
    escaped = f"replace(replace({part}, '\\t', '\\x09'), '\\n', '\\x0A')"
    plain = f"coalesce(TRY(decode(CAST({escaped} AS BLOB))), {part})"
    whole = f"replace(replace({plain}, {_QUOTE}, '\"'), {_BACKSLASH}, '\\')"
    return f"CASE WHEN {{:is_escaped}} THEN {whole} ELSE {part} END"


def _given(part: str) -> str:
    return f"nullif(nullif({part}, '-'), '')"


# A server's line inside something else: a program's own log (msg="…"), a container's ("log"), a shipper's ("message").
_TEXT = f"""
    CASE WHEN regexp_matches({{line}}, '^[a-z]+=') AND NOT regexp_matches({{line}}, {quote_text(MOMENT)}) THEN ''
         WHEN regexp_matches({{line}}, '^[a-z]+=')
         THEN replace(replace(replace(regexp_extract({{line}}, ' msg="((?:[^"\\\\]|\\\\.)*)"', 1),
             '\\\\', {_BACKSLASH}), '\\"', '"'), {_BACKSLASH}, '\\')
         WHEN {{line}} IS NOT NULL THEN {{line}}
         WHEN regexp_matches({{log}}, {quote_text(MOMENT)}) THEN {{log}}
         WHEN regexp_matches({{message}}, {quote_text(MOMENT)}) THEN {{message}} END"""
_PARTS = f"""
    string_split(CASE WHEN {{:is_escaped}}
        THEN replace(replace({{:text}}, '\\\\', {_BACKSLASH}), '\\"', {_QUOTE}) ELSE {{:text}} END, '"')"""
# The request follows the time; before it there may be quotes, around a list of forwarders or an empty user.
_AT = """
    CASE WHEN ends_with({:parts}[1], '] ') THEN 1 WHEN ends_with({:parts}[3], '] ') THEN 3
         WHEN ends_with({:parts}[5], '] ') THEN 5 END"""
_HEAD = "CASE {:at} WHEN 1 THEN {:parts}[1] ELSE array_to_string({:parts}[1:{:at}], '\"') END"
_BEFORE = "left({:head}, length({:head}) - length({:stamp}) - 1)"
_REMOTE_OF_LINE = f"""
    CASE WHEN {{:plain}} THEN split_part({{:before}}, ' ', 1)
         ELSE coalesce({_last_address("{:before}")},
             nullif(regexp_extract({{:before}}, '(\\S+) \\S+ \\S+\\pZ*$', 1), ''),
             split_part({{:before}}, ' ', 1)) END"""
_FORWARDED_OF_LINE = f"""
    coalesce(
        CASE WHEN len({{:parts}}) > {{:at}} + 6
             THEN list_filter({{:parts}}[{{:at}} + 7:], lambda a: regexp_matches(a, {quote_text(_LIST)}))[1] END,
        CASE WHEN NOT {{:plain}} THEN coalesce(nullif(regexp_extract({{:before}}, {quote_text(_VIRTUAL_HOST)}, 1), ''),
             rtrim({{:before}})) END)"""
_TARGET_OF_REQUEST = """
    CASE WHEN NOT {:is_request} THEN NULL
         WHEN split_part({:request}, ' ', 4) = '' THEN split_part({:request}, ' ', 2)
         ELSE regexp_extract({:request}, '^[^ ]+ (.*?)(?: HTTP/[0-9.]+)?$', 1) END"""
_TARGET = """
    CASE WHEN starts_with({:written_target}, '/') THEN {:written_target}
         ELSE regexp_replace({:written_target}, '^[A-Za-z]+://[^/]*', '') END"""
_MOMENT = """
    coalesce(
        CAST(try_strptime({:clock}, '%d/%b/%Y:%H:%M:%S %z') AS VARCHAR),
        CAST(try_strptime({:clock}, '%d/%b/%Y:%H:%M:%S.%f %z') AS VARCHAR),
        CAST(try_strptime({:clock}, ['%d/%b/%Y:%H:%M:%S', '%d/%b/%Y:%H:%M:%S.%f']) AS VARCHAR),
        {:clock})"""

# What the parts of the request are made of, each over the ones before it.
FIELDS: Mapping[str, str] = {
    "text": _TEXT,
    "is_escaped": "contains({:text}, '\\')",
    "parts": _PARTS,
    "at": _AT,
    "head": _HEAD,
    "stamp": "split_part({:head}, '[', -1)",
    "before": _BEFORE,
    # Three words before the time: the client, and "-" or names of two kinds of user.
    "plain": """coalesce(regexp_matches({:before}, '^[^ ,"]*(?: [^ ,"]*){0,2}\\pZ*$'), FALSE)""",
    "answer": "ltrim({:parts}[{:at} + 2])",
    "request": f"""coalesce({_decoded("{:parts}[{:at} + 1]")},
        CASE WHEN NOT starts_with({{request}}, '{{') THEN {{request}} END)""",
    "is_request": f"coalesce(regexp_matches({{:request}}, '{_REQUEST}'), FALSE)",
    "method": """coalesce(CASE WHEN {:is_request} THEN split_part({:request}, ' ', 1) END,
        {request_method}, {request_type}, {request/method}, {RequestMethod}, {method})""",
    "written_target": f"""coalesce({{request_uri}}, {{request_url}}, {_TARGET_OF_REQUEST}, {{request/uri}},
        {{RequestPath}}, {{uri}} || coalesce('?' || {{args}}, ''))""",
    "target": _TARGET,
    "forwarded": f"""coalesce({_FORWARDED_OF_LINE}, {{http_x_forwarded_for}}, {{x_forwarded_for}},
        {{request/headers/X-Forwarded-For/0}}, {{request_X-Forwarded-For}})""",
    "remote": f"""coalesce({_REMOTE_OF_LINE}, {{request/client_ip}}, {{request/remote_ip}}, {{request/remote_addr}},
        {{ClientHost}}, {{ClientAddr}}, {{remote_addr}}, {{remote_ip}})""",
    "client": f"coalesce({_first_public('{:forwarded}')}, {{:remote}})",
    "status": f"""coalesce({_given("split_part({:answer}, ' ', 1)")}, {{status}}, {{DownstreamStatus}})""",
    "agent": f"""coalesce({_decoded("{:parts}[{:at} + 5]")}, {{http_user_agent}}, {{user_agent}},
        {{request/headers/User-Agent/0}}, {{request_User-Agent}})""",
    "referer": f"""{
        _given(
            f"coalesce({_decoded('{:parts}[{:at} + 3]')}, {{http_referer}}, {{http_referrer}}, {{referer}}, "
            "{request/headers/Referer/0}, {request_Referer})"
        )
    }""",
    "written_clock": """CASE WHEN ends_with({:stamp}, ']] ') OR ends_with({:stamp}, ' ] ') THEN rtrim({:stamp}, '] ')
        ELSE left({:stamp}, -2) END""",
    "clock": """coalesce({:written_clock}, {StartUTC}, {msec}, {time_iso8601}, {timestamp_iso8601}, {@timestamp},
        {ts}, {time_local}, {timestamp}, {time})""",
    "moment": _MOMENT,
}

# A line that was cut off, or another program's.
DAMAGED = """
    {:text} <> '' AND ({:at} IS NULL OR len({:parts}) % 2 = 0 OR len({:parts}) = {:at} + 4
        OR NOT regexp_matches({:answer}, '^(?:[0-9]{3}|-) [^ ]'))"""
NO_REQUEST = "{:text} = '' OR ({:text} IS NULL AND {:request} IS NULL AND {:target} IS NULL AND {:status} IS NULL)"
EMPTY_REQUEST = "coalesce({:request} IN ('', '-'), {:target} IS NULL)"
TLS = f"NOT {{:is_request}} AND regexp_matches(coalesce({{:parts}}[{{:at}} + 1], {{:request}}), {quote_text(_TLS)})"
NOT_HTTP = "{:target} IS NULL"
