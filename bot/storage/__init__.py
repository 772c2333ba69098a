"""The database: one SQLite file.

`database` opens it, `migrations` makes its tables, and one file a table noun reads and writes.
"""
