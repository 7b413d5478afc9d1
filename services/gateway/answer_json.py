"""The last members of an answer: what the recommenders leave open, the gateway closes."""

from json.encoder import encode_basestring

from recsys.rpc.v1 import recommender_pb2 as pb
from services.gateway.pending_request import ItemTarget, Target, UserTarget


def whole_json(answer: pb.RenderedAnswer, request_id: str, about: Target) -> bytes:
    """The body of a response."""
    return b'%b,"request_id":%b%b}' % (answer.json, _string(request_id), _subject(about))


def _subject(about: Target) -> bytes:
    match about:
        case UserTarget():
            return b',"user_id":' + _string(about.user_id)
        case ItemTarget():
            return b',"item_id":' + _string(about.item_id)
    return b""


def _string(text: str) -> bytes:
    return encode_basestring(text).encode()
