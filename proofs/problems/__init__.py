"""Live claims: problems that a public registry poses, and what of them is settled here.

The statements are ours, of the registry's models; `open.toml` lists what stays open, with its best proven bounds.
"""
