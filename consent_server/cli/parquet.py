"""Parquet: the records as columns, for those who count with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from consent_server.audit import COLUMNS
from consent_server.errors import ConfigError

_TIMES = ("decided_at", "received_at", "valid_until")
_NUMBERS = ("schema", "version")
#: Records of one row group: so many are held at once.
_AT_ONCE = 10_000


def load_parquet() -> tuple[Any, Any]:
    """Return pyarrow and its Parquet part; raises ConfigError where the extra is missing."""
    try:
        import pyarrow  # noqa: PLC0415 (an extra)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "Parquet needs one more package: pip install 'consent-server[parquet]'"
        ) from error
    return pyarrow, parquet


def write_parquet(records: Iterable[Mapping[str, Any]], file: BinaryIO) -> None:
    """Write records with typed columns: times in UTC, grants as a map, signals as JSON."""
    pyarrow, parquet = load_parquet()
    kinds: dict[str, Any] = dict.fromkeys(COLUMNS, pyarrow.string())
    kinds |= dict.fromkeys(_TIMES, pyarrow.timestamp("ms", tz="UTC"))
    kinds |= dict.fromkeys(_NUMBERS, pyarrow.int32())
    kinds["grants"] = pyarrow.map_(pyarrow.string(), pyarrow.bool_())
    schema = pyarrow.schema([(name, kinds[name]) for name in COLUMNS])
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _groups(map(_typed, records)):
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while group := list(islice(rows, _AT_ONCE)):
        yield group


def _typed(record: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: datetime.fromisoformat(record[name]) for name in _TIMES}
    signals = json.dumps(record["signals"], ensure_ascii=False, separators=(",", ":"))
    return {**record, **times, "grants": list(record["grants"].items()), "signals": signals}
