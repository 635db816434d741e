"""Advice has the figures of the file that call for it, names organisations and no recipients, and cites its facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from features.feature import CAPABILITIES
from features.ip_lookup import OPERATORS
from features.readers.platforms import PLATFORMS
from serving.advice import FEWEST_RECIPIENTS, Advice, advice, plain_text
from serving.advice_texts import markdown, texts
from tests.features.event_tables import link
from tests.serving.judged_events import CISCO, PERSON, UNNAMED, UNSURE, judged, judged_event

Event = dict[str, Any]
ALL = frozenset(CAPABILITIES)


def scans(domain: str, recipients: int, by: dict[str, Any], links: int = 2) -> list[Event]:
    """A scanner's clicks on the links of one message to each recipient of a domain."""
    return [
        judged_event(
            "clicked",
            40 + n,
            by,
            message_id=f"m-{domain}-{r}",
            recipient_id=f"r-{domain}-{r}",
            recipient_domain=domain,
            url=link(n),
        )
        for r in range(recipients)
        for n in range(links)
    ]


def advised(events: Sequence[Event]) -> list[Advice]:
    return advice(judged(events), ALL)


def only(events: Sequence[Event], key: str) -> Advice:
    [found] = [each for each in advised(events) if each.key == key]
    return found


def keys(events: Sequence[Event]) -> list[str]:
    return [each.key for each in advised(events)]


def test_a_gateway_is_named_with_its_organisations_and_a_text_to_send() -> None:
    people = [judged_event("clicked", 900, PERSON, recipient_domain="acme.example", message_id="m-read", url=link(1))]
    found = only([*scans("acme.example", 4, CISCO), *scans("tiny.example", 1, CISCO), *people], "gateway")
    assert found.title == "Links are opened by Cisco's scanners"
    assert found.why == (
        "Cisco's scanners made 10 clicks (91% of all clicks), 0 opens and 0 unsubscribes, of 5 messages.",
        "They scan at 2 recipient organisations; most: acme.example (4 of 5 messages).",
    )
    assert found.letter is not None
    assert "an exemption for t.example?" in found.letter
    assert "Bypass Domain Scanning" in found.letter
    assert [source.title for source in found.sources] == [
        "Cisco Secure Email, URL Rewriting and Analysis Best Practices"
    ]


def test_an_organisation_of_few_recipients_is_counted_and_not_named() -> None:
    named = [
        only(scans("acme.example", recipients, CISCO), "gateway").why[1]
        for recipients in (FEWEST_RECIPIENTS - 1, FEWEST_RECIPIENTS)
    ]
    assert ["acme.example" in why for why in named] == [False, True]


def test_mailboxes_for_everybody_are_no_organisation() -> None:
    assert len(only(scans("gmail.com", 5, CISCO), "gateway").why) == 1


def test_no_recipient_is_in_any_advice() -> None:
    whole = repr(advised([*scans("acme.example", 4, CISCO), judged_event("unsubscribed", 41, CISCO)]))
    assert "r-acme" not in whole
    assert "'r1'" not in whole


SHARED = CISCO | {"vendor": "microsoft", "vendor_evidence": "shared network"}
LISTED = SHARED | {"vendor_evidence": "official list"}


def test_a_network_that_others_use_too_names_no_gateway_by_itself() -> None:
    assert "gateway" not in keys(scans("acme.example", 4, SHARED))
    assert only(scans("acme.example", 4, SHARED), "unnamed").why == (
        "Scanners of no known vendor made 8 clicks, 100% of all.",
    )
    both = only([*scans("acme.example", 4, SHARED), *scans("other.example", 1, LISTED)], "gateway")
    assert both.why[1] == "8 of these are from networks of Microsoft that others run programs in too."


def test_the_busiest_gateway_comes_first() -> None:
    barracuda = CISCO | {"vendor": "barracuda"}
    found = advised([*scans("a.example", 3, CISCO), *scans("b.example", 9, barracuda)])
    assert [each.title for each in found if each.key == "gateway"] == [
        "Links are opened by Barracuda's scanners",
        "Links are opened by Cisco's scanners",
    ]


def test_unsubscribes_by_machines_come_before_everything_else() -> None:
    events = [
        judged_event("unsubscribed", 43, CISCO, http_method="GET"),
        judged_event("unsubscribed", 9_000, PERSON, recipient_id="r2", message_id="m2"),
        judged_event("clicked", 43, CISCO, url="https://t.example/unsubscribe/1"),
    ]
    first = advised(events)[0]
    assert first.key == "unsubscribe"
    assert first.why == (
        "Machines made 1 of 2 unsubscribes. Of all of them 1 are to be left, 1 to be asked about, 0 may be restored"
        " once looked at.",
        "Machines asked for unsubscribe links in 1 click.",
    )
    assert any("RFC 8058" in source.title for source in first.sources)


