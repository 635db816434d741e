"""What an analyst would write: features of the same kinds in plain pandas, then LightGBM's own predict.

It takes the exports of the simulator as they are (one file, the canonical names), checks nothing and repairs
nothing. Whatever pandas does quickly is done that way: sorting and shifting inside messages, counts by
`searchsorted` on sorted keys, work on distinct addresses and agents, sums over hours by cumulation.

    python -m tests.benchmarks.plain_pandas EVENTS CAMPAIGNS BOOSTER OUTPUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
import ua_parser

from features import reference
from features.address_key import join_halves, pack

Ints = npt.NDArray[np.int64]
SECOND = 1_000_000
HOUR = 3_600 * SECOND
GROUPS = ("address", "network", "agent", "domain")
SIGNS = ("clicked", "quick", "soon", "burst", "opened")
JUDGED = {"open": 0, "click": 1, "unsubscribe": 2}


def read(events: Path, campaigns: Path) -> pd.DataFrame:
    """The judged events in order of message and time, with integer keys and what their campaign says."""
    table = pd.read_parquet(events)
    table["us"] = table["timestamp"].astype("datetime64[us, UTC]").astype("int64")
    delivered = table[table["event_type"] == "delivered"].groupby("message_id")["us"].min()
    known = pd.read_parquet(campaigns).drop_duplicates("campaign_id").set_index("campaign_id")
    table = table[table["event_type"].isin(JUDGED)].copy()
    table["kind"] = table["event_type"].map(JUDGED).astype("int8")
    for key, column in {"msg": "message_id", "domain": "recipient_domain", "link": "url"}.items():
        table[key] = pd.factorize(table[column])[0]
    table["delivered_us"] = table["message_id"].map(delivered)
    sent = known["sent_at"].astype("datetime64[us, UTC]").astype("int64").where(known["sent_at"].notna())
    table["sent_us"] = table["campaign_id"].map(sent)
    for name in ("n_links", "honeypot_url", "unsubscribe_url"):
        table[name] = table["campaign_id"].map(known[name])
    return table.sort_values(["msg", "us"], kind="stable", ignore_index=True)


def timing(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Seconds from and to what happened on the same message."""
    us, msg = table["us"], table["msg"]
    by_message = us.groupby(msg)
    opens = us.where(table["kind"] == 0)
    clicks = us.where(table["kind"] == 1)
    first_open, last_open = opens.groupby(msg).cummin(), opens.groupby(msg).ffill()
    return {
        "since_delivery_s": (us - table["delivered_us"]) / SECOND,
        "since_sent_s": (us - table["sent_us"]) / SECOND,
        "delivery_lag_s": (table["delivered_us"] - table["sent_us"]) / SECOND,
        "since_first_s": (us - by_message.transform("min")) / SECOND,
        "before_s": by_message.diff() / SECOND,
        "after_s": -by_message.diff(-1) / SECOND,
        "since_first_open_s": (us - first_open.groupby(msg).ffill()) / SECOND,
        "since_last_open_s": (us - last_open) / SECOND,
        "since_last_click_s": (us - clicks.groupby(msg).ffill().groupby(msg).shift()) / SECOND,
        "whole_second": (us % SECOND == 0).astype("float32"),
    }


