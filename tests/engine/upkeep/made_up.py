"""Results in a cache that no stage has made."""

from __future__ import annotations

import os
import time

from report.engine.store import Entry, Record, digest_files, digest_json
from report.engine.system.files import digest_file, write_atomically
from report.engine.upkeep.remove_unused import DAY

NOW = time.time()


def put(store, stage, value="x", *, reads=(), days=0.0) -> Record:
    """Keep a result as if a stage had run, used so many days ago; ``reads`` are the results that it was made from."""
    write_atomically(store.root / "tmp" / stage / "number.txt", str(value).encode())
    path = store.root / "tmp" / stage / "number.txt"
    outputs = {"number.txt": Entry(sha256=digest_file(path), size=path.stat().st_size)}
    recipe = {"stage": stage, "value": value, "inputs": {made.stage: made.digest for made in reads}}
    record = Record(digest_json(recipe), stage, recipe, outputs, digest_files(outputs), 0.1, {}, "")
    store.keep(record, path.parent)
    path.parent.rmdir()
    write_atomically(store.log(record.key), b"")
    for file in (action(store, record), store.log(record.key)):
        os.utime(file, (NOW - days * DAY, NOW - days * DAY))
    return record


def action(store, record):
    return store.root / "actions" / record.key[:2] / f"{record.key}.json"


def there(store, *records) -> list[bool]:
    return [action(store, record).exists() for record in records]
