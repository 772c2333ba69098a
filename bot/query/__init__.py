"""Keywords are queries: read (`parser`, `operators`), understood (`nodes`, `notes`), found many at once (`matcher`).

text --parser--> Query(nodes) --lexicon--> Plan over Leaves --matcher--> Match(hits)
"""
