"""SIP messages: immutable, parsed when asked, written as they stand (RFC 3261 §7)."""

import re
from collections.abc import Iterable
from typing import Self, TypeAlias

from sbc.sip.building import RequestFields, ResponseFields
from sbc.sip.errors import EncodeError, ParseError
from sbc.sip.fields import Address, CSeq, Via
from sbc.sip.grammar import WHITESPACE, is_token, shown
from sbc.sip.headers import KEYS, Headers, Index, Value, key_of, put, text_of
from sbc.sip.limits import Limits
from sbc.sip.phrases import PHRASES
from sbc.sip.typed import Once, TypedHeaders
from sbc.sip.uri import Uri, parse_uri

Fields: TypeAlias = Headers | Iterable[tuple[str, object]]
"""Header fields to build a message of; a typed value is written as it says."""

VERSION = "SIP/2.0"
DIALOG_METHODS = frozenset(["INVITE", "SUBSCRIBE", "REFER"])
"""Methods whose success makes a dialog, so that the answer carries the Record-Route back (RFC 3261 §12.1.1)."""

_SHARED_BUT_TO = ("via", "vias", "from_", "call_id", "cseq", "branch", "from_tag")
_SHARED = (*_SHARED_BUT_TO, "to", "to_tag")
_FOLD = re.compile(r"\r\n[ \t]++")
_FOLDS = frozenset(WHITESPACE)
_LIMITS = Limits()


class Message(TypedHeaders):
    """What requests and responses have in common."""

    headers: Headers
    body: bytes

    def __init__(self, headers: Fields, body: bytes) -> None:
        own = self.__dict__
        own["headers"] = headers if isinstance(headers, Headers) else Headers(headers)
        own["body"] = body

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a message does not change; {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a message does not change; {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Message)
            and self.start_line == other.start_line
            and self.headers == other.headers
            and self.body == other.body
        )

    def __hash__(self) -> int:
        return hash((self.start_line, self.headers, self.body))

    @property
    def start_line(self) -> str:
        """The first line, without its end."""
        raise NotImplementedError

    def with_headers(self, headers: Headers) -> Self:
        """Return the message with other header fields."""
        raise NotImplementedError

    def with_body(self, body: bytes, content_type: str | None = None) -> Self:
        """Return the message with another body, its Content-Length and, where given or empty, its Content-Type."""
        headers = self.headers.replace("Content-Length", len(body))
        if content_type is not None:
            headers = headers.replace("Content-Type", content_type)
        elif not body:
            headers = headers.without("Content-Type")
        changed = self.with_headers(headers)
        changed.__dict__["body"] = body
        return changed

    def framed(self) -> Self:
        """Return the message with a Content-Length that is right, as a stream needs: itself where it has one."""
        length = str(len(self.body))
        if self.headers.values("Content-Length") == [length]:
            return self
        return self.with_headers(self.headers.replace("Content-Length", length))

    def encode(self) -> bytes:
        """Return the message as it goes on the wire; raises :class:`EncodeError` for a line end within a line.

        Nothing is corrected: a message built wrong on purpose is sent wrong.
        """
        return self._encoded

    @Once
    def _encoded(self) -> bytes:
        lines = [self.start_line, *map(": ".join, self.headers), "", ""]
        text, joined = "\r\n".join(lines), "".join(lines)
        folded = "\r\n " in text or "\r\n\t" in text or text[0] in _FOLDS
        if folded or "\r" in joined or "\n" in joined:
            raise EncodeError("the start line or a header field has a line end in it, or begins with white space")
        try:
            return text.encode("utf-8", "surrogateescape") + self.body
        except UnicodeEncodeError as error:
            raise EncodeError(f"the header fields cannot be written as UTF-8: {error.reason}") from error


