"""Reception: taking mail from any host on the Internet."""
