"""Harnesses that kill everything while real work goes on, and count what was doubled, lost or asked about."""
