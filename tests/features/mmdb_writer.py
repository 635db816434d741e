"""Small MaxMind databases, made from networks and what they say; the reader under test is the real one."""

from ipaddress import ip_network

_MARK = b"\xab\xcd\xefMaxMind.com"
# The format's types of numbers where they are not of 32 bits: 16 bits are 5, 64 bits are 9.
_NUMBERS = {
    "binary_format_major_version": 5,
    "binary_format_minor_version": 5,
    "build_epoch": 9,
    "ip_version": 5,
    "record_size": 5,
}


def mmdb(records, database_type="GeoLite2-ASN", built=1_795_219_200):
    """The bytes of an IPv6 database of 24-bit records; IPv4 networks are in ::/96. `built` is 2026-11-21."""
    nodes, data, offsets = [[None, None]], b"", []
    for cidr, record in records.items():
        network = ip_network(cidr)
        length = network.prefixlen + (96 if network.version == 4 else 0)
        offsets.append(len(data))
        _insert(nodes, f"{int(network.network_address):0128b}"[:length], ("data", len(offsets) - 1))
        data += _encoded(record)
    tree = b"".join(_place(side, len(nodes), offsets).to_bytes(3, "big") for node in nodes for side in node)
    described = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": built,
        "database_type": database_type,
        "description": {"en": "made for a test"},
        "ip_version": 6,
        "languages": ["en"],
        "node_count": len(nodes),
        "record_size": 24,
    }
    return tree + bytes(16) + data + _MARK + _encoded(described)


def _insert(nodes, bits, value):
    at = 0
    for bit in map(int, bits[:-1]):
        if nodes[at][bit] is None:
            nodes.append([None, None])
            nodes[at][bit] = len(nodes) - 1
        at = nodes[at][bit]
    nodes[at][int(bits[-1])] = value


def _place(side, count, offsets):
    if side is None:
        return count
    return side if isinstance(side, int) else count + 16 + offsets[side[1]]


def _encoded(value, number=6):
    if isinstance(value, dict):
        parts = (_encoded(key) + _encoded(item, _NUMBERS.get(key, 6)) for key, item in value.items())
        return _head(7, len(value)) + b"".join(parts)
    if isinstance(value, list):
        return _head(11, len(value)) + b"".join(map(_encoded, value))
    if isinstance(value, str):
        text = value.encode()
        return _head(2, len(text)) + text
    content = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _head(number, len(content)) + content


def _head(kind, size):
    length, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return bytes([(kind << 5) | length]) + more if kind < 8 else bytes([length, kind - 7]) + more
