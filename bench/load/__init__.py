"""What sends mail to them."""
