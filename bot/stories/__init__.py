"""Stories: which posts say the same thing.

`fingerprint` makes a text small and comparable, `member` is what is kept of a post, `shelf` finds members,
`stories` is the judgement: what joins what, in an overlay a batch that is merged once it is stored.
"""
