"""Slack: its Web API (`client`, `connector`), what a message may hold (`blocks`), what Slack sends us (`inbound`)."""
