"""What the SIP process of a node is started with."""

from dataclasses import dataclass

from sbc.endpoints.gate import Post
from sbc.endpoints.node import Keeps, SbcNode
from sbc.endpoints.proxy_node import ProxyNode
from sbc.endpoints.wire import Path
from sbc.sip.ids import Ids


@dataclass(frozen=True, slots=True)
class NodePlan:
    """A node as its plan describes it; picklable, for it may run in a process of its own."""

    post: Post
    keeps: Keeps
    peer: Path | None
    """The way to the other node, on which replicas pass; None where each node is on its own."""
    proxies: bool
    """Whether it is a Record-Routing proxy, and not a back-to-back user agent."""

    def start(self, ids: Ids) -> SbcNode | ProxyNode:
        """Return the endpoint; ``ids`` for what it sends."""
        if self.proxies:
            return ProxyNode(self.post, ids)
        return SbcNode(self.post, ids, keeps=self.keeps, peer=self.peer)