class Request(Message):
    """A request: a method, whom it is for, header fields, a body."""

    method: str
    version: str

    def __init__(
        self, method: str, uri: Uri | str, headers: Fields = (), body: bytes = b"", version: str = VERSION
    ) -> None:
        super().__init__(headers, body)
        own = self.__dict__
        own["method"] = method
        own["version"] = version
        own["uri_text" if isinstance(uri, str) else "uri"] = uri

    @classmethod
    def build(
        cls,
        method: str,
        uri: Uri | str,
        *,
        via: Via | str,
        from_: Address | str,
        to: Address | str,
        call_id: str,
        cseq: int,
        max_forwards: int = 70,
        headers: Fields = (),
        body: bytes = b"",
    ) -> Self:
        """Return a request with the six mandatory fields, then `headers`, then a Content-Length that is right.

        A typed value is taken at its word; what is to be wrong on purpose is given as text.
        """
        order = CSeq(cseq, method)
        fields = RequestFields(via, max_forwards, from_, to, call_id, order, headers, len(body))
        request = cls(method, uri, fields, body)
        if fields.plain:
            own = request.__dict__
            own["cseq"] = order
            if call_id and " " not in call_id and "\t" not in call_id:
                own["call_id"] = call_id
            if 0 <= max_forwards <= 255:
                own["max_forwards"] = max_forwards
            if type(via) is Via:
                own["via"] = via
            if type(from_) is Address:
                own["from_"] = from_
            if type(to) is Address:
                own["to"] = to
        return request

    @Once
    def uri_text(self) -> str:
        """The Request-URI as it stands on the wire."""
        return str(self.uri)

    @property
    def _target(self) -> Uri | str:
        """The Request-URI as it was given."""
        return self.uri_text if "uri_text" in self.__dict__ else self.uri

    @Once
    def uri(self) -> Uri:
        """The Request-URI; raises :class:`ParseError` for what is none."""
        try:
            return parse_uri(self.uri_text)
        except ParseError as error:
            raise self.fault(error.reason, "Request-URI") from None

    def fault(self, reason: str, header: str | None = None, status: int = 400) -> ParseError:
        """Return the error to raise about this request; an ACK is never answered."""
        return ParseError(reason, status=None if self.method == "ACK" else status, header=header, message=self)

    @property
    def start_line(self) -> str:
        """Method, Request-URI and version."""
        return f"{self.method} {self.uri_text} {self.version}"

    def with_headers(self, headers: Headers) -> Self:
        """Return the request with other header fields."""
        return type(self)(self.method, self._target, headers, self.body, self.version)

    def with_uri(self, uri: Uri | str) -> Self:
        """Return the request for someone else."""
        return type(self)(self.method, uri, self.headers, self.body, self.version)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri_text}>"


class Response(Message):
    """A response: a status, what it says, header fields, a body."""

    status: int
    reason: str
    version: str

    def __init__(
        self, status: int, reason: str | None = None, headers: Fields = (), body: bytes = b"", version: str = VERSION
    ) -> None:
        super().__init__(headers, body)
        own = self.__dict__
        own["status"] = status
        own["reason"] = PHRASES.get(status, "") if reason is None else reason
        own["version"] = version

    @classmethod
    def answer(
        cls,
        request: Request,
        status: int,
        reason: str | None = None,
        *,
        to_tag: str | None = None,
        headers: Fields = (),
        body: bytes = b"",
    ) -> Self:
        """Return a response to a request: Via, From, To, Call-ID and CSeq as they came (RFC 3261 §8.2.6).

        A To without a tag gets `to_tag`, but not in a 100. Record-Route is copied where a dialog may begin (§12.1.1), a
        Timestamp into a 100. `headers` follow, then a Content-Length that is right.
        """
        also: str | None = None
        if status == 100:
            also = "timestamp"
        elif status < 300 and request.method in DIALOG_METHODS:
            also = "record-route"
        to = None
        if to_tag and status != 100 and not _has_tag(request):
            to = _tagged(request.headers.first("to"), to_tag)
        fields = ResponseFields(request, to, also, headers, len(body))
        response = cls(status, reason, fields, body)
        if fields.plain:
            own, theirs = response.__dict__, request.__dict__
            for name in _SHARED if to is None else _SHARED_BUT_TO:
                if name in theirs:
                    own[name] = theirs[name]
            if type(to) is Address:
                own["to"] = to
                own["to_tag"] = to_tag
            if also == "record-route" and "record_routes" in theirs:
                own["record_routes"] = theirs["record_routes"]
            if fields.find("max-forwards") is None:
                own["max_forwards"] = None
        return response

    def fault(self, reason: str, header: str | None = None, status: int = 400) -> ParseError:
        """Return the error to raise about this response, which no one answers whatever `status` says."""
        return ParseError(reason, status=None, header=header, message=self)

    @property
    def start_line(self) -> str:
        """Version, status and what it says."""
        return f"{self.version} {self.status} {self.reason}"

    def with_headers(self, headers: Headers) -> Self:
        """Return the response with other header fields."""
        return type(self)(self.status, self.reason, headers, self.body, self.version)

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


def _has_tag(request: Request) -> bool:
    try:
        return request.to_tag is not None
    except ParseError:
        return True  # what cannot be read is sent back as it came


