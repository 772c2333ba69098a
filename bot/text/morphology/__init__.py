"""A word's forms. `language` says what a language is; one file a language; `languages` is the table of them."""
