"""The Graph API, as far as ads go."""
