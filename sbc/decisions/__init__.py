"""Pure decisions: ``now`` and an event in, effects out; no clock, socket or randomness inside."""
