"""What a city's own system needs to talk to its liandong node: about 150 lines over grpcio.

A system talks only to the node of its own city, with a client certificate that city's CA issued.
Three habits make it safe on a bad network:

* every write carries a request id, so that it can be sent again until an answer comes;
* a watch goes on behind the last cursor it has seen, so that a drop misses and repeats nothing;
* a refusal is read from its details (reason, fields, sentence), never from its text.

In scope: connect, create, list, show, watch, read a refusal. Out of scope: what to do with a case.
"""

import dataclasses
import pathlib
import sys
import time
import uuid
from typing import Iterator, Optional

import grpc
from google.rpc import error_details_pb2, status_pb2

# Written by make_stubs.py; an installed package of stubs does as well.
sys.path.append(str(pathlib.Path(__file__).resolve().parent / "stubs"))

from liandong.v1 import case_service_pb2 as case_pb  # noqa: E402
from liandong.v1 import case_service_pb2_grpc as case_grpc  # noqa: E402
from liandong.v1 import common_pb2 as common_pb  # noqa: E402
from liandong.v1 import node_service_pb2 as node_pb  # noqa: E402
from liandong.v1 import node_service_pb2_grpc as node_grpc  # noqa: E402
from liandong.v1 import record_pb2 as record_pb  # noqa: E402

CALL_TIMEOUT_S = 30
WAIT_FIRST_S = 0.2
WAIT_LONGEST_S = 15.0


@dataclasses.dataclass(frozen=True)
class Refusal(Exception):
    """The node said no. Nothing was changed; `reason` is stable, `message` is for people."""

    code: str
    reason: str
    message: str
    metadata: dict
    fields: list
    retry_after_s: Optional[float]


class Unreachable(Exception):
    """No answer: not connected, the certificate was refused, or the connection broke.

    In TLS 1.3 a refused certificate looks like a broken connection to the client; the node's log
    has the reason. `liandong check ADDRESS` walks through the steps and says which one failed.
    """


def understand(error: grpc.RpcError) -> Exception:
    """A refusal with its details, or `Unreachable` when the node itself did not speak."""
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if details is None:
        return Unreachable(f"{error.code().name}: {error.details()}")
    status = status_pb2.Status.FromString(details)
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    said = error_details_pb2.LocalizedMessage()
    retry = error_details_pb2.RetryInfo()
    retry_after_s = None
    for detail in status.details:
        detail.Unpack(info)  # Each of these does nothing when the detail is of another type.
        detail.Unpack(bad)
        detail.Unpack(said)
        if detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
    return Refusal(
        code=error.code().name,
        reason=info.reason,
        message=said.message or status.message,
        metadata=dict(info.metadata),
        fields=[{"field": f.field, "description": f.description} for f in bad.field_violations],
        retry_after_s=retry_after_s,
    )


class Node:
    """The node of the own city."""

    def __init__(self, api, ca, cert=None, key=None, lang="zh-CN"):
        """`api` is host:port; the rest are PEM files (the key PKCS#8)."""
        read = lambda path: pathlib.Path(path).read_bytes() if path else None  # noqa: E731
        credentials = grpc.ssl_channel_credentials(read(ca), read(key), read(cert))
        keepalive = [("grpc.keepalive_time_ms", 30_000), ("grpc.keepalive_timeout_ms", 10_000)]
        self.channel = grpc.secure_channel(api, credentials, options=keepalive)
        self.metadata = (("accept-language", lang),)
        self.cases = case_grpc.CaseServiceStub(self.channel)
        self.nodes = node_grpc.NodeServiceStub(self.channel)

    def call(self, method, request):
        """One call; raises `Refusal` or `Unreachable`."""
        try:
            return method(request, metadata=self.metadata, timeout=CALL_TIMEOUT_S)
        except grpc.RpcError as error:
            raise understand(error) from error

    def who_am_i(self):
        """How the node understands our certificate."""
        return self.call(self.nodes.WhoAmI, node_pb.WhoAmIRequest())

    def create(self, parent, title, longitude, latitude, county, belt_reason=""):
        """Reports a clue in an agreement. Sent again, with the same id, until an answer comes."""
        now = time.time()
        today = time.gmtime(now + 8 * 3600)  # The legal day is Beijing's.
        facts = common_pb.CaseFacts(
            source=common_pb.SOURCE_COMPLAINT,
            medium=common_pb.MEDIUM_WATER,
            violation=common_pb.VIOLATION_OUTFALL_ILLEGAL,
            county_code=county,
            discover_time_ms=int(now * 1000),
            occurred_from=common_pb.Date(
                year=today.tm_year, month=today.tm_mon, day=today.tm_mday
            ),
            data_level=common_pb.DATA_LEVEL_GENERAL,
        )
        location = record_pb.Location(
            longitude=longitude, latitude=latitude, crs="EPSG:4490", address="示例村北侧"
        )
        record = record_pb.CaseRecord(
            title=title,
            summary="群众反映有暗管向界河排水",
            location=location,
            party=record_pb.Party(type=record_pb.PARTY_TYPE_UNKNOWN),
            belt_reason=belt_reason,
        )
        request = case_pb.CreateCaseRequest(
            parent=parent, facts=facts, record=record, request_id=str(uuid.uuid4())
        )
        return self.until_answered(self.cases.CreateCase, request)

    def until_answered(self, method, request, within_s=60):
        """Sends a write again until an answer comes: the request id makes that safe."""
        wait, deadline = WAIT_FIRST_S, time.monotonic() + within_s
        while True:
            try:
                return self.call(method, request)
            except Unreachable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(wait)
                wait = min(wait * 2, WAIT_LONGEST_S)

    def show(self, name):
        """One case."""
        return self.call(self.cases.GetCase, case_pb.GetCaseRequest(name=name)).case

    def list(self, parent, page_size=50) -> Iterator[case_pb.ListCasesResponse]:
        """Page after page, newest first."""
        token = ""
        while True:
            request = case_pb.ListCasesRequest(
                parent=parent, page_size=page_size, page_token=token
            )
            page = self.call(self.cases.ListCases, request)
            yield page
            token = page.next_page_token
            if not token:
                return

    def watch(self, parent, cursor="") -> Iterator[case_pb.WatchCasesResponse]:
        """Changes behind `cursor` (without one: from now on), over as many connections as needed.

        Keep the cursor of a change together with what you made of it; after a restart go on from
        there. `Refusal` with reason CURSOR_GONE means: list again, watch from the list's cursor.
        """
        if not cursor:
            # Taken first, so that a drop before the first change loses nothing either.
            cursor = next(self.list(parent, page_size=1)).cursor
        wait = WAIT_FIRST_S
        while True:
            try:
                request = case_pb.WatchCasesRequest(parent=parent, cursor=cursor)
                for change in self.cases.WatchCases(request, metadata=self.metadata):
                    cursor, wait = change.cursor, WAIT_FIRST_S
                    if not change.heartbeat:
                        yield change
            except grpc.RpcError as error:
                why = understand(error)
                if isinstance(why, Refusal):
                    raise why from error
            time.sleep(wait)
            wait = min(wait * 2, WAIT_LONGEST_S)