def test_nothing_is_advised_against_what_did_not_happen() -> None:
    events = [judged_event("clicked", 900, PERSON, url=link(1)), judged_event("unsubscribed", 990, PERSON)]
    assert keys(events) == ["labels", "domain", "not"]


def test_apples_prefetch_is_a_share_of_opens() -> None:
    apple = {"probability": 1.0, "verdict": "automated", "actor": "privacy_proxy", "vendor": "apple"}
    opens = [judged_event("opened", n, by, message_id=f"m{n}") for n, by in enumerate([apple, apple, apple, PERSON])]
    assert only(opens, "opens").why == ("3 of 4 opens (75%) are Apple's prefetch.",)


def test_a_platforms_own_flags_stand_beside_our_verdicts() -> None:
    flagged = [
        judged_event(
            "clicked",
            n,
            by,
            source="mailgun",
            platform_machine=machine,
            platform_machine_reason="client-info.bot=generic",
        )
        for n, (by, machine) in enumerate([(CISCO, True), (PERSON, True), (CISCO, False)])
    ]
    found = only(flagged, "platform")
    assert found.title == "What Mailgun offers"
    assert found.why == (
        "3 events are from Mailgun.",
        "Its client-info.bot marks 2 clicked events, of which 1 are called automated here; of 1 that it does not mark,"
        " 1 are.",
    )


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_every_platform_has_something_to_say(platform: Any) -> None:
    found = only([judged_event("clicked", 1, PERSON, source=platform.name)], "platform")
    assert [step.split(":")[0] for step in found.steps] == [
        "What it offers",
        "What that hides",
        "What to ask its support for",
    ]
    assert platform.source_filtering == "" or "Nothing is hidden" not in found.steps[1]


def test_what_an_export_lacks_is_asked_for() -> None:
    con = judged([judged_event("clicked", 1, PERSON, url=link(1))])
    found = next(each for each in advice(con) if each.key == "missing")
    assert found.why[0].startswith("No user agents:")
    assert len(found.steps) == len(found.why) == 2  # agents and methods


def test_labels_are_advised_with_how_many_clicks_are_unsure() -> None:
    events = [judged_event("clicked", 1, UNSURE), judged_event("clicked", 2, PERSON)]
    assert only(events, "labels").why == ("1 of 2 clicks are unsure; labels of your own make them fewer.",)


def test_an_empty_file_leads_to_what_always_holds() -> None:
    assert keys([judged_event("delivered", 0)]) == ["labels", "not"]


def test_texts_name_known_vendors_platforms_and_capabilities() -> None:
    known = texts()
    assert known.gateways.keys() <= set(OPERATORS)
    assert {"microsoft", "proofpoint", "barracuda", "cisco", "mimecast"} <= known.gateways.keys()
    assert known.platforms.keys() <= {platform.name for platform in PLATFORMS}
    assert known.topics.keys() >= set(CAPABILITIES)


def test_every_fact_about_a_vendor_or_a_platform_has_a_dated_source() -> None:
    known = texts()
    for entry in (*known.gateways.values(), *known.platforms.values()):
        assert entry.sources
        for source in entry.sources:
            assert source.url.startswith("https://")
            assert any(year in source.date for year in map(str, range(2003, 2027)))


@pytest.mark.parametrize("vendor", ["microsoft", "proofpoint", "barracuda", "cisco", "mimecast", "trendmicro"])
def test_a_letter_is_ready_but_for_the_senders_domain(vendor: str) -> None:
    letter = texts().letter(vendor, "links.example.com")
    for word in ("LINKDOMAIN", "PRODUCT", "SETTING", "EFFECT"):
        assert word not in letter
    assert texts().gateway(vendor).setting.replace("LINKDOMAIN", "links.example.com") in letter
    assert "links that are exempt are checked less" in letter
    assert "They cannot go by words" in letter
    assert "YOUR SENDING DOMAIN" in letter
    assert "YOUR LINK DOMAIN" in texts().letter(vendor, "")


def test_the_plain_text_fits_its_width_and_obeys_no_file() -> None:
    events = scans("evil\x1b[31m\u202e.example", 3, CISCO)
    text = plain_text(advised(events), 90)
    lines = [line for line in text.splitlines() if "https://" not in line]
    assert max(map(len, lines)) <= 90
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "   | Subject: Link scanning of our mails" in text


def test_the_page_has_every_text() -> None:
    page = markdown()
    for topic in texts().topics.values():
        assert f"## {topic.title}\n" in page
    for gateway in texts().gateways.values():
        assert gateway.setting in page


def test_scanners_without_a_vendor_are_to_be_found_out() -> None:
    found = only([*scans("acme.example", 2, UNNAMED), judged_event("clicked", 99, PERSON)], "unnamed")
    assert found.why == ("Scanners of no known vendor made 4 clicks, 80% of all.",)
