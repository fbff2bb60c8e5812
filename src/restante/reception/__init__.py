"""Taking mail from any host on the Internet: the first half of a message's walk."""
