"""Work in the background: clocks, waiting, and rounds that are done again and again."""
