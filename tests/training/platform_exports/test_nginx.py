"""An access log: every request a line with its method, whole seconds with an offset, others' lines between."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from tests.training.platform_exports.conftest import SEEDS
from tests.training.platform_exports.exported import Export, counted, engagement, labelled, simulated

LINE = re.compile(r'(\S+) - - \[([^\]]+)\] "([^"]*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)"')
REQUEST = re.compile(
    r"(?P<method>GET|HEAD|POST) /(?P<what>[ocu])/(?P<campaign_id>[^/]+)/(?P<recipient_id>[0-9a-f]{16})"
    r"(?P<more>\.gif|/\d+|) HTTP/(1\.1|2\.0)"
)
KINDS = {"o": "open", "c": "click", "u": "unsubscribe"}
pytestmark = pytest.mark.parametrize("seed", SEEDS)


def records(export: Export) -> list[dict]:
    rows = []
    for line in (export.folder / "access.log").read_text().splitlines():
        ip, time, request, status, size, _, agent = LINE.fullmatch(line).groups()
        found = REQUEST.fullmatch(request)
        rows.append(
            {
                "ours": found is not None,
                "ip": ip,
                "us": int(datetime.strptime(time, "%d/%b/%Y:%H:%M:%S %z").timestamp()) * 1_000_000,
                "zone": time[-5:],
                "user_agent": None if agent == "-" else agent,
                "status": int(status),
                "size": int(size),
                **({} if found is None else found.groupdict()),
            }
        )
        if found is not None:
            more = {"event_type": KINDS[found["what"]], "http_method": found["method"]}
            rows[-1] |= {**more, "link_id": found["more"][1:] if found["what"] == "c" else None}
    return rows


def test_each_label_is_of_the_line_it_names(export, seed):
    sender = export("nginx", seed)
    named = labelled(sender, {"access.log": records(sender)})
    same = ("event_type", "campaign_id", "recipient_id", "us", "ip", "user_agent", "http_method", "automated", "source")
    wanted = engagement(simulated(sender.made))
    assert counted(named, *same, "link_id") == counted(wanted, *same, "link_id")


def test_lines_come_in_order_of_time_with_an_offset(export, seed):
    rows = records(export("nginx", seed))
    assert [row["us"] for row in rows] == sorted(row["us"] for row in rows)
    assert {row["zone"] for row in rows} == {"+0100"}


def test_lines_of_others_stand_between_and_have_no_label(export, seed):
    sender = export("nginx", seed)
    rows = records(sender)
    others = [row for row in rows if not row["ours"]]
    assert 0 < len(others) < 0.1 * len(rows)
    assert len(sender.labels) == len(rows) - len(others)
    assert {404, 400} & {row["status"] for row in others}


def test_answers_to_head_requests_are_empty(export, seed):
    sizes = {(row["method"], row["size"] > 0) for row in records(export("nginx", seed)) if row["ours"]}
    assert ("GET", True) in sizes
    assert not {("HEAD", True), ("GET", False)} & sizes


def test_links_of_single_recipients_are_not_in_the_campaigns(export, seed):
    sender = export("nginx", seed)
    assert {(row["honeypot_url"], row["unsubscribe_url"]) for row in sender.campaigns} == {(None, None)}
    assert [row["campaign_id"] for row in sender.campaigns] == sender.made.campaigns["campaign_id"].to_pylist()
