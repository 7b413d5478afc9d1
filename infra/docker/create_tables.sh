#!/bin/sh
# Creates the tables of RECSYS_TENANT as far as they are missing. Only a thrift2 server can, so one
# runs here, on loopback, for as long as that takes.
set -eu

address=127.0.0.1:9091
java @/opt/hbase/jvm.options -Xmx128m org.apache.hadoop.hbase.thrift2.ThriftServer \
    -D "hbase.zookeeper.quorum=$HBASE_ZOOKEEPER" -b "${address%:*}" -p "${address#*:}" start &
server=$!
trap 'kill -9 $server' EXIT # it holds no state

listens() {
    python -c "import socket; socket.create_connection(('${address%:*}', ${address#*:}), 1)" 2>/dev/null
}

waited=0
until listens; do
    kill -0 $server && [ $waited -lt 60 ] || { echo "HBase's thrift2 server did not start" >&2; exit 1; }
    waited=$((waited + 1))
    sleep 1
done
recsys tables create --admin "$address"
