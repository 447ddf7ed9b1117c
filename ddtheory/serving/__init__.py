"""The tools of this package for assistants, over the Model Context Protocol: what `ddtheory mcp` serves.

`tools` is the table of them with their schemas, `answers` what each of them does, `child` the process in which one call
is answered, `calls` who starts it, waits for it and ends it, and `server` the one file that knows the protocol.
"""
