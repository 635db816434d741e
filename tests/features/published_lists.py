"""What operators publish, in their forms, of documentation's addresses."""

import json
from ipaddress import ip_network

from features import reference

AWS = {
    "syncToken": "1795219200",
    "createDate": "2026-11-20-07-37-05",
    "prefixes": [
        {"ip_prefix": "192.0.2.0/25", "region": "eu-example-1", "service": "AMAZON"},
        {"ip_prefix": "192.0.2.128/25", "region": "eu-example-1", "service": "EC2"},
        {"ip_prefix": "192.0.2.64/26", "region": "GLOBAL", "service": "CLOUDFRONT"},
    ],
    "ipv6_prefixes": [{"ipv6_prefix": "2001:db8:a::/48", "region": "eu-example-1", "service": "AMAZON"}],
}
AZURE = {
    "changeNumber": 401,
    "cloud": "Public",
    "values": [
        {"name": "EOPExternalPublishedIPs", "properties": {"addressPrefixes": ["198.51.100.0/27", "2001:db8:e::/48"]}},
        {"name": "AzureCloud", "properties": {"addressPrefixes": ["198.51.100.0/24"]}},
        {"name": "AzureCloud.example", "properties": {"addressPrefixes": ["198.51.100.0/25"]}},
    ],
}
M365 = [
    {"id": 1, "serviceArea": "Exchange", "urls": ["outlook.office.com"], "ips": ["203.0.113.0/28"]},
    {"id": 3, "serviceArea": "Exchange", "urls": ["res.example.com"]},
    {"id": 10, "serviceArea": "Exchange", "urls": ["*.mail.protection.outlook.com"], "ips": ["203.0.113.16/28"]},
    {"id": 31, "serviceArea": "SharePoint", "urls": ["*.example.com"], "ips": ["203.0.113.32/28"]},
]
GOOG = {
    "syncToken": "1795219200000",
    "creationTime": "2026-11-19T01:05:42.583377",
    "prefixes": [{"ipv4Prefix": "203.0.113.0/24"}, {"ipv6Prefix": "2001:db8:b::/48"}],
}
GOOGLE_CLOUD = {
    **GOOG,
    "prefixes": [{"ipv4Prefix": "203.0.113.64/26", "service": "Google Cloud", "scope": "example-east1"}],
}
CRAWLER = {"creationTime": "2026-11-18T14:46:45.000000", "prefixes": [{"ipv6Prefix": "2001:db8:c::/64"}]}
ORACLE = {
    "last_updated_timestamp": "2026-11-17T06:55:33.696145",
    "regions": [{"region": "example-1", "cidrs": [{"cidr": "198.51.100.64/27", "tags": ["OCI"]}]}],
}
ZSCALER = {
    "zscaler.example": {
        "continent : EMEA": {
            "city : Oslo": [{"range": "198.51.100.128/26", "vpn": ""}, {"range": "", "vpn": "vpn.example.com"}],
            "city : Rome": [{"range": "2001:db8:d::/48"}],
        },
        "continent : APAC": [],
    },
    "svpnIPs": ["198.51.100.130"],
}
FASTLY = {"addresses": ["198.51.100.192/27"], "ipv6_addresses": ["2001:db8:f::/48"]}
CLOUDFLARE = "192.0.2.0/26\n198.51.100.224/27\n"
APPLE = "203.0.113.0/31,GB,GB-EN,London,\n203.0.113.2/31,DE,DE-BE,Berlin,\n2001:db8:1::/64,US,US-AK,Anchorage,\n"
SUSPECTS = (
    "cidr,kind,operator,service,evidence,source,source_date,group,name,messages\n"
    "203.0.113.128/25,suspected_scanner,,AS64500 Example,observed,suspected-networks,2026-11-20,AS,AS64500 Example,90\n"
    "2001:db8:5::/48,suspected_scanner,,,observed,suspected-networks,2026-11-22,network,2001:db8:5::/48,31\n"
    ",suspected_scanner,,,observed,suspected-networks,2026-11-22,agent,Mozilla/5.0 (X11),24\n"
)
IPTOASN = (
    "0.0.0.0\t192.0.1.255\t0\tNone\tNot routed\n"
    "192.0.2.0\t192.0.2.127\t64500\tDE\tEXAMPLE-BANK - Example Bank\n"
    "192.0.2.128\t192.0.2.255\t64500\tDE\tEXAMPLE-BANK - Example Bank\n"
    "2001:db8::\t2001:db8:0:ffff:ffff:ffff:ffff:ffff\t64501\tNO\tExample Telecom\n"
)
RANGES = '192.0.2.0,192.0.2.255,64500,"Example Bank, Inc."\n2001:db8::,2001:db8::ffff,64501,Example Telecom\n'

EVERY_LIST = {
    "aws-ip-ranges": AWS,
    "azure-service-tags": AZURE,
    "m365-endpoints": M365,
    "google-goog": GOOG,
    "google-cloud": GOOGLE_CLOUD,
    "oracle-public-ip-ranges": ORACLE,
    "zscaler-cenr": ZSCALER,
    "fastly-public-ip-list": FASTLY,
    "suspected-networks": SUSPECTS,
}


def text_of(content):
    return content if isinstance(content, str) else json.dumps(content)


def packaged(source):
    """The prefixes that the packaged data has of a source, as texts."""
    rows = reference.from_sources(list(reference.packaged_prefixes().values()), {source})
    numbers = [(hi << 64) + lo for hi, lo in zip(rows.hi.tolist(), rows.lo.tolist(), strict=True)]
    return [
        str(ip_network((number & 0xFFFFFFFF, length - 96) if number >> 32 == 0xFFFF else (number, length)))
        for number, length in zip(numbers, rows.length.tolist(), strict=True)
    ]


def crawler_list(prefixes):
    """A list in the form of Google's crawlers."""
    entries = [{"ipv6Prefix" if ":" in prefix else "ipv4Prefix": prefix} for prefix in prefixes]
    return {"creationTime": "2026-11-18T14:46:45.000000", "prefixes": entries}