def _tagged(to: Value | None, tag: str) -> Value | None:
    if to is None:
        return None
    return to.with_tag(tag) if type(to) is Address else f"{text_of(to)};tag={tag}".rstrip(WHITESPACE)


def parse(data: bytes, limits: Limits = _LIMITS) -> Request | Response:
    """Return the one message of a datagram; bytes beyond its Content-Length are dropped (RFC 3261 §18.3).

    Only what safety needs is looked at: sizes, the start line, header names, the Content-Length. Raises
    :class:`ParseError`, with the message as far as it could be read.
    """
    end = data.find(b"\r\n\r\n", 0, limits.head + 4)
    if end < 0:
        raise cut_short(data, limits)
    message = parse_head(data[:end], limits)
    begin = end + 4
    there = len(data) - begin
    length = body_length(message, limits)
    if length is None:
        length = there
        if length > limits.body:
            raise message.fault(f"the body has {length} bytes, more than {limits.body}", status=513)
    elif length > there:
        raise message.fault(f"it promises {length} bytes of body, but {there} came", "Content-Length")
    return with_received_body(message, data[begin : begin + length])


def with_received_body(message: Request | Response, body: bytes) -> Request | Response:
    """Complete a message that was read up to its body: itself, as nobody has seen it yet."""
    message.__dict__["body"] = body
    return message


def parse_head(head: bytes, limits: Limits = _LIMITS) -> Request | Response:
    """Return a message without its body from start line and header fields; raises :class:`ParseError`."""
    lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    joined = "".join(lines)
    if "\r" in joined or "\n" in joined:
        raise ParseError("a line ends in a lone CR or LF", status=None)
    return _read_head(lines, limits)


def _read_head(lines: list[str], limits: Limits) -> Request | Response:
    pairs: list[tuple[str, Value]] = []
    index: Index = {}
    bad: str | None = None
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        value = value.strip(WHITESPACE)
        key = KEYS.get(name)
        if key is None:
            if line[0] in _FOLDS:
                return _read_head(_FOLD.sub(" ", "\r\n".join(lines)).split("\r\n"), limits)
            name = name.rstrip(WHITESPACE)
            key = key_of(name)
            if not is_token(name):
                colon = ""
        if not colon:
            bad = bad or line
            continue
        pairs.append((name, value))
        if key in index:
            put(index, key, value)
        else:
            index[key] = value
    message = _start(lines[0], Headers.trusted(pairs, index))
    if bad is not None:
        raise message.fault(f"the line {shown(bad)} is not a header field")
    if len(lines) - 1 > limits.fields:
        raise message.fault(f"it has {len(lines) - 1} header fields, more than {limits.fields}", status=513)
    longest = max(map(len, lines))
    if longest > limits.line:
        raise message.fault(f"a line has {longest} characters, more than {limits.line}", status=513)
    return message


def body_length(message: Message, limits: Limits = _LIMITS) -> int | None:
    """Return the length of the body that a message announces, None if it does not; raises :class:`ParseError`.

    Two Content-Length fields are refused even when they agree: where two readers may see two messages, there is none.
    """
    length = message.content_length
    if length is not None and length > limits.body:
        raise message.fault(f"a body of {length} bytes is more than {limits.body}", "Content-Length", 513)
    return length


def cut_short(data: bytes | bytearray, limits: Limits) -> ParseError:
    """Return the error for a message whose header fields have no end: too large, or cut off."""
    if len(data) > limits.head:
        return ParseError(f"the header fields take more than {limits.head} bytes", status=None)
    return ParseError("no empty line ends the header fields", status=None)


def _start(line: str, headers: Headers) -> Request | Response:
    """Return a message of its start line; what `validate` can refuse with a response is let through."""
    first, _, rest = line.partition(" ")
    if first[:4].upper() == "SIP/":
        status, _, reason = rest.partition(" ")
        if len(status) != 3 or not (status.isascii() and status.isdigit()) or not "1" <= status[0] <= "6":
            raise ParseError(f"the status {shown(status)} is not a number from 100 to 699", status=None)
        return Response(int(status), reason, headers, b"", first)
    # Spaces where none may be stay with the part beside them: they are refused with 400 where that part is read.
    end = len(rest.rstrip(" "))
    space = rest.rfind(" ", 0, end)
    version = rest[space + 1 :]
    if space < 0 or version[:4].upper() != "SIP/" or not is_token(first):
        raise ParseError(f"{shown(line)} is neither a request nor a response of SIP", status=None)
    return Request(first, rest[:space], headers, b"", version)
