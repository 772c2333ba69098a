"""Vedette watches Telegram channels and tells a chat when they mention what you care about.

The way of a post:

    telegram/  watch/ ──> ingest ──> judge ──> storage/ ──> delivery/ ──> chat
                                     alerts at once; what is held and digests by way of digests/
    recording/ ─────────> replay ──> judge ──> desk ──────> terminal
    config/    what is watched and told          rules     the configuration in force; reload exchanges it
    query/     which topics a post is of         stories/  which posts say the same
    triage     told at once, held or dropped     alert  digest    what is told, as values
    render/    values as messages                schedule  cron   when digests are due, when it is quiet
    text/      words: tokens, keys, forms        errors  model    the vocabulary
    app        builds the service                cli/      one file a command

`ARCHITECTURE.md` says how it is held together, and what was not tried.
"""
