"""The `packets` engine: real SIP messages between real endpoints, over a simulated network in virtual time."""
