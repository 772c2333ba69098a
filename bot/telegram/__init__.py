"""Telegram, and nothing else: calls through Telethon, and what comes back as values of ours.

What is to be remembered is decided above, and kept in `bot.storage`.
"""
