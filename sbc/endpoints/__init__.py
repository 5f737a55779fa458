"""Endpoints: carrier, SBC node, registrar, softphone, contact centre, sans-IO, built of decisions and SIP."""
