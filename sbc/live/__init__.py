"""Endpoints on real sockets: a clock, a shell for each endpoint, and the transports that carry its traffic."""
