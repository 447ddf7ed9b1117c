"""Two claims about regular models, as an example of a book of one's own."""
