"""What a person sees in the terminal of unsubscribes: what is to become of them and why, and their rate over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from serving.campaign_table import printable
from serving.summary import counted
from serving.terminal_table import titled_table
from serving.unsubscribes import DECISIONS, RESTORE

# Of many days the last ones are shown, of many campaigns too.
ROWS_SHOWN = 30
WARNING = (
    "Nothing is restored by itself. Before you restore anybody look at the evidence: a wrong restore mails a person who"
    " opted out, which CAN-SPAM, the GDPR and other laws forbid. So that it does not happen again, let the unsubscribe"
    " link lead to a page that asks for a POST, and offer one-click by RFC 8058 for the mailbox's own button."
)

Row = Mapping[str, Any]


def decision_line(rows: Sequence[Row]) -> str:
    """How many of the reviewed rows are to be left, asked about and restored, in a sentence."""
    if not rows:
        return "There are no unsubscribes to review."
    count = Counter(row["decision"] for row in rows)
    complaints = sum(row["event_type"] == "complained" for row in rows)
    what = counted(len(rows) - complaints, "unsubscribe")
    if complaints:
        what += f" and {counted(complaints, 'spam complaint')}"
    recipients = len({row["recipient_id"] for row in rows if row["decision"] == RESTORE})
    leave, ask, restore = (f"{count[name]:,}" for name in DECISIONS)
    last = f"{restore} may be restored" + (f" ({counted(recipients, 'recipient')})" if recipients else "")
    return f"Of {what} leave {leave}, ask about {ask}; {last}."


def decision_table(rows: Sequence[Row]) -> Table:
    """The reviewed rows by decision and what decided, most first in each."""
    count = Counter((row["decision"], row["ground"]) for row in rows)
    table = titled_table("What is to become of unsubscribes")
    table.add_column("decision", no_wrap=True)
    table.add_column("because")
    table.add_column("unsub.", justify="right", no_wrap=True)
    for decision in DECISIONS:
        own = [(ground, number) for (name, ground), number in count.most_common() if name == decision]
        for ground, number in own:
            table.add_row(decision, ground, f"{number:,}")
    return table


def rate_table(rows: Sequence[Row]) -> Table:
    """Unsubscribes a day or campaign, raw and people's, marked where the machines' share jumps; the latest if many."""
    shown = rows[-ROWS_SHOWN:]
    last = f", the last {len(shown)} of {len(rows):,}" if len(shown) < len(rows) else ""
    by_campaign = bool(rows) and "campaign_id" in rows[0]
    table = titled_table(f"Unsubscribes by {'campaign' if by_campaign else 'day of arrival'}{last}: raw and people's")
    if by_campaign:
        table.add_column("\ncampaign")
    table.add_column("\nday", no_wrap=True)
    for heading in ("\nmessages", "unsub.\nraw", "\npeople", "rate\nraw", "\npeople", "machines'\nshare"):
        table.add_column(heading, justify="right", no_wrap=True, style="bold" if heading == "\npeople" else None)
    table.add_column("share\njumps", no_wrap=True)
    for row in shown:
        name = [printable(str(row["campaign_id"])) or "(none)"] if by_campaign else []
        share = "" if row["machine_share"] is None else f"{row['machine_share']:.0%}"
        table.add_row(
            *name,
            f"{row['day']}",
            f"{row['messages']:,}",
            f"{row['unsubscribes']:,}",
            f"{row['human_unsubscribes']:,.0f}",
            f"{row['rate']:.2%}",
            f"{row['human_rate']:.2%}",
            share,
            row["change"] or "",
        )
    return table
