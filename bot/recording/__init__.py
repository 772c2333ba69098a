"""Reading recordings: files of posts, in order of time, as what happened to each post.

    FILE --source--> bytes --formats--> jsonl | desktop --> Post
         --order--> Line --merge by date--> history --> Event --albums--> Revision

`reader.read` is the whole of it. Bytes are opened, unpacked and counted in `source`; `formats` tells what
they are; `jsonl` and `desktop` make posts of them, with the help of `fields`; `order` gives each line of a
file its moment; `history` knows which posts were seen before, in whichever file, and `albums` joins members.
"""
