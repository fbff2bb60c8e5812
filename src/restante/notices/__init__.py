"""Telling operators and customers of what happens to held mail, by webhook, by mail, or by a service of their choice."""
