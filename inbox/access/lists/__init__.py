"""Lists of what a capacity may see: filters made from the rules, pages, cursors, search."""
