"""Accounts and what belongs to them: logins, hosted domains, destinations. Pure."""
