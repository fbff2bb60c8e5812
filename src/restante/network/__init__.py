"""The network for both listeners and drains: TLS without sockets, contexts, addresses, lookup."""
