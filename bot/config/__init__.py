"""The configuration: one TOML file in, one value out, or every error of the file at once.

    config.toml --load--> Settings | errors       what the file and the environment say, whole and valid
    Settings --ruling--> Rules, Matcher           what judging posts needs of it
    Settings --advice--> notes                    what is allowed but looks unwise
    Settings, Settings --diff--> Changes          what a reload changes, and what of it needs a restart

`settings` is the shape of the file with its defaults; its texts become values in `values`, `references` (channels
and destinations) and `secrets`; `agreement` asks whether its parts fit together. What is wrong is a fault
(`faults`, for a text that is no TOML `syntax`), and `positions` tells where in the file it stands.
"""
