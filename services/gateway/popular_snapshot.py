"""What is popular, as the recommenders last told it: the answer when none of them can be asked."""

from recsys.rpc.v1 import recommender_pb2 as pb


class PopularSnapshots:
    """One snapshot a tenant, in memory."""

    def __init__(self) -> None:
        self._snapshots: dict[str, pb.Snapshot] = {}

    def take(self, snapshot: pb.Snapshot) -> None:
        self._snapshots[snapshot.tenant] = snapshot

    def answer(self, tenant: str, limit: int) -> pb.RenderedAnswer | None:
        """The first popular items, degraded; None for a tenant of which nothing was told yet."""
        snapshot = self._snapshots.get(tenant)
        if snapshot is None:
            return None
        items = b",".join(snapshot.popular_json[:limit])
        version = snapshot.model_version.encode()
        return pb.RenderedAnswer(
            json=b'{"items":[%b],"source":"popular","model_version":"%b","degraded":true'
            % (items, version),
            source=pb.SOURCE_POPULAR,
            degraded=True,
        )
