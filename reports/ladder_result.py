"""A ladder as JSON, for programs; times in seconds, names as in `calls.csv` and `journal.jsonl`."""

import json
from typing import Any, Final

from reports import ladder_words as words
from reports.ladder import Kind, Ladder, Message, Row, Silence
from reports.ladders import Telling

VERSION: Final = 1

Json = dict[str, Any]


def ladder_text(ladder: Ladder, kind: Kind | None) -> str:
    """Return one ladder; ``kind`` is what it was chosen for."""
    return _dumped(_ladder(ladder, kind))


def choice_text(telling: Telling) -> str:
    """Return what there is to show of a run."""
    found = telling.picks
    return _dumped(
        {
            "version": VERSION,
            "attempts": found.attempts,
            "delayed": found.delayed_of_all,
            "lost": found.lost_of_all,
            "ladders": {
                kind: {
                    "attempt": ladder.attempt and int(ladder.attempt.attempt),
                    "call_ids": ladder.call_ids,
                    "messages": len(ladder.messages) + ladder.more,
                }
                for kind, ladder in telling.ladders.items()
            },
        }
    )


def _dumped(data: Json) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _ladder(ladder: Ladder, kind: Kind | None) -> Json:
    attempt = ladder.attempt
    return {
        "version": VERSION,
        "chosen_for": kind,
        "attempt": attempt and {**attempt._asdict(), "attempt": int(attempt.attempt)},
        "address_of_record": ladder.address_of_record or None,
        "call_ids": ladder.call_ids,
        "columns": [{"name": column.name, "addresses": list(column.addresses)} for column in ladder.columns],
        "rows": [_row(ladder, row) for row in ladder.rows],
        "more_messages": ladder.more,
    }


def _row(ladder: Ladder, row: Row) -> Json:
    match row:
        case Message():
            return {"kind": "message", **_moment(ladder, row.at), **_message(ladder, row)}
        case Silence(since, until):
            return {"kind": "silence", **_moment(ladder, since), "lasts": round(until - since, 6)}
        case _:
            event = {"event": row.kind, "subject": row.subject, "detail": dict(row.detail)}
            return {"kind": "event", **_moment(ladder, row.at), **event}


def _moment(ladder: Ladder, at: float) -> Json:
    return {
        "at": at,
        "since": round(at - ladder.begins, 6),
        "clock": None if ladder.clock is None else words.moment(ladder.clock, at),
    }


def _message(ladder: Ladder, message: Message) -> Json:
    packet = message.packet
    return {
        "number": message.number,
        "from": ladder.columns[message.source].name,
        "to": ladder.columns[message.target].name,
        "source": packet.source,
        "target": packet.target,
        "transport": packet.protocol,
        "method": message.method,
        "status": message.status or None,
        "reason": message.reason or None,
        "call_id": message.call_id,
        "cseq": message.cseq,
        "copy": message.copy,
        "arrival": message.arrival,
        "text": message.text,
    }
