"""Slack as far as Durum uses it: the Web API, and the workspace that answers back."""
