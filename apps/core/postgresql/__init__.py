"""Django's PostgreSQL backend, with the tenancy scope carried to the connection."""
