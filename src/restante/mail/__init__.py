"""The data model of mail: addresses, envelopes, messages and trace fields. Pure."""
