"""How telephony behaves, whatever moves it: virtual time or sockets."""
