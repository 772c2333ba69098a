"""Vedette watches Telegram channels and tells a chat when they mention what you care about.

The way of a post through what is there so far:

    recording/ ──> replay ──> judge ──> desk ──> render/ ──> terminal
    config/    what is watched and told          rules     the configuration in force
    query/     which topics a post is of         stories/  which posts say the same
    triage     told at once, held or dropped     alert  digest    what is told, as values
    desk       what waits, and what was sent     schedule  cron   when digests are due, when it is quiet
    text/      words: tokens, keys, forms        errors  model    the vocabulary
    cli/       one file a command                demo/     the recordings that ship with the package

`ARCHITECTURE.md` says how it is held together, and what is not there yet.
"""