def clicks(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Which links, how many around the event, from how many places."""
    msg, click, opened = table["msg"], table["kind"] == 1, table["kind"] == 0
    first_of_link = click & ~table[["msg", "kind", "link"]].duplicated()
    links_so_far = first_of_link.groupby(msg).cumsum()
    plain = table["url"].str.split("?", n=1).str[0]
    found: dict[str, pd.Series] = {
        f"clicks_{seconds}s": _around(table, click, seconds * SECOND) for seconds in (1, 10, 60)
    }
    return found | {
        "clicks_before": click.groupby(msg).cumsum() - click.astype("int64"),
        "opens_before": opened.groupby(msg).cumsum() - opened.astype("int64"),
        "links_so_far": links_so_far,
        "links_share": links_so_far / table["n_links"],
        "all_links": (links_so_far >= table["n_links"]).astype("float32"),
        "times_this_link": table.groupby(["msg", "link"]).cumcount(),
        "honeypot": (plain == table["honeypot_url"]).astype("float32"),
        "honeypot_message": (plain == table["honeypot_url"]).groupby(msg).transform("max").astype("float32"),
        "unsubscribe_link": (plain == table["unsubscribe_url"]).astype("float32"),
        "method": table["http_method"].map({"GET": 0, "HEAD": 1, "POST": 2}),
        "head_before": (table["http_method"] == "HEAD").groupby(msg).cummax().astype("float32"),
        "addresses_so_far": _distinct_so_far(table, "address"),
        "agents_so_far": _distinct_so_far(table, "agent"),
        "networks_so_far": _distinct_so_far(table, "network"),
    }


def _around(table: pd.DataFrame, counted: pd.Series, us: int) -> pd.Series:
    """How many counted events of the message lie within `us` before or after each event."""
    start = int(table["us"].min())
    span = int(table["us"].max()) - start + 2 * us + 1
    place = (table["msg"].to_numpy() * span + table["us"].to_numpy() - start + us).astype(np.int64)
    counted_places = place[counted.to_numpy()]
    many = np.searchsorted(counted_places, place + us, "right") - np.searchsorted(counted_places, place - us, "left")
    return pd.Series(many, table.index)


def _distinct_so_far(table: pd.DataFrame, key: str) -> pd.Series:
    new = ~table[["msg", key]].duplicated() & (table[key] >= 0)
    return new.groupby(table["msg"]).cumsum()


def addresses(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Autonomous system and its kind, once for each distinct address."""
    code, distinct = pd.factorize(table["ip"])
    packed = [pack(address) for address in distinct]
    keys = np.array([key or bytes(16) for key in packed], dtype="S16")
    announced = reference.load_announcements()
    position = np.searchsorted(join_halves(announced.hi, announced.lo), keys, side="right") - 1
    asn = pd.Series(announced.asn[position].astype(np.int64))
    facts = reference.load_as_categories()
    listed = asn.map({number: fact.category for number, fact in facts.items()})
    category = pd.Series(pd.factorize(listed, sort=True)[0])
    network = [None if key is None else key[:15] if key.startswith(bytes(10)) else key[:6] for key in packed]
    table["address"], table["network"] = code, pd.factorize(pd.Series(network, dtype=object).reindex(code))[0]
    of_event = pd.Series(code, table.index)
    return {
        "category": of_event.map(category),
        "asn_unknown": of_event.map((asn == 0).astype("float32")),
        "cloud": of_event.map(listed.isin(["cloud", "hosting", "cloud_mailbox"]).astype("float32")),
        "mail_security": of_event.map((listed == "mail_security").astype("float32")),
        "ipv6": of_event.map(pd.Series([":" in str(address) for address in distinct], dtype="float32")),
    }


def agents(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Browser, system and version, once for each distinct agent."""
    code, distinct = pd.factorize(table["user_agent"])
    table["agent"] = code
    parsed = [ua_parser.parse(agent) for agent in distinct]
    family = pd.Series([p.user_agent.family if p.user_agent else None for p in parsed])
    major = pd.to_numeric(pd.Series([p.user_agent.major if p.user_agent else None for p in parsed]), errors="coerce")
    of_event = pd.Series(code, table.index)
    family_code, version = of_event.map(pd.Series(pd.factorize(family)[0])), of_event.map(major)
    by_time = pd.DataFrame({"us": table["us"], "family": family_code, "version": version}).sort_values("us")
    newest = by_time.groupby("family")["version"].cummax().reindex(table.index)
    texts = pd.Series(distinct)
    program = texts.str.contains("python|curl|java|go-http|headless|bot", case=False)
    return {
        "family": family_code,
        "system": of_event.map(pd.Series(pd.factorize(pd.Series([p.os.family if p.os else None for p in parsed]))[0])),
        "device": of_event.map(
            pd.Series(pd.factorize(pd.Series([p.device.family if p.device else None for p in parsed]))[0])
        ),
        "version_lag": newest - version,
        "bare_agent": of_event.map((texts == "Mozilla/5.0").astype("float32")),
        "program": of_event.map(program).astype("float32"),
        "no_agent": (of_event < 0).astype("float32"),
    }


def population(table: pd.DataFrame, found: dict[str, pd.Series]) -> dict[str, pd.Series]:
    """Shares over the trailing week of what address, network, agent and domain did, message by message and hour."""
    click = table["kind"] > 0
    signs = {
        "clicked": click,
        "quick": click & (found["since_delivery_s"] <= 60),
        "soon": click & (found["since_delivery_s"] <= 300),
        "burst": click & (found["clicks_10s"] >= 3),
        "opened": click & (found["since_last_open_s"] <= 3_600),
    }
    rows = pd.DataFrame(signs).assign(hour=table["us"] // HOUR, msg=table["msg"])
    shares = {}
    for group in GROUPS:
        keyed = rows.assign(key=table[group])[table[group] >= 0]
        messages = keyed.groupby(["key", "hour", "msg"], sort=False)[list(SIGNS)].max()
        hours = messages.assign(messages=1).groupby(["key", "hour"]).sum().astype("float64")
        week = _trailing(hours, 168)
        at = pd.MultiIndex.from_arrays([table[group], rows["hour"]])
        mine = week.reindex(at).set_axis(table.index)
        shares[f"{group}_click_share"] = mine["clicked"] / (mine["messages"] + 2)
        for sign in SIGNS[1:]:
            shares[f"{group}_{sign}_share"] = mine[sign] / (mine["clicked"] + 2)
    return shares


def _trailing(hours: pd.DataFrame, back: int) -> pd.DataFrame:
    """Sums over each key's hour and the `back` hours before it."""
    key = hours.index.get_level_values(0).to_numpy(np.int64)
    hour = hours.index.get_level_values(1).to_numpy(np.int64)
    hour = hour - hour.min()
    place = key * (int(hour.max()) + back + 2) + hour + back
    sums = np.vstack([np.zeros(hours.shape[1]), np.cumsum(hours.to_numpy(), axis=0)])
    first = np.searchsorted(place, place - back, "left")
    return pd.DataFrame(sums[1:] - sums[first], index=hours.index, columns=hours.columns)


def features(table: pd.DataFrame) -> pd.DataFrame:
    """All features of the judged events, float32, one column each."""
    found = {**addresses(table), **agents(table), **timing(table)}
    found |= clicks(table)
    found |= population(table, found)
    return pd.DataFrame({name: column.astype("float32") for name, column in found.items()})


def main(events: str, campaigns: str, booster: str, output: str) -> None:
    """Score the events and write them with a probability; prints the number of features."""
    table = read(Path(events), Path(campaigns))
    X = features(table)
    table["probability"] = lgb.Booster(model_file=booster).predict(X.to_numpy())
    table["verdict"] = np.where(table["probability"] >= 0.9, "automated", "human")
    ours = table.set_index("event_id")[["probability", "verdict"]]
    everything = pd.read_parquet(events).join(ours, on="event_id")
    everything.to_parquet(output, compression="zstd")
    print(X.shape[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
