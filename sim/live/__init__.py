"""The `live` engine: a drill with the endpoints of the packet engine on real sockets, in real time."""
