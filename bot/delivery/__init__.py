"""From the outbox to the chats: whose turn it is, sending it, and what becomes of it."""
