"""What both ends of the walk need of the network: TLS without sockets, contexts, addresses, name lookup."""
