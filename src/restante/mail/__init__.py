"""What a mail is: addresses, envelopes, messages and trace fields. Pure."""
