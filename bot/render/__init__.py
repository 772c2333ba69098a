"""What a message looks like: values of `bot.model` in, text and entities out, never markup.

alert, bundle, digest, notice   one file a form: what stands in it, and in which order
story                           the lines a post and its story are told in, the same in every form
excerpt                         what of a long post is shown around its hits
times, words                    local times and periods; counts and lists of names
richtext                        the ground: text made safe, entities that fit, messages that Telegram takes
"""
