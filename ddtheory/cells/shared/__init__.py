"""What the families share: what a cell is and knows, its faces, the routes to its pair, the table of families."""
