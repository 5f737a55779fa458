"""Virtual time: the engines, the traffic and the replications."""
