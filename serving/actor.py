"""Who made an automated event: the kind of machine and, where it is known, whose.

Evidence is looked at from the most to the least telling: what the agent calls itself, whose network it came from, then
how it behaved. The expressions use the aliases `f` facts, `a` addresses, `g` agents and `x` features.
"""

from __future__ import annotations

HUMAN, SCANNER, PRIVACY, PREVIEW, OTHER = (
    "human",
    "security_scanner",
    "privacy_proxy",
    "link_preview",
    "other_automation",
)
ACTORS = (HUMAN, SCANNER, PRIVACY, PREVIEW, OTHER)

_SECURITY_KINDS = "('mail_security', 'security_service', 'security_vendor')"
_ROBOT_KINDS = "('crawler', 'ai_crawler', 'fetcher', 'internet_scanner')"

# Apple's and Gmail's prefetch happen for opens only; the same agent on a click is somebody else's.
ACTOR_SQL = f"""
    CASE
        WHEN v.verdict = 'human' THEN '{HUMAN}'
        WHEN v.verdict IS NULL OR v.verdict <> 'automated' THEN NULL
        WHEN g.kind = 'security_scanner' THEN '{SCANNER}'
        WHEN f.kind = 0 AND g.kind IN ('apple_mpp', 'gmail_prefetch') THEN '{PRIVACY}'
        WHEN g.kind = 'link_preview' OR a.kind = 'link_preview' THEN '{PREVIEW}'
        WHEN a.kind IN {_SECURITY_KINDS} OR a.category = 'mail_security' THEN '{SCANNER}'
        WHEN f.kind = 0 AND (a.kind = 'privacy_relay' OR a.category IN ('apple', 'cdn_relay')) THEN '{PRIVACY}'
        WHEN g.kind IN {_ROBOT_KINDS} OR a.kind IN {_ROBOT_KINDS} THEN '{OTHER}'
        WHEN x.widest_burst >= 2 OR x.honeypot_message = 1 OR x.domain_burst_share > 0.3 OR a.rank = 2 THEN '{SCANNER}'
        WHEN g.kind IN ('http_client', 'headless') THEN '{OTHER}'
        WHEN f.kind > 0 THEN '{SCANNER}'
        ELSE '{OTHER}'
    END
"""

# The network's operator says whose scanner it is only where the network is a security vendor's or a mailbox host's.
VENDOR_SQL = f"""
    CASE
        WHEN v.verdict IS NULL OR v.verdict <> 'automated' THEN NULL
        WHEN g.vendor IS NOT NULL AND g.kind IN ('security_scanner', 'link_preview', 'gmail_prefetch') THEN g.vendor
        WHEN f.kind = 0 AND g.kind = 'apple_mpp' THEN 'apple'
        WHEN a.kind IN {_SECURITY_KINDS}
            OR a.kind IN ('link_preview', 'privacy_relay', 'crawler', 'ai_crawler', 'fetcher')
            THEN a.operator
        WHEN a.category IN ('mail_security', 'cloud_mailbox') THEN a.operator
        WHEN g.vendor IS NOT NULL THEN g.vendor
    END
"""
