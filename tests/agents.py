"""User agents on the network of the test kit."""

from random import Random
from typing import Any

from sbc.sip.agent import UserAgent
from sbc.sip.call import Call, Way
from sbc.sip.fields import Address, parse_via
from sbc.sip.ids import Ids
from sbc.sip.testkit import Link, Network, Reaction, User
from sbc.sip.transaction import Flow
from sbc.sip.uri import SipUri, Uri

OFFER = b"v=0\r\no=- 1 0 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
ANSWER = OFFER.replace(b"192.0.2.1", b"192.0.2.2")


def address(name: str) -> Address:
    return Address(SipUri(f"{name}.example", name))


def agent(name: str, seed: int = 0, **options: Any) -> UserAgent:
    def locate(uri: Uri, flow: Flow | None) -> Way:
        host = uri.host if isinstance(uri, SipUri) else ""
        there = flow if flow is not None and flow.reliable else Link(name, host.removesuffix(".example"))
        return Way(there, parse_via(f"SIP/2.0/UDP {name}.example"))

    bits = Random(f"{name}{seed}").getrandbits  # noqa: S311 - a test has to be repeatable
    return UserAgent(address(name), Ids(bits), locate, **options)


def join(network: Network, name: str, react: Reaction | None = None, **options: Any) -> User[UserAgent]:
    return network.join(name, agent(name, **options), react)


def invite(user: User[UserAgent], target: str, **options: Any) -> Call:
    """Let a party call another, with an offer unless told otherwise."""
    options.setdefault("body", OFFER)
    whom = address(target)
    return user.party.invite(user.network.now, whom.uri, address(user.name), whom, **options)
