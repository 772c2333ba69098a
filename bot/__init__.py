"""Vedette watches Telegram channels and tells a chat when they mention what you care about.

What is there so far, and the way of a post through it:

    recording/  ──Post──>  query/ (matcher)  ──Match──>  cli/ (grep, explain)
    errors  model     the vocabulary
    text/             words of a post: tokens, keys, forms, footers, hashtags and links
    query/            keywords: read, understood, matched many at once, explained
    recording/        JSON lines and Telegram Desktop's export, streamed
    terminal          colours, progress, harmless output
    cli/              one file a command
    demo/             the recordings that ship with the package

`ARCHITECTURE.md` has the rest of the plan and the rules that hold it together.
"""
