"""Runs a statement on the SQLite database of a running server, without the server."""

import contextlib
import os
import sqlite3

with contextlib.closing(sqlite3.connect(os.environ["ZATO_SQLITE"], timeout=60)) as connection, connection:
    connection.execute(os.environ["ZATO_SQL"])
