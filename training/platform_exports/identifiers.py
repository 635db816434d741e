"""Ids and names that several platforms write in the same way."""

from __future__ import annotations

import base64

SENDER_DOMAIN = "news.example.com"
SENDER = f"hello@{SENDER_DOMAIN}"
SENDING_ADDRESS = "198.51.100.25"  # the mail server's own


def short_id(digits: str) -> str:
    """Give an id as web services write it: 6 bits a character, without padding.

    >>> short_id("00ff10")
    'AP8Q'
    """
    return base64.urlsafe_b64encode(bytes.fromhex(digits)).decode().rstrip("=")


def subject(campaign: str) -> str:
    """Give the subject of a campaign's mail.

    >>> subject("spring-offer-01")
    'Spring offer 01'
    """
    return campaign.replace("-", " ").capitalize()
