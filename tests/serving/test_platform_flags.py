"""The platform's flags are counted against our verdicts, and only where the platform says something."""

from __future__ import annotations

import json
from pathlib import Path

from serving.platform_flags import Agreement, agreement
from tests.serving.scored_files import scored


def event(n: int, kind: str = "open", **more: object) -> dict[str, object]:
    return {
        "event": kind,
        "timestamp": 1772359200 + 600 * n,
        "sg_event_id": f"{kind}{n}",
        "email": f"r{n}@example.com",
        "sg_message_id": f"m{n}.f",
        **more,
    }


def test_each_answer_of_a_flag_is_split_by_our_verdict(tmp_path: Path) -> None:
    rows = [event(n, sg_machine_open=n < 3) for n in range(5)] + [event(n) for n in range(5, 9)] + [event(1, "click")]
    path = tmp_path / "events.json"
    path.write_text(json.dumps(rows))
    con, _ = scored(path)
    con.execute("""
        UPDATE verdicts SET verdict = CASE event_row % 1099511627776
            WHEN 1 THEN 'automated' WHEN 2 THEN 'human' WHEN 4 THEN 'human' ELSE 'unsure' END""")
    assert agreement(con) == [Agreement("sg_machine_open", "opened", 3, 1, 1, 2, 0, 1)]


def test_without_flags_there_is_nothing_to_agree_with(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_text(json.dumps([event(n) for n in range(3)]))
    con, _ = scored(path)
    assert agreement(con) == []
