"""`python -m services.export.parquet_writer PATH COLUMN…`: CSV records on standard input → a Parquet file.

A process of its own, so the library's memory and work are not the service's. Its exit status says how it
ended, an error's number where there is one; what the library says of an error may hold a cell.
"""

import os
import sys
from io import FileIO
from typing import TYPE_CHECKING

from arro3.core import DataType, Field, Schema
from arro3.io import read_csv, write_parquet

if TYPE_CHECKING:
    from typing_extensions import Buffer

ROWS_IN_A_GROUP = 20_000
"""What is held in memory at most."""
RECORDS_AT_A_TIME = 4_096
FAILED = 1
NUMBERS = frozenset({"academic_year"})
"""All else is text, and empty text is null: a CSV does not tell them apart."""


def schema(columns: list[str]) -> Schema:
    return Schema(
        [
            Field(name, DataType.int32() if name in NUMBERS else DataType.string(), nullable=True)
            for name in columns
        ]
    )


class Written(FileIO):
    """The library panics when a file cannot be written, so the reason is kept here."""

    error = 0

    def write(self, data: "Buffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.error = error.errno or 0
            raise


def main() -> None:
    path, *columns = sys.argv[1:]
    with Written(path, "w") as file:
        try:
            records = read_csv(
                sys.stdin.buffer, schema(columns), has_header=False, batch_size=RECORDS_AT_A_TIME
            )
            write_parquet(records, file, compression="snappy", max_row_group_size=ROWS_IN_A_GROUP)
        except BaseException:  # a panic is no Exception
            os._exit(file.error or FAILED)


if __name__ == "__main__":
    main()
