"""Makes the pages of the site that are made by command, and checks what was built."""
